"""Where a workload can run: assets of its operator, or else regions and Beckn compute windows; and what is taken of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from service.outlook import REGIONS, Numbers, Outlook, Window, in_microseconds
from service.tenancy import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1) // timedelta(microseconds=1)
ASSETS = """
select asset_id, name, region_id, zone_id, rated_power_kw, max_deferral_minutes, carbon_cap_gco2_kwh
from app.compute_assets
where operator_id = %s and is_active
order by asset_id
"""


@dataclass(frozen=True)
class Venue:
    """A place with a capacity. `key` names it in bookings."""

    key: str
    name: str
    region_id: int
    capacity_kw: float
    asset_id: UUID | None = None
    window: Window | None = None
    max_deferral: timedelta | None = None
    carbon_cap_gco2_kwh: float | None = None
    region_name: str | None = None

    def is_open(self, starts: Numbers, length: float, outlook: Outlook) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether it is open for all of a run, by the start of the run in half-hours of the spine."""
        if self.window is None:
            return np.ones(starts.shape, dtype=bool)
        return _holds(self.window, outlook, starts, length)


def _holds(window: Window, outlook: Outlook, starts: Numbers, length: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether a daily window is open and valid throughout; all of it in whole microseconds since 1970, UTC."""
    begins = outlook.first * 1_000_000 + in_microseconds(starts)
    ends = begins + in_microseconds(np.array(length))
    valid = np.ones(starts.shape, dtype=bool)
    if window.valid_from:
        valid &= begins >= _microseconds(window.valid_from - EPOCH)
    if window.valid_until:
        valid &= ends <= _microseconds(window.valid_until - EPOCH)
    if window.opens == window.closes:  # it opens as it closes: round the clock
        return valid
    opens, closes = (_microseconds(_since_midnight(clock)) for clock in (window.opens, window.closes))
    midnight = begins - begins % DAY
    held = [
        (day + opens <= begins) & (ends <= day + window.crosses_midnight * DAY + closes)
        for day in (midnight - DAY, midnight)
    ]
    return valid & (held[0] | held[1])


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)


def of_operator(
    operator_id: UUID, assets: Sequence[dict[str, Any]], outlook: Outlook, *, region_capacity_kw: float
) -> list[Venue]:
    """The active assets of an operator; where it has none, the regions and the Beckn windows in them."""
    if assets:
        return [
            Venue(
                key=f"asset:{asset['asset_id']}",
                name=asset["name"],
                region_id=region_id,
                capacity_kw=float(asset["rated_power_kw"]),
                asset_id=asset["asset_id"],
                region_name=outlook.region_names.get(region_id),
                max_deferral=None
                if asset["max_deferral_minutes"] is None
                else timedelta(minutes=asset["max_deferral_minutes"]),
                carbon_cap_gco2_kwh=None
                if asset["carbon_cap_gco2_kwh"] is None
                else float(asset["carbon_cap_gco2_kwh"]),
            )
            for asset in assets
            if (region_id := asset["region_id"] or outlook.zones.get(asset["zone_id"]))
        ]
    windows = [
        Venue(
            key=f"window:{window.window_id}",
            name=window.name,
            region_id=window.region_id,
            capacity_kw=window.capacity_kw,
            window=window,
            region_name=outlook.region_names.get(window.region_id),
        )
        for window in outlook.windows
    ]
    regions = [
        Venue(
            key=f"region:{operator_id}/{region_id}",
            name=outlook.region_names.get(region_id, f"region {region_id}"),
            region_id=region_id,
            capacity_kw=region_capacity_kw,
            region_name=outlook.region_names.get(region_id),
        )
        for region_id in REGIONS
    ]
    return windows + regions


@dataclass(frozen=True)
class Taken:
    """How much power is taken of a venue, as steps: from `instants[i]` on it is `power_kw[i]`."""

    instants: Numbers
    power_kw: Numbers

    def peaks(self, starts: Numbers, seconds: float) -> Numbers:
        """The most that is taken at any moment of a run, by its start in seconds since 1970."""
        # to the microsecond: a booking that ends as a run begins takes nothing of it
        starts, instants = np.round(starts, 6), np.round(self.instants, 6)
        ends = np.round(starts + seconds, 6)
        before = np.searchsorted(instants, starts, side="right") - 1
        at_start = np.where(before >= 0, self.power_kw[np.clip(before, 0, None)], 0.0)
        inside = (instants > starts[:, None]) & (instants < ends[:, None])
        most: Numbers = np.maximum(at_start, np.where(inside, self.power_kw, 0.0).max(axis=1, initial=0.0))
        return most


async def taken(
    connection: Connection, venues: Sequence[Venue], start: datetime, end: datetime, known_at: datetime | None = None
) -> dict[str, Taken]:
    """What is taken of these venues between two instants, by their key."""
    cursor = await connection.execute(
        "select venue, extract(epoch from instant)::float8 as instant, change_kw::float8 as change_kw "
        "from app.capacity_taken(%s, %s, %s, coalesce(%s, 'infinity'::timestamptz))",
        [[venue.key for venue in venues], start, end, known_at],
    )
    steps: dict[str, list[tuple[float, float]]] = {}
    for row in await cursor.fetchall():
        steps.setdefault(row["venue"], []).append((row["instant"], row["change_kw"]))
    return {
        key: Taken(np.array([s[0] for s in changes]), np.cumsum([s[1] for s in changes]))
        for key, changes in steps.items()
    }
