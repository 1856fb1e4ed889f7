"""What a replay decides by, from the database: regions with their forecasts, bands and what came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg

from placement.replay.episodes import PAST, Region
from placement.replay.errors import HISTORY_DAYS, PER_DAY, Captured, bands
from placement.replay.ideal import best_reading
from placement.replay.simulated import HALF_HOURS, measured, simulate
from placement.spine import Numbers
from warehouse import replays
from warehouse.errors import UsageError
from warehouse.periods import HALF_HOUR, HALF_HOUR_SECONDS

SEED = 16
"""Of simulated errors: the same days give the same errors, each region its own"""
AHEAD = timedelta(days=3)
Regions = dict[int, tuple[Region, Numbers | None]]
"""By region: what it is decided by, and the best reading of the forecasts where there is one"""


@dataclass
class Read:
    """A span of decisions that is read; an end that was not named is found by what there is."""

    connection: psycopg.Connection
    first: datetime | None
    last: datetime | None
    regions: Sequence[int]
    since: datetime = datetime.min
    until: datetime = datetime.max

    def within(self, statement: str, forecasts: replays.Forecasts, *values: object) -> None:
        """Find the ends of the span. Raises UsageError where there is nothing."""
        row = self.connection.execute(statement, values).fetchone()
        if row is None or row[0] is None:
            raise UsageError(f"there are no {forecasts} forecasts; {history_of(forecasts)}")
        self.since, self.until = self.first or row[0], self.last or row[1] + HALF_HOUR

    def series(self, statement: str, begins: int, half_hours: int, **asked: int) -> Numbers:
        """A series on the spine, NaN where unknown."""
        rows = replays.read(self.connection, statement, _instant(begins), _instant(begins + half_hours), **asked)
        found = np.full(half_hours, np.nan)
        for row in rows:
            found[row["at"] - begins] = row["value"]
        return found

    def captured(self, region_id: int, since: datetime, *, is_archive: bool) -> Captured:
        """The captures of a region, from `since` to the end of the last decision that may be planned again."""
        rows = replays.read(
            self.connection, replays.CAPTURES, since, self.until + AHEAD, region_id=region_id, is_archive=is_archive
        )
        forecasts = np.full((len(rows), HALF_HOURS + 1), np.nan)
        for number, row in enumerate(rows):
            shift = row["first"] - row["known_at"] // HALF_HOUR_SECONDS
            if 0 <= shift <= HALF_HOURS:
                values = row["forecasts"][: HALF_HOURS + 1 - shift]
                forecasts[number, shift : shift + len(values)] = [
                    np.nan if value is None else value for value in values
                ]
        return Captured(np.array([row["known_at"] for row in rows], dtype=np.int64), forecasts)


def history_of(forecasts: replays.Forecasts) -> str:
    """What a user can do about it."""
    return {
        "live": "a refresh each half-hour keeps them, and two days later they can be replayed",
        "archive": "python -m pipelines.carbon_intensity.archive FOLDER imports what others have captured, a backfill what came",
        "simulated": "a backfill of carbon_intensity brings what came, and real captures are needed to measure errors by",
    }[forecasts]


def real(read: Read, forecasts: replays.Forecasts) -> Regions:
    """Regions by real forecasts of one kind, read with bands that their own past errors gave."""
    read.within(replays.SPAN, forecasts, forecasts == "archive")
    since = read.since - timedelta(days=HISTORY_DAYS + 1)
    begins, half_hours = _spine(since, read.until + AHEAD)
    captured = {
        region_id: one
        for region_id in read.regions
        if len((one := read.captured(region_id, since, is_archive=forecasts == "archive")).known_at)
    }
    return _banded(
        read, captured, lambda region_id: read.series(replays.OUTCOMES, begins, half_hours, region_id=region_id), begins
    )


def made(read: Read) -> Regions:
    """Regions by what came and simulated errors, which follow those of all real captures of the region, whoever made them."""
    read.within(replays.MEASURED, "simulated")
    begins, half_hours = _spine(read.since - timedelta(days=HISTORY_DAYS + 1), read.until + AHEAD)
    outcomes: dict[int, Numbers] = {}
    captured: dict[int, Captured] = {}
    for region_id in read.regions:
        outcome = read.series(replays.OUTCOMES, begins, half_hours, region_id=region_id)
        if np.isnan(outcome).all():
            continue
        try:
            curve = measured(*_all_captures(read, region_id))
        except ValueError as few:
            if region_id == replays.REGIONS[-1] and not captured:
                raise UsageError(f"errors cannot be simulated: {few}; {history_of('simulated')}") from None
            continue
        outcomes[region_id], captured[region_id] = outcome, simulate(outcome, begins, curve, SEED + region_id)
    found = _banded(read, captured, outcomes.__getitem__, begins)
    return {
        region_id: (region, best_reading(region.captured, region.outcome, begins).forecasts)
        for region_id, (region, _) in found.items()
    }


def _all_captures(read: Read, region_id: int) -> tuple[Captured, Numbers, int]:
    """All real captures of a region, one in each half-hour, with what came."""
    everything = Read(
        read.connection, None, None, (region_id,), datetime(2017, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    )
    both = [everything.captured(region_id, everything.since, is_archive=is_archive) for is_archive in (False, True)]
    known_at = np.concatenate([one.known_at for one in both])
    _, kept = np.unique(known_at // HALF_HOUR_SECONDS, return_index=True)
    captured = Captured(known_at[kept], np.concatenate([one.forecasts for one in both])[kept])
    if not len(kept):
        return captured, np.array([]), 0
    begins, ends = int(captured.at[0]), int(captured.at[-1]) + HALF_HOURS + 1
    return captured, everything.series(replays.OUTCOMES, begins, ends - begins, region_id=region_id), begins


def _banded(read: Read, captured: dict[int, Captured], outcome_of: Callable[[int], Numbers], begins: int) -> Regions:
    outcomes = {region_id: outcome_of(region_id) for region_id in captured}
    if not captured:
        return {}
    first_day = int(read.since.timestamp()) // 86_400
    days = int((read.until + AHEAD).timestamp()) // 86_400 - first_day + 1
    found = bands(list(captured.values()), list(outcomes.values()), begins, first_day, days)
    price = read.series(replays.PRICES, begins, len(next(iter(outcomes.values()))))
    regions: Regions = {}
    for number, (region_id, one) in enumerate(captured.items()):
        _, p50, p90 = found.apply(number, one.known_at, one.at, one.forecasts)
        regions[region_id] = Region(one, p50, p90, begins, outcomes[region_id], price), None
    return regions


def _spine(since: datetime, until: datetime) -> tuple[int, int]:
    begins = int(since.timestamp()) // HALF_HOUR_SECONDS - PAST
    return begins, int(until.timestamp()) // HALF_HOUR_SECONDS + PER_DAY - begins


def _instant(half_hour: int) -> datetime:
    return datetime.fromtimestamp(half_hour * HALF_HOUR_SECONDS, UTC)
