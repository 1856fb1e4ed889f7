"""A finished workload from rows: how it ran, how it was placed first, and the half-hours that its receipt rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import isnan, nan
from typing import Any, NamedTuple

from placement.movable import task_of
from placement.outlook import Outlook
from placement.settlement import NOT_KNOWN, Amount, Course, Site, Stretch, amount, in_one_piece
from placement.task import Task
from warehouse.periods import HALF_HOUR, floor

LATE = timedelta(minutes=5)
"""So much later than planned a run in pieces may begin or pause: what it draws is still taken to be that of its pieces"""
REACH = timedelta(hours=48)
"""How far a forecast reaches: foresight looks no further beyond the start of a run than a plan could have"""


class RanPiece(NamedTuple):
    """From when until when a piece ran; what was not reported is taken to have run as it was placed."""

    starts_at: datetime
    ends_at: datetime
    is_start_reported: bool = False
    is_stop_reported: bool = False


@dataclass(frozen=True)
class Finished:
    """A workload that has ended, as rows of `warehouse.receipts`: the placement that it ran by, and the one it had first."""

    workload: Mapping[str, Any]
    placement: Mapping[str, Any]
    first: Mapping[str, Any]
    moves: int

    @property
    def ran(self) -> bool:
        """Whether it ran for any time."""
        began, ended = self.workload["began_at"], self.workload["ended_at"]
        return began is not None and ended > began

    @property
    def fits(self) -> bool:
        """Whether its runner said when its pieces ran, or it ran when they were due.

        If not, nobody knows when it drew power: the plan alone says so.
        """
        pieces, began, ended = self.placement["pieces"], self.workload["began_at"], self.workload["ended_at"]
        if not self.placement["stretches"]:
            return False
        if len(pieces) > 1 and self.placement["runs"]:
            said_first: datetime = self.placement["runs"][0]["started_at"]
            return bool(began <= pieces[0]["starts_at"] + LATE or said_first <= began + LATE)
        if len(pieces) < 2 or ended > pieces[-1]["starts_at"]:
            return len(pieces) < 2 or bool(began <= pieces[0]["starts_at"] + LATE)
        is_in_one = any(piece["starts_at"] < ended <= piece["ends_at"] + LATE for piece in pieces)
        return is_in_one and bool(began <= pieces[0]["starts_at"] + LATE)

    @cached_property
    def deadline(self) -> datetime:
        """The end of what foresight looks at."""
        began = max(self.workload["began_at"], self.workload["earliest_start"])
        latest: datetime = max(min(self.workload["deadline"], began + REACH), self.workload["ended_at"])
        return latest

    @cached_property
    def task(self) -> Task:
        """What was to be placed, with that end."""
        return replace(task_of(self.workload, earliest=self.workload["earliest_start"]), deadline=self.deadline)

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """The half-hours that its receipt rests on, from and until."""
        first = floor(min(self.workload["earliest_start"], self.workload["began_at"]))
        last = floor(self.deadline)
        return first, last if last == self.deadline else last + HALF_HOUR

    @cached_property
    def pieces(self) -> tuple[RanPiece, ...]:
        """The pieces in which it ran, in the order of time."""
        return ran_pieces(self.placement, self.workload["began_at"], self.workload["ended_at"])

    def course(self, actuals: Outlook) -> Course:
        """How it ran."""
        return _course(self.placement, self.workload["began_at"], self.workload["ended_at"], actuals)

    def first_course(self, actuals: Outlook) -> Course:
        """How it was to run as it was placed first."""
        return _course(self.first, self.first["starts_at"], self.first["ends_at"], actuals)

    def at_once_promised(self, then: Outlook) -> Amount:
        """What starting at once in the first place was forecast to emit and cost, by what was known when that was given."""
        if not self.ran:
            return NOT_KNOWN
        seen = then.seen_by(self.task.risk)  # as the placement's own promise was made
        return amount(tuple(in_one_piece(self.task)), site_of(self.first, seen), seen)


def _course(placement: Mapping[str, Any], began: datetime, ended: datetime, actuals: Outlook) -> Course:
    pieces: list[tuple[datetime, datetime]] = []
    for begins, ends, *_ in ran_pieces(placement, began, ended):
        if pieces and begins <= pieces[-1][1]:  # it was not paused between them
            begins = pieces.pop()[0]
        pieces.append((begins, ends))
    stretches = tuple(
        Stretch(one["starts_at"], one["ends_at"], float(one["power_kw"])) for one in placement["stretches"]
    )
    return Course(site_of(placement, actuals), tuple(pieces), stretches)


def ran_pieces(placement: Mapping[str, Any], began: datetime, ended: datetime) -> tuple[RanPiece, ...]:
    """The pieces of a placement in which a run from an instant until another ran; as SQL has it in `workload_run`.

    One whose start was reported ran from then until it was stopped, or to the end of the run. Any other is taken to have run as it
    was placed, between those that were reported: the first from when the run began, the last until it ended.
    """
    chunks: Sequence[Mapping[str, Any]] = placement["pieces"]
    if len(chunks) < 2:
        return (RanPiece(began, ended),)
    runs = {row["number"]: row for row in placement["runs"]}
    found = []
    for number, chunk in enumerate(chunks, start=1):
        if run := runs.get(number):
            stopped = run["stopped_at"]
            piece = RanPiece(max(began, run["started_at"]), min(ended, stopped or ended), True, stopped is not None)
        else:
            before = [row["stopped_at"] or ended for row in runs.values() if row["number"] < number]
            after = [row["started_at"] for row in runs.values() if row["number"] > number]
            begins = max([began, *before, *([chunk["starts_at"]] if number > 1 else [])])
            ends = min([ended, *after, *([chunk["ends_at"]] if number < len(chunks) else [])])
            piece = RanPiece(begins, ends)
        if piece.starts_at < piece.ends_at:
            found.append(piece)
    return tuple(found)


def site_of(placement: Mapping[str, Any], outlook: Outlook) -> Site:
    """Where a placement is. A compute window that charges by itself charges what it was booked for.

    What one charges that is in no catalogue any more, or whose price is synthetic, is not known (NaN).
    """
    region_id, window_id, booked = (placement[name] for name in ("region_id", "window_id", "mean_price_gbp_mwh"))
    if window_id is None:
        return Site(region_id)
    own = next((window.price_gbp_mwh for window in outlook.windows if window.window_id == window_id), nan)
    if own is None:
        return Site(region_id)  # the market's price counts
    return Site(region_id, float(own if booked is None or isnan(own) else booked))
