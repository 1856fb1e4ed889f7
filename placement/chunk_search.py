"""The search for the best chunks at each venue: dynamic programming over half-hours. `split` says what it keeps."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from placement.chunks import MINUTES, Piece, Work
from placement.ground import Ground
from placement.spine import Numbers

Counts = NDArray[np.int16]
End = tuple[int, int, int]
"""The last chunk: its number, the half-hours of those before it, and the half-hour at which it starts"""


class _Sums(NamedTuple):
    """Of a chunk from each start: pounds, gCO2, price x energy (GBP/MWh x kWh), and energy, kWh."""

    worth: Numbers
    carbon: Numbers
    cost: Numbers
    energy: float


class Search:
    """costs[j][row, used, t]: the least of j chunks that have used so many half-hours and ended by t."""

    def __init__(self, work: Work, ground: Ground):
        self.work, self.ground = work, ground
        self.most = work.most_chunks(ground.reach)
        self.slots = [0, *(work.slots(chunks) for chunks in range(1, self.most + 1))]
        self.whole = ground.left(MINUTES)
        self._left = {MINUTES: self.whole}
        self._sums: dict[tuple[int, int], list[_Sums]] = {}
        nothing = np.zeros(self.whole.shape)
        self._nothing = _Sums(nothing, nothing, nothing, 0.0)

    def run(self) -> dict[int, tuple[tuple[Piece, ...], float]]:
        """The best chunks and their worth in pounds, by row."""
        if self.most == 0:
            return {}
        rows, half_hours = self.whole.shape
        best = np.full(rows, np.inf)
        ends: list[End | None] = [None] * rows
        state = (rows, self.slots[-1] + 1, half_hours + 1)
        before = np.zeros((rows, 1, half_hours + 1))
        trails: list[tuple[Counts, Counts]] = []
        for chunks in range(1, self.most + 1):
            costs = np.full(state, np.inf)
            lengths = np.zeros(state, dtype=np.int16)
            if self.work.task.power_profile_kw:  # the sums of the chunk before are not those of this one
                self._sums.clear()
            if self.ground.is_capped:
                self._by_lengths(chunks, before, (costs, lengths), best, ends)
            else:
                self._by_half_hours(chunks, before, (costs, lengths), best, ends)
            ended = _running_argmin(costs)
            trails.append((lengths, ended))
            before = np.take_along_axis(costs, ended.astype(np.intp), axis=2)
        return {
            row: (self._trace(row, end, trails), float(best[row]))
            for row, end in enumerate(ends)
            if end is not None and np.isfinite(best[row])
        }

    def _by_lengths(
        self, chunks: int, before: Numbers, kept: tuple[Numbers, Counts], best: Numbers, ends: list[End | None]
    ) -> None:
        for used in range(before.shape[1]):
            if self.work.minutes - self.work.done(chunks - 1, used) < self.work.least:
                break
            ready = self._ready(before, used, chunks)
            if not np.isfinite(ready).any():
                continue
            self._end(chunks, used, ready, best, ends)
            if chunks < self.most:
                self._go_on(chunks, used, ready, *kept)

    def _by_half_hours(
        self, chunks: int, before: Numbers, kept: tuple[Numbers, Counts], best: Numbers, ends: list[End | None]
    ) -> None:
        """The same where only the least length of a chunk matters: behind that, what it is worth to go on is one and the same."""
        costs, lengths = kept
        work, head, last = self.work, self.work.head(chunks), self.slots[chunks]
        running = np.full((before.shape[0], before.shape[2]), np.inf)
        length = np.zeros(running.shape, dtype=np.int16)
        for used in range(1, last + 1):
            is_last = used == last
            if used > head:  # another half-hour of the chunk that runs
                worth = self._half_hour(chunks, used - 1, is_last)
                running[:, 1:], running[:, 0] = running[:, :-1] + worth, np.inf
                length[:, 1:] = length[:, :-1] + 1
            if is_last:
                break
            begins = used - head
            if 0 <= begins < before.shape[1] and work.minutes - work.done(chunks - 1, begins) >= work.least:
                ready = self._ready(before, begins, chunks)
                if np.isfinite(ready).any():
                    cost = (ready + self._block(chunks, begins, head))[:, : running.shape[1] - head]
                    better = cost < running[:, head:]
                    running[:, head:][better] = cost[better]
                    length[:, head:][better] = head
            if work.minutes - work.done(chunks, used) >= max(work.least, 1):
                costs[:, used], lengths[:, used] = running, length
        if last > head:
            self._keep_best(
                running, best, ends, lambda row, at: (chunks, last - int(length[row, at]), at - int(length[row, at]))
            )
        for used in range(max(0, last - head), min(last, before.shape[1])):  # the last chunk may be shorter
            if work.minutes - work.done(chunks - 1, used) < work.least:
                break
            self._end(chunks, used, self._ready(before, used, chunks), best, ends)

    def _half_hour(self, chunks: int, used: int, is_last: bool) -> Numbers:
        """Pounds of a half-hour of a chunk that has resumed before, after so many half-hours of all chunks."""
        head = self.work.head(chunks)
        energy, power = self.work.draws(chunks, used - head, head)
        left = self._left_of_last(chunks) if is_last else self.whole
        worth: Numbers = np.where(left >= power, self.ground.value * (energy / 1000), np.inf)
        return worth

    def _left_of_last(self, chunks: int) -> Numbers:
        minutes = self.work.total(chunks) - MINUTES * (self.slots[chunks] - 1)
        if minutes not in self._left:
            self._left[minutes] = self.ground.left(minutes)
        return self._left[minutes]

    def _ready(self, before: Numbers, used: int, chunks: int) -> Numbers:
        """What was spent before a chunk that starts at each half-hour."""
        starts, ground = self.ground.starts, self.ground
        if chunks == 1:
            waited = starts - ground.first
            return np.where((waited >= -1e-10) & (waited <= ground.waits + 1e-10), 0.0, np.inf)
        # a half-hour lies between: the chunk before it ended by the half-hour before
        return np.concatenate([np.full((before.shape[0], 1), np.inf), before[:, used, : len(starts) - 1]], axis=1)

    def _end(self, chunks: int, used: int, ready: Numbers, best: Numbers, ends: list[End | None]) -> None:
        last = self.slots[chunks] - used
        if last < 1:
            return
        self._keep_best(ready + self._block(chunks, used, last), best, ends, lambda _row, at: (chunks, used, at))

    def _keep_best(self, cost: Numbers, best: Numbers, ends: list[End | None], end: Callable[[int, int], End]) -> None:
        at = cost.argmin(axis=1)
        value = cost[np.arange(len(at)), at]
        for row in np.flatnonzero(value < best - 1e-12):
            best[row] = value[row]
            ends[row] = end(int(row), int(at[row]))

    def _go_on(self, chunks: int, used: int, ready: Numbers, costs: Numbers, lengths: Counts) -> None:
        done = self.work.done(chunks - 1, used)
        half_hours = ready.shape[1]
        for length in range(1, min(self.slots[-1] - used, half_hours) + 1):
            gained = self.work.done(chunks, used + length) - done
            if gained < self.work.least:
                continue
            if self.work.minutes - done - gained < max(self.work.least, 1):
                break
            cost = ready + self._block(chunks, used, length)
            into = costs[:, used + length, length:]
            this = cost[:, : half_hours - length + 1]
            better = this < into
            into[better] = this[better]
            lengths[:, used + length, length:][better] = length

    def _block(self, chunks: int, used: int, length: int) -> Numbers:
        """Pounds of a chunk of so many half-hours from each start; infinite where it is not possible."""
        is_last = used + length == self.slots[chunks]
        sums = self._whole(chunks, used, length - 1 if is_last else length)
        if is_last:
            sums = self._longer(sums, chunks, used, length - 1, self._left_of_last(chunks))
        kept = self.ground.keeps_caps(sums.carbon, sums.cost, sums.energy)
        return sums.worth if kept is None else np.where(kept, sums.worth, np.inf)

    def _whole(self, chunks: int, used: int, length: int) -> "_Sums":
        """Sums over so many whole half-hours from each start; of constant power they are the same for every chunk."""
        known = self._sums.setdefault((chunks, used) if self.work.task.power_profile_kw else (0, 0), [self._nothing])
        while len(known) <= length:
            known.append(self._longer(known[-1], chunks, used, len(known) - 1, self.whole))
        return known[length]

    def _longer(self, sums: "_Sums", chunks: int, used: int, slot: int, left: Numbers) -> "_Sums":
        energy, power = self.work.draws(chunks, used, slot)
        ground = self.ground
        worth = np.where(left >= power, ground.value * (energy / 1000), np.inf)
        return _Sums(
            sums.worth + _ahead(worth, slot, np.inf),
            sums.carbon + _ahead(ground.intensity * energy, slot, 0.0),
            sums.cost + _ahead(ground.price * energy, slot, 0.0),
            sums.energy + energy,
        )

    def _trace(self, row: int, end: End, trails: list[tuple[Counts, Counts]]) -> tuple[Piece, ...]:
        chunks, used, start = end
        minutes = self.work.total(chunks) - MINUTES * used
        pieces = [self._piece(chunks, used, start, minutes)]
        while chunks > 1:
            chunks -= 1
            lengths, ended = trails[chunks - 1]
            by = int(ended[row, used, start - 1])
            length = int(lengths[row, used, by])
            used, start = used - length, by - length
            pieces.append(self._piece(chunks, used, start, MINUTES * length))
        return tuple(reversed(pieces))

    def _piece(self, chunks: int, used: int, start: int, minutes: int) -> Piece:
        slots = range(-(-minutes // MINUTES))
        return Piece(start, minutes, tuple(self.work.draws(chunks, used, slot)[1] for slot in slots))


def _ahead(values: Numbers, by: int, otherwise: float) -> Numbers:
    """The values of so many half-hours later."""
    if by == 0:
        return values
    found = np.full(values.shape, otherwise)
    found[:, : values.shape[1] - by] = values[:, by:]
    return found


def _running_argmin(costs: Numbers) -> Counts:
    """Along the last axis, where the least so far is; the first of equals."""
    least = np.minimum.accumulate(costs, axis=2)
    is_new = costs < np.concatenate([np.full((*costs.shape[:2], 1), np.inf), least[:, :, :-1]], axis=2)
    found: Counts = np.maximum.accumulate(
        np.where(is_new, np.arange(costs.shape[2], dtype=np.int16), np.int16(0)), axis=2
    )
    return found
