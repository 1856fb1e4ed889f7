"""Where a workload can run: assets of its operator, or else regions and Beckn compute windows; and what is taken of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any, overload
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from placement.outlook import REGIONS, Outlook, Window
from placement.spine import Mask, Numbers, in_microseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1) // timedelta(microseconds=1)


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

    def is_open(self, starts: Numbers, length: float, outlook: Outlook) -> Mask:
        """Whether it is open for all of a run, by the start of the run in half-hours of the spine."""
        if self.window is None:
            return np.ones(starts.shape, dtype=bool)
        return _holds(self.window, outlook, starts, length)


class Venues(Sequence[Venue]):
    """Venues with their figures as arrays, each computed once."""

    def __init__(self, venues: Iterable[Venue]):
        self._venues = tuple(venues)

    @classmethod
    def of(cls, venues: Sequence[Venue]) -> "Venues":
        """The same venues; nothing is computed again if they are such already."""
        return venues if isinstance(venues, cls) else cls(venues)

    @overload
    def __getitem__(self, at: int) -> Venue: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Venue]: ...
    def __getitem__(self, at: int | slice) -> Venue | Sequence[Venue]:
        return self._venues[at]

    def __len__(self) -> int:
        return len(self._venues)

    def __iter__(self) -> Iterator[Venue]:
        return iter(self._venues)

    @cached_property
    def regions(self) -> NDArray[np.int64]:
        """Region of each."""
        return np.array([venue.region_id for venue in self._venues], dtype=np.int64)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Row of each in arrays by region."""
        rows: NDArray[np.int64] = self.regions - 1
        return rows

    @cached_property
    def in_region(self) -> dict[int, list[int]]:
        """Rows of the venues of each region."""
        found: dict[int, list[int]] = {}
        for row, venue in enumerate(self._venues):
            found.setdefault(venue.region_id, []).append(row)
        return found

    def at_each(self, by_region: Numbers) -> Numbers:
        """An array with a row for each region as one with a row for each venue; the same array if that is no other."""
        found: Numbers = by_region if self._are_the_regions else by_region.take(self.rows, axis=0)
        return found

    @cached_property
    def _are_the_regions(self) -> bool:
        return [venue.region_id for venue in self._venues] == list(REGIONS)

    @cached_property
    def capacity_kw(self) -> Numbers:
        """Capacity of each."""
        return np.array([venue.capacity_kw for venue in self._venues], dtype=float)

    @cached_property
    def carbon_caps(self) -> Numbers | None:
        """Most mean intensity of a run there; infinite without a cap, None where no venue has one."""
        return _if_any(np.inf, [venue.carbon_cap_gco2_kwh for venue in self._venues])

    @cached_property
    def patience(self) -> Numbers | None:
        """How many microseconds a workload may wait for it; infinite without a limit, None where no venue has one."""
        waits = [None if v.max_deferral is None else v.max_deferral / timedelta(microseconds=1) for v in self._venues]
        return _if_any(np.inf, waits)

    @cached_property
    def own_prices(self) -> Numbers | None:
        """What a venue itself charges, GBP/MWh; NaN where the market's price counts, None where that is so of all."""
        return _if_any(np.nan, [None if v.window is None else v.window.price_gbp_mwh for v in self._venues])

    @cached_property
    def with_hours(self) -> tuple[int, ...]:
        """Those that are not always open."""
        return tuple(row for row, venue in enumerate(self._venues) if venue.window is not None)


def _if_any(otherwise: float, values: Sequence[float | None]) -> Numbers | None:
    if all(value is None for value in values):
        return None
    return np.array([otherwise if value is None else value for value in values], dtype=float)


