"""What each policy runs, what it promised, and what came; GBP/MWh of the score: weight x carbon x value + (1 - weight) x price."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from functools import cached_property

import numpy as np

from placement.outlook import score
from placement.replay.choose import Places, best_half_hours, best_run, mask_of, mean_of, runs
from placement.replay.episodes import LAST_DAY, PAST, Episodes, at_clock, first_half_hour, last_priced
from placement.replay.errors import KNOWN_AFTER
from placement.replay.jobs import Job, Policy
from placement.spine import Mask, Numbers

TWO = time(2)


@dataclass(frozen=True)
class Outcome:
    """Of each moment (M,), GBP/MWh: what a policy promised, what came, and the same of starting now and of the oracle.

    A promise is NaN where the policy makes none.
    """

    policy: Policy
    promised: Numbers
    realised: Numbers
    now_promised: Numbers
    now: Numbers
    oracle: Numbers
    gco2_kwh: Numbers
    """(M, 3): carbon of the policy, of starting now and of the oracle"""


@dataclass(frozen=True)
class Ground:
    """What each half-hour was worth by what came, and by each forecast of it."""

    episodes: Episodes
    weight: float
    carbon_value_gbp_kg: float

    def _score(self, intensity: Numbers, price: Numbers) -> Numbers:
        return score(intensity, price, self.weight, self.carbon_value_gbp_kg)

    @cached_property
    def came(self) -> Numbers:
        """(M, H)"""
        return self._score(self.episodes.outcome[:, PAST:], self.episodes.price[:, PAST:])

    @cached_property
    def yesterday(self) -> Numbers:
        """(M, H): what each half-hour of the coming day was the day before, or, where that is not known yet, two days before."""
        before = self._score(self.episodes.outcome[:, :PAST], self.episodes.price[:, :PAST])
        found = np.full(self.came.shape, np.nan)
        found[:, : LAST_DAY - KNOWN_AFTER] = before[:, KNOWN_AFTER:LAST_DAY]
        found[:, LAST_DAY - KNOWN_AFTER : LAST_DAY] = before[:, :KNOWN_AFTER]
        return found

    @cached_property
    def _priced(self) -> Places:
        """(M, K): so many half-hours have a price that was known at the time of each forecast."""
        return last_priced(self.episodes.known_at) - self.episodes.first[:, None]

    def forecast(self, at: int, values: Numbers) -> Numbers:
        """(M, H) by forecast number `at` of each moment; a price that was not known then is NaN."""
        if self.weight == 1:
            return self._score(values, values)
        known = np.arange(values.shape[1])[None, :] < self._priced[:, at, None]
        return self._score(values, np.where(known, self.episodes.price[:, PAST:], np.nan))


def outcomes(ground: Ground, job: Job, *, hindsight: Ground | None = None, gain_pct: float = 0.0) -> Iterator[Outcome]:
    """Each policy at each moment. `gain_pct`: what a move must gain, of what its place costs; `hindsight`: the same moments, the
    forecasts read as well as can be."""
    episodes = ground.episodes
    count, half_hours = len(episodes), episodes.half_hours
    now = mask_of(np.zeros(count, dtype=np.int64), job.half_hours, half_hours)
    first = ground.forecast(0, episodes.published[:, 0])
    p50 = ground.forecast(0, episodes.p50[:, 0])
    never = np.full(count, np.nan)
    chosen: dict[Policy, tuple[Mask, Numbers]] = {
        "start now": (now, never),
        "02:00": (_at_two(episodes, job), never),
        "yesterday's best": (_planned(ground.yesterday, job, now)[0], never),
        "plan once (published)": _planned(first, job, now),
        "plan once (P50)": _planned(p50, job, now),
        "plan once (P90)": _planned(ground.forecast(0, episodes.p90), job, now),
        "re-plan": _replanned(ground, job, now, gain_pct),
        "oracle": (_planned(ground.came, job, now)[0], never),
    }
    if hindsight is not None:
        chosen["re-plan (hindsight)"] = _replanned(hindsight, job, now, gain_pct)
    carbon = episodes.outcome[:, PAST:]
    # a moment counts only if all is known within its slack: else a policy would gain by what nobody measured
    known = np.where(np.isnan(ground.came).any(axis=1), np.nan, 0.0)
    of_now, oracle = mean_of(ground.came, now) + known, mean_of(ground.came, chosen["oracle"][0])
    promises: dict[Policy, Numbers] = {
        "plan once (published)": mean_of(first, now),
        "plan once (P50)": mean_of(p50, now),
    }
    if hindsight is not None:
        promises["re-plan (hindsight)"] = mean_of(hindsight.forecast(0, hindsight.episodes.p50[:, 0]), now)
    promises |= {
        "plan once (P90)": mean_of(ground.forecast(0, episodes.p90), now),
        "re-plan": promises["plan once (P50)"],
    }
    for policy, (mask, promised) in chosen.items():
        yield Outcome(
            policy, promised, mean_of(ground.came, mask), promises.get(policy, never), of_now, oracle,
            np.stack([mean_of(carbon, one) for one in (mask, now, chosen["oracle"][0])], axis=1),
        )  # fmt: skip


def _planned(values: Numbers, job: Job, otherwise: Mask) -> tuple[Mask, Numbers]:
    """The best by these values, and what they promise; `otherwise`, with no promise, where too little is known."""
    if job.is_split:
        mask = best_half_hours(values, job.half_hours)
        is_placed = mask.sum(axis=1) == job.half_hours
    else:
        starts, means = best_run(values, job.half_hours)
        mask, is_placed = mask_of(starts, job.half_hours, values.shape[1]), np.isfinite(means)
    mask = np.where(is_placed[:, None], mask, otherwise)
    return mask, np.where(is_placed, mean_of(values, mask), np.nan)


def _at_two(episodes: Episodes, job: Job) -> Mask:
    """At the next 02:00 in London, in one piece; at once where it would not end in time."""
    fits = at_clock(episodes.first, episodes.half_hours, TWO)
    fits[:, episodes.half_hours - job.half_hours + 1 :] = False
    return mask_of(fits.argmax(axis=1), job.half_hours, episodes.half_hours)


def _replanned(ground: Ground, job: Job, now: Mask, gain_pct: float) -> tuple[Mask, Numbers]:
    """Planned by P50, and again by each forecast that follows, as long as it has not begun (split: what of it has not)."""
    episodes = ground.episodes
    believed = ground.forecast(0, episodes.p50[:, 0])
    mask, promised = _planned(believed, job, now)
    spine = np.arange(mask.shape[1])[None, :]
    for at in range(1, episodes.p50.shape[1]):
        ready = np.minimum(first_half_hour(episodes.known_at[:, at]) - episodes.first, episodes.half_hours)
        coming = spine >= ready[:, None]
        may = (mask & coming).any(axis=1)
        if not job.is_split:
            may &= mask.argmax(axis=1) >= ready
        if not may.any():
            continue
        values = ground.forecast(at, episodes.p50[:, at])
        moved, is_better = (_again_split if job.is_split else _again)(values, job, mask, ready, gain_pct)
        moves = may & is_better
        mask[moves] = moved[moves]
        believed = np.where(moves[:, None] & coming, values, believed)
    return mask, np.where(np.isnan(promised), np.nan, mean_of(believed, mask))


def _again(values: Numbers, job: Job, mask: Mask, ready: Places, gain_pct: float) -> tuple[Mask, Mask]:
    """The best run that has not begun, and whether it is better than the one that is planned; not where that is unknown."""
    starts, best = best_run(values, job.half_hours, ready)
    held = np.take_along_axis(runs(values, job.half_hours), mask.argmax(axis=1)[:, None], axis=1)[:, 0]
    return mask_of(starts, job.half_hours, values.shape[1]), _is_better(best, held, gain_pct)


def _again_split(values: Numbers, job: Job, mask: Mask, ready: Places, gain_pct: float) -> tuple[Mask, Mask]:
    """The same of half-hours: those that have begun stay."""
    begun = mask & (np.arange(mask.shape[1])[None, :] < ready[:, None])
    left = job.half_hours - begun.sum(axis=1)
    best = best_half_hours(values, left, ready)
    is_better = _is_better(mean_of(values, best), mean_of(values, mask & ~begun), gain_pct)
    return begun | best, is_better & (best.sum(axis=1) == left)


def _is_better(best: Numbers, held: Numbers, gain_pct: float) -> Mask:
    known = np.isfinite(best) & np.isfinite(held)
    gain = np.where(known, held, 0.0) - np.where(known, best, 0.0)
    found: Mask = known & (gain > np.maximum(1e-9, gain_pct / 100 * np.abs(np.where(known, held, 0.0))))
    return found
