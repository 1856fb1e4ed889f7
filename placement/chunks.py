"""What a chunk of interruptible work is, what work in chunks is worth, and what each half-hour of a chunk draws."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from placement.spine import HALF_HOUR
from placement.task import Task

MINUTES = HALF_HOUR // 60


class Piece(NamedTuple):
    """A chunk: the half-hour of the spine at which it starts, its minutes, and its power in each of its half-hours, kW."""

    start: int
    minutes: int
    power_kw: tuple[float, ...]


@dataclass(frozen=True)
class Split:
    """The best chunks at a venue, and what they emit and cost."""

    row: int
    pieces: tuple[Piece, ...]
    score_gbp: float
    energy_kwh: float
    carbon_kg: float
    cost_gbp: float
    """NaN where a half-hour has no price"""
    synthetic_share: float


@dataclass(frozen=True)
class Work:
    """How much of interruptible work each half-hour of a chunk does, and what it draws."""

    task: Task

    @cached_property
    def minutes(self) -> int:
        """The work."""
        return self.task.minutes

    @cached_property
    def least(self) -> int:
        """The least work of a chunk, minutes."""
        return min(self.task.min_chunk_minutes, self.minutes)

    def slots(self, chunks: int) -> int:
        """Half-hours of so many chunks; the last may be used in part."""
        return -(-self.total(chunks) // MINUTES)

    def total(self, chunks: int) -> int:
        """Minutes of so many chunks."""
        return self.minutes + self.task.resume_overhead_minutes * (chunks - 1)

    def done(self, chunks: int, slots: int) -> int:
        """Minutes of work that so many whole half-hours in so many chunks have done."""
        return MINUTES * slots - self.task.resume_overhead_minutes * max(chunks - 1, 0)

    def head(self, chunks: int) -> int:
        """The fewest half-hours of a chunk that is not the last: they do the least work, and hold its resumption."""
        return -(-(self.least + (self.task.resume_overhead_minutes if chunks > 1 else 0)) // MINUTES)

    def most_chunks(self, half_hours: int) -> int:
        """How many chunks fit into so many half-hours, with one between two of them; 0 where not even one fits."""
        fits = [
            chunks
            for chunks in range(1, self.task.max_chunks + 1)
            if chunks * self.least <= self.minutes and self.slots(chunks) + chunks - 1 <= half_hours
        ]
        return max(fits, default=0)

    def draws(self, chunks: int, before: int, slot: int) -> tuple[float, float]:
        """Energy (kWh) and highest power (kW) of a half-hour of chunk number `chunks`, after `before` half-hours of others."""
        resumes = self.task.resume_overhead_minutes if chunks > 1 else 0
        begun = self.done(chunks - 1, before)
        energy = most = 0.0
        minute, ends = MINUTES * slot, min(MINUTES * (slot + 1), self.minutes - begun + resumes)
        while minute < ends:
            of_work = begun + max(minute - resumes, 0)
            until = resumes - minute if minute < resumes else MINUTES - of_work % MINUTES
            step = min(until, ends - minute)
            kw = self.task.power_at(of_work)
            energy, most, minute = energy + kw * step / 60, max(most, kw), minute + step
        return energy, most
