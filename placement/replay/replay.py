"""All decisions of a region: every policy at every moment, for every job and weight."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from placement.replay.episodes import Region
from placement.replay.jobs import JOBS, WEIGHTS, Job, Policy
from placement.replay.policies import Ground, outcomes
from placement.replay.tally import Tally, tallies
from placement.spine import Numbers

AT_ONCE = 200
"""Moments; what they hold in memory is about 100 MB"""


class Decided(NamedTuple):
    """The sums of a policy over a group of moments."""

    group: int
    job: Job
    weight: float
    policy: Policy
    tally: Tally


def replay(
    region: Region,
    moments: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    carbon_value_gbp_kg: float,
    jobs: Collection[Job] = JOBS,
    weights: Collection[float] = WEIGHTS,
    hindsight: Numbers | None = None,
    gain_pct: float = 0.0,
) -> Iterator[Decided]:
    """Decide at these captures (rows), each of a group. `hindsight`: forecasts as `ideal.best_reading` reads them."""
    found: dict[tuple[int, Job, float, Policy], Tally] = {}
    for begins in range(0, len(moments), AT_ONCE):
        some, group = moments[begins : begins + AT_ONCE], groups[begins : begins + AT_ONCE]
        for slack in sorted({job.slack for job in jobs}):
            episodes = region.episodes(some, slack)
            better = None if hindsight is None else region.reading(hindsight).episodes(some, slack)
            for weight in weights:
                ground = Ground(episodes, weight, carbon_value_gbp_kg)
                read = None if better is None else Ground(better, weight, carbon_value_gbp_kg)
                for job in (job for job in jobs if job.slack == slack):
                    for outcome in outcomes(ground, job, hindsight=read, gain_pct=gain_pct):
                        for of_group, tally in tallies(outcome, group).items():
                            key = (of_group, job, weight, outcome.policy)
                            found[key] = found.get(key, Tally()) + tally
    for (of_group, job, weight, policy), tally in found.items():
        yield Decided(of_group, job, weight, policy, tally)
