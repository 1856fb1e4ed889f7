"""The best chunks of interruptible work at each venue, by dynamic programming over half-hours.

Chunks begin on the half-hours of the spine and, except for the last, end on one; at least one half-hour lies between two of them.
Each but the first begins with the minutes of a resumption, in which no work is done at the power that follows. A half-hour that
such minutes shift takes the higher of its two powers of the venue. Power, opening hours, the forecast, prices and capacity are
kept in every half-hour, caps on intensity and price by the mean of every chunk.

Without caps a chunk grows half-hour by half-hour, since only its least length and its resumption tell one chunk from another; with
caps each of its lengths is tried. `effort` says beforehand how much that is.
"""

from collections.abc import Mapping

import numpy as np

from placement.chunk_search import Search
from placement.chunks import Piece, Split, Work
from placement.ground import Ground
from placement.outlook import Outlook
from placement.task import Task
from placement.venues import Taken, Venues

MOST_EFFORT = 20_000_000
"""Of a task that is searched while others wait: some tenths of a second. See `effort`"""
STEP = 4000
"""What a step of the search costs by itself, in values"""


def effort(task: Task, venues: Venues, outlook: Outlook) -> int:
    """About how many values the search for chunks computes: a million are some hundredths of a second. 0 for one piece."""
    if task.max_chunks == 1:
        return 0
    work = Work(task)
    within = min(outlook.position(task.deadline), outlook.half_hours) - max(outlook.position(task.earliest), 0.0)
    chunks = work.most_chunks(max(0, -int(-within // 1)) + 1)
    slots = work.slots(chunks) if chunks else 0
    is_capped = (
        task.carbon_cap_gco2_kwh is not None
        or task.price_cap_gbp_mwh is not None
        or (venues.carbon_caps is not None and not bool(np.isinf(venues.carbon_caps).all()))
    )
    if is_capped:
        steps = chunks * slots * max(1, slots // 4) * (3 if task.power_profile_kw else 1)
    else:
        steps = chunks * slots * (1 + work.head(2) // 2 if task.power_profile_kw else 1)
    return steps * (len(venues) * outlook.half_hours + STEP)


def splits(
    task: Task, venues: Venues, outlook: Outlook, taken: Mapping[str, Taken], *, carbon_value_gbp_kg: float
) -> list[Split]:
    """The best chunks at each venue that has any, with at least two chunks or one; by row of the venues."""
    if not len(venues) or outlook.half_hours == 0:
        return []
    ground = Ground(task, venues, outlook, taken, carbon_value_gbp_kg)
    work = Work(task)
    return [_described(ground, work, row, *best) for row, best in Search(work, ground).run().items()]


def _described(ground: Ground, work: Work, row: int, pieces: tuple[Piece, ...], worth: float) -> Split:
    energy = carbon = cost = synthetic = 0.0
    used = 0
    for number, piece in enumerate(pieces, start=1):
        for slot in range(len(piece.power_kw)):
            at, kwh = (row, piece.start + slot), work.draws(number, used, slot)[0]
            energy, synthetic = energy + kwh, synthetic + ground.synthetic[at] * kwh
            carbon, cost = carbon + ground.intensity[at] * kwh / 1000, cost + ground.price[at] * kwh / 1000
        used += len(piece.power_kw)
    return Split(row, pieces, worth, energy, float(carbon), float(cost), float(synthetic / energy) if energy else 0.0)
