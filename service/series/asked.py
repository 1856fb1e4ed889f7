"""What a request asks of a series: understood, with defaults filled in, or refused with the reason."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.problems import Problem
from service.series.catalogue import KEY_TYPES, SERIES, Resolution, Series
from warehouse.periods import HALF_HOUR, floor

BACK = timedelta(hours=48)
"""Where a request begins that does not say"""
FURTHEST = timedelta(days=3)
"""No forecast that is captured reaches further"""
MOST_PROBED = 1_200_000
"""Half-hours x regions of a request with `horizon`: each of them is looked up in the captures"""
STEPS: dict[Resolution, timedelta] = {"half-hour": HALF_HOUR, "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class Asked:
    """A request for rows of one series; instants are UTC."""

    series: Series
    start: datetime | None
    """start of the first period; None for a series without periods"""
    end: datetime | None
    """periods start before it; None is no end"""
    region_ids: tuple[int, ...] | None = None
    as_of: datetime | None = None
    horizon: timedelta | None = None
    resolution: Resolution = "half-hour"
    after: tuple[Any, ...] | None = None
    """period start (if there are periods) and keys of the last row of the page before"""
    limit: int = 1000

    @property
    def uses_captures(self) -> bool:
        """Whether it asks for forecasts as they were known, not for the newest."""
        return self.as_of is not None or self.horizon is not None

    def one_more(self) -> "Asked":
        """With one row more, which tells whether there is a next page."""
        return replace(self, limit=self.limit + 1)


def series_of(name: str) -> Series:
    """A series by its name. Raises Problem 404."""
    if name not in SERIES:
        raise Problem(404, f"there is no series of this name; there are: {', '.join(SERIES)}")
    return SERIES[name]


def understand(
    series: Series,
    *,
    now: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
    region_ids: Sequence[int] | None = None,
    as_of: datetime | None = None,
    horizon: timedelta | None = None,
    resolution: Resolution = "half-hour",
    cursor: str | None = None,
    limit: int = 1000,
) -> Asked:
    """What is asked, with defaults filled in. Raises Problem 422 where that cannot be asked of this series."""
    if region_ids and not series.has_regions:
        raise Problem(422, f"query.region_id: {series.name} is not of a region; leave places out")
    if not series.has_periods and (start or end):
        raise Problem(422, f"query.from: {series.name} has no periods; leave from and to out")
    if resolution != "half-hour" and resolution not in series.resolutions:
        raise Problem(422, f"query.resolution: {series.name} is kept as it is; leave resolution out")
    if as_of is not None or horizon is not None:
        _check_captures(series, as_of, horizon, resolution)
    if series.has_periods:
        start = start or (floor(as_of) if as_of else floor((end or now) - BACK))
        if as_of is not None and start < floor(as_of):
            raise Problem(
                422,
                "query.from: it is before as_of, and a forecast as of an instant is of the half-hours from then on; "
                "leave from out, or ask with horizon",
            )
        if end is not None and end <= start:
            raise Problem(422, "query.to: it must be after from")
    if horizon is not None and start is not None:
        end = min(end or now + horizon, now + horizon + HALF_HOUR)
        probed = (end - start) / HALF_HOUR * (len(region_ids) if region_ids else 18)
        if probed > MOST_PROBED:
            raise Problem(
                422, "query.from: with horizon this is too long a time; ask for less at a time, or for fewer regions"
            )
    after = None if cursor is None else _read(cursor, series)
    regions = tuple(region_ids) if region_ids else None
    return Asked(series, start, end, regions, as_of, horizon, resolution, after, limit)


def _check_captures(series: Series, as_of: datetime | None, horizon: timedelta | None, resolution: Resolution) -> None:
    parameter = "as_of" if horizon is None else "horizon"
    if as_of is not None and horizon is not None:
        raise Problem(422, "query.horizon: as_of and horizon exclude each other; give one")

    def takes(one: Series) -> bool:
        return one.takes_as_of if horizon is None else one.takes_horizon

    if not takes(series):
        captured = ", ".join(one.name for one in SERIES.values() if takes(one))
        raise Problem(422, f"query.{parameter}: what was known of {series.name} is not served so; it is of {captured}")
    if resolution != "half-hour":
        raise Problem(422, f"query.resolution: with {parameter} rows are half-hours; leave resolution out")


def cursor_after(row: Sequence[Any]) -> str:
    """The cursor of the page after a row, of which `row` is the period start (if there are periods) and the keys."""
    values = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in row]
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(cursor: str, series: Series) -> tuple[Any, ...]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != series.has_periods + len(series.keys):
            raise ValueError("not of this series")
        if series.has_periods:
            values[0] = datetime.fromisoformat(values[0])
            if values[0].tzinfo is None:
                raise ValueError("no time zone")
        for key, value in zip(series.keys, values[series.has_periods :], strict=True):
            if type(value) is not KEY_TYPES.get(key, str) or (isinstance(value, str) and "\0" in value):
                raise ValueError("not a key")
        return tuple(values)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        raise Problem(
            422, "query.cursor: is not a cursor of this series; take `next_cursor` of the page before"
        ) from None