def _holds(window: Window, outlook: Outlook, starts: Numbers, length: float) -> Mask:
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
    operator_id: UUID, assets: Sequence[Mapping[str, Any]], outlook: Outlook, *, region_capacity_kw: float
) -> Venues:
    """The active assets of an operator (rows of `warehouse.known.ASSETS`); without any, the Beckn windows and the regions."""
    names = outlook.region_names
    if assets:
        return Venues(
            Venue(
                key=f"asset:{asset['asset_id']}",
                name=asset["name"],
                region_id=region_id,
                capacity_kw=float(asset["rated_power_kw"]),
                asset_id=asset["asset_id"],
                region_name=names.get(region_id),
                max_deferral=None
                if asset["max_deferral_minutes"] is None
                else timedelta(minutes=asset["max_deferral_minutes"]),
                carbon_cap_gco2_kwh=None
                if asset["carbon_cap_gco2_kwh"] is None
                else float(asset["carbon_cap_gco2_kwh"]),
            )
            for asset in assets
            if (region_id := asset["region_id"] or outlook.zones.get(asset["zone_id"]))
        )
    windows = [
        Venue(
            key=f"window:{window.window_id}",
            name=window.name,
            region_id=window.region_id,
            capacity_kw=window.capacity_kw,
            window=window,
            region_name=names.get(window.region_id),
        )
        for window in outlook.windows
    ]
    regions = [
        Venue(
            key=f"region:{operator_id}/{region_id}",
            name=names.get(region_id, f"region {region_id}"),
            region_id=region_id,
            capacity_kw=region_capacity_kw,
            region_name=names.get(region_id),
        )
        for region_id in REGIONS
    ]
    return Venues(windows + regions)


@dataclass(frozen=True)
class Taken:
    """How much power is taken of a venue, as steps: from `instants[i]` (seconds since 1970) on it is `power_kw[i]`."""

    instants: Numbers
    power_kw: Numbers

    @cached_property
    def most_kw(self) -> float:
        """The most that is ever taken."""
        return float(self.power_kw.max(initial=0.0))

    @cached_property
    def _in_microseconds(self) -> Numbers:
        # to the microsecond: a booking that ends as a run begins takes nothing of it
        return np.round(self.instants, 6)

    @cached_property
    def _steps(self) -> Numbers:
        return np.concatenate([[0.0], self.power_kw, [0.0]])

    def peaks(self, starts: Numbers, seconds: float) -> Numbers:
        """The most that is taken at any moment of a run, by its start in seconds since 1970."""
        starts, instants = np.round(starts, 6), self._in_microseconds
        # the step before it holds at the start; none: nothing is taken
        first = np.searchsorted(instants, starts, side="right")
        past = np.searchsorted(instants, np.round(starts + seconds, 6), side="left") + 1
        bounds = np.empty(2 * len(first), dtype=np.int64)
        bounds[::2], bounds[1::2] = first, np.maximum(past, first + 1)
        most: Numbers = np.maximum.reduceat(self._steps, bounds)[::2]
        return np.maximum(most, 0.0)

    def plus(self, begins: datetime, ends: datetime, kw: float) -> "Taken":
        """With one booking more."""
        instants, power_kw = self._with_step_at(begins, self._in_microseconds, self.power_kw)
        instants, power_kw = self._with_step_at(ends, instants, power_kw)
        first, past = np.searchsorted(instants, [round(instant.timestamp(), 6) for instant in (begins, ends)])
        power_kw = power_kw.copy()
        power_kw[first:past] += kw
        return Taken(instants, power_kw)

    @staticmethod
    def _with_step_at(instant: datetime, instants: Numbers, power_kw: Numbers) -> tuple[Numbers, Numbers]:
        """The same steps, one of which begins at an instant."""
        begins = round(instant.timestamp(), 6)
        at = int(np.searchsorted(instants, begins))
        if at < len(instants) and instants[at] == begins:
            return instants, power_kw
        before = power_kw[at - 1] if at else 0.0
        return (
            np.concatenate([instants[:at], [begins], instants[at:]]),
            np.concatenate([power_kw[:at], [before], power_kw[at:]]),
        )


NOTHING_TAKEN = Taken(np.array([]), np.array([]))


def taken_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Taken]:
    """What is taken of venues, by their key; from rows of `warehouse.known.TAKEN`."""
    steps: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        steps.setdefault(row["venue"], []).append((row["instant"], row["change_kw"]))
    return {
        key: Taken(np.array([s[0] for s in changes]), np.cumsum([s[1] for s in changes]))
        for key, changes in steps.items()
    }
