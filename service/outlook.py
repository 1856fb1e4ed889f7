"""What is known of the grid at one instant, as arrays on the half-hour spine: intensity by region, price, compute windows."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service import ages, prices
from service.tenancy import Connection, Pool, connected

HALF_HOUR = 1800
REGIONS = range(1, 15)
HORIZON = timedelta(hours=48)

HALF_HOUR_MICROSECONDS = HALF_HOUR * 1_000_000

Numbers = NDArray[np.float64]
Microseconds = NDArray[np.int64]

_INTENSITY = """
select region_id, extract(epoch from period_start)::bigint as starts, forecast_gco2_kwh, is_synthetic, forecast_known_at
from carbon_intensity_as_of(%s, null)
where region_id between 1 and 14
"""
_PRICE = """
select extract(epoch from period_start)::bigint as starts, price_gbp_mwh, is_synthetic, fetched_at
from wholesale_prices
where market = 'n2ex_day_ahead' and period_start > %(known_at)s - interval '22 days'
    and period_start < %(known_at)s + interval '7 days' and updated_at <= %(known_at)s
"""
_WINDOWS = """
select
    window_id, name, region_id, starts_at_time, ends_at_time, crosses_midnight, valid_from, valid_until,
    available_capacity_mw, price, currency, price_unit, is_synthetic
from latest_compute_windows
where region_id between 1 and 14 and available_capacity_mw > 0 and not is_expired
order by window_id
"""
# The newest real forecast where no coming half-hour has one: how long the upstream has been silent.
_LAST_REAL = """
select max(last.fetched_at) as fetched_at
from generate_series(1, 14) as region (region_id)
cross join lateral (
    select intensity.fetched_at
    from carbon_intensity_regional as intensity
    where intensity.region_id = region.region_id and not intensity.is_synthetic
        and intensity.forecast_gco2_kwh is not null and intensity.fetched_at <= %s
    order by intensity.period_start desc
    limit 1
) as last
"""
_NAMES = "select region_id, name from regions"
_ZONES = "select zone_id, region_id from grid_zones where region_id between 1 and 14"


@dataclass(frozen=True)
class Window:
    """A Beckn compute window: daily between two times of day, UTC."""

    window_id: str
    name: str
    region_id: int
    opens: time
    closes: time
    crosses_midnight: bool
    valid_from: datetime | None
    valid_until: datetime | None
    capacity_kw: float
    price_gbp_mwh: float | None


@dataclass(frozen=True)
class Series:
    """Values on the spine, shape (rows, half-hours), NaN where unknown; means over any stretch in constant time."""

    values: Numbers

    def __post_init__(self) -> None:
        zero = np.zeros((self.values.shape[0], 1))
        known = np.nan_to_num(self.values)
        object.__setattr__(self, "_sums", np.concatenate([zero, np.cumsum(known, axis=1)], axis=1))
        object.__setattr__(self, "_gaps", np.concatenate([zero, np.cumsum(np.isnan(self.values), axis=1)], axis=1))

    def means(self, starts: Numbers, length: float) -> Numbers:
        """Mean from each start (in half-hours of the spine) over a length; NaN where any of it is unknown.

        Positions are taken to the microsecond, and means to nine decimals: equal values have an equal mean.
        """
        begins, ends = in_microseconds(starts), in_microseconds(starts) + in_microseconds(np.array(length))
        half_hours = self.values.shape[1]
        inside = (begins >= 0) & (ends <= half_hours * HALF_HOUR_MICROSECONDS)
        first = np.clip(begins // HALF_HOUR_MICROSECONDS, 0, half_hours)
        past = np.clip(-(-ends // HALF_HOUR_MICROSECONDS), 0, half_hours)
        sums: Numbers = self._sums  # type: ignore[attr-defined]
        gaps: Numbers = self._gaps  # type: ignore[attr-defined]
        integral = self._at(sums, ends) - self._at(sums, begins)
        whole = inside & (gaps[:, past] - gaps[:, first] == 0)
        means: Numbers = np.where(whole, np.round(integral / length, 9), np.nan)
        return means

    @staticmethod
    def _at(sums: Numbers, instants: Microseconds) -> Numbers:
        last = sums.shape[1] - 1
        below = np.clip(instants // HALF_HOUR_MICROSECONDS, 0, last)
        part = np.clip(instants / HALF_HOUR_MICROSECONDS - below, 0, 1)
        between: Numbers = sums[:, below] * (1 - part) + sums[:, np.clip(below + 1, 0, last)] * part
        return between


def in_microseconds(half_hours: Numbers) -> Microseconds:
    """Half-hours as whole microseconds, in which instants can be compared."""
    return np.rint(half_hours * HALF_HOUR_MICROSECONDS).astype(np.int64)


@dataclass(frozen=True)
class Outlook:
    """The grid as it was known at `known_at`; the spine begins with the half-hour that holds that instant."""

    known_at: datetime
    first: int
    """Start of the spine, seconds since 1970"""
    intensity: Series
    synthetic: Series
    """1 where the intensity is synthetic"""
    price: Series
    windows: tuple[Window, ...]
    zones: dict[str, int]
    """zone -> region"""
    fetched_at: datetime | None
    """When the newest real forecast was fetched"""
    synthetic_share: float | None
    synthetic_fetched_at: datetime | None = None
    """When the newest synthetic value was made"""
    region_names: dict[int, str] = field(default_factory=dict)
    guess: Series | None = None
    """Two rows: prices with estimates where the auction has none yet (`service.prices`), and the error of each"""

    @property
    def half_hours(self) -> int:
        """Length of the spine."""
        return int(self.intensity.values.shape[1])

    def position(self, instant: datetime) -> float:
        """An instant in half-hours of the spine."""
        return (instant - self.begins) / timedelta(seconds=HALF_HOUR)

    @property
    def begins(self) -> datetime:
        """Start of the spine."""
        return datetime.fromtimestamp(self.first, UTC)

    def instant(self, half_hours: float) -> datetime:
        """A position of the spine as an instant, to the microsecond."""
        return self.begins + timedelta(microseconds=int(in_microseconds(np.array(half_hours))))

    def unknown_price(self, starts_at: datetime, length: timedelta) -> dict[str, Any]:
        """Why a run has no price, and an estimate with its mean absolute error, both GBP/MWh; None where nothing is known."""
        at, half_hours = np.array([self.position(starts_at)]), length / timedelta(seconds=HALF_HOUR)
        known = np.flatnonzero(~np.isnan(self.price.values[0]))
        if not len(known):
            because = "no day-ahead price is known of any half-hour from now on"
        else:
            until = self.instant(float(known[-1]) + 1)
            because = (
                f"the day-ahead auction's prices end at {until:%Y-%m-%d %H:%M}Z, before this run does"
                if starts_at + length > until
                else "a half-hour of this run has no day-ahead price"
            )
        estimate, error = (None, None)
        if self.guess is not None:
            estimate, error = (
                None if np.isnan(mean) else float(mean) for mean in self.guess.means(at, half_hours)[:, 0]
            )
        return {"because": because, "estimate_gbp_mwh": estimate, "error_gbp_mwh": None if estimate is None else error}

    def age(self, now: datetime) -> dict[str, Any]:
        """How old the data is and how much of it is synthetic, in seconds and in words."""
        described = ages.describe(
            now,
            real=self.fetched_at,
            synthetic=self.synthetic_fetched_at,
            synthetic_share=self.synthetic_share,
        )
        return {"known_at": self.known_at, **described}


async def read(connection: Connection, known_at: datetime | None = None) -> Outlook:
    """The outlook of an instant, from the vintages; now, if none is given."""
    if known_at is None:
        row = await (await connection.execute("select clock_timestamp() as instant")).fetchone()
        known_at = row["instant"] if row else datetime.now(UTC)
    intensities = await (await connection.execute(_INTENSITY, [known_at])).fetchall()
    priced = await (await connection.execute(_PRICE, {"known_at": known_at})).fetchall()
    windows = await (await connection.execute(_WINDOWS)).fetchall()
    names = await (await connection.execute(_NAMES)).fetchall()
    zones = await (await connection.execute(_ZONES)).fetchall()

    real = max((row["forecast_known_at"] for row in intensities if not row["is_synthetic"]), default=None)
    if real is None:
        last = await (await connection.execute(_LAST_REAL, [known_at])).fetchone()
        real = last["fetched_at"] if last else None

    first = int(known_at.timestamp()) // HALF_HOUR * HALF_HOUR
    final = max((row["starts"] for row in intensities), default=first - HALF_HOUR)
    length = max(0, (final - first) // HALF_HOUR + 1)
    intensity, synthetic = np.full((14, length), np.nan), np.full((14, length), np.nan)
    for row in intensities:
        at = (row["starts"] - first) // HALF_HOUR
        if 0 <= at < length:
            intensity[row["region_id"] - 1, at] = row["forecast_gco2_kwh"]
            synthetic[row["region_id"] - 1, at] = row["is_synthetic"]
    by_start = {row["starts"]: row["price_gbp_mwh"] for row in priced if row["price_gbp_mwh"] is not None}
    real_prices = {
        row["starts"]: row["price_gbp_mwh"] for row in priced if row["starts"] in by_start and not row["is_synthetic"]
    }
    price = np.array([[by_start.get(first + at * HALF_HOUR, np.nan) for at in range(length)]], dtype=float)
    guessed = prices.guess(by_start, real_prices, first, length)
    known = ~np.isnan(synthetic)
    return Outlook(
        known_at=known_at,
        first=first,
        intensity=Series(intensity),
        synthetic=Series(synthetic),
        price=Series(price),
        windows=tuple(_window(row) for row in windows),
        zones={row["zone_id"]: row["region_id"] for row in zones},
        fetched_at=real,
        synthetic_share=float(synthetic[known].mean()) if known.any() else None,
        synthetic_fetched_at=max(
            (row["forecast_known_at"] for row in intensities if row["is_synthetic"]), default=None
        ),
        region_names={row["region_id"]: row["name"] for row in names},
        guess=Series(np.array([guessed.values, guessed.errors])),
    )


def _window(row: dict[str, Any]) -> Window:
    unit = (row["price_unit"] or "").lower().replace("_", " ")
    is_per_kwh = row["currency"] == "GBP" and unit in ("kwh", "per kwh")
    return Window(
        window_id=row["window_id"],
        name=row["name"] or row["window_id"],
        region_id=row["region_id"],
        opens=row["starts_at_time"],
        closes=row["ends_at_time"],
        crosses_midnight=row["crosses_midnight"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        capacity_kw=float(row["available_capacity_mw"]) * 1000,
        price_gbp_mwh=float(row["price"]) * 1000 if is_per_kwh and row["price"] is not None else None,
    )


class Outlooks:
    """The present outlook, read again when it is older than so many seconds."""

    def __init__(self, connections: Pool, seconds: float):
        self._pool, self._seconds = connections, seconds
        self._kept: Outlook | None = None
        self._reading: asyncio.Task[Outlook] | None = None

    async def now(self, within: float | None = None) -> Outlook:
        """The outlook of this moment. Raises TimeoutError after `within` seconds; what it waited for goes on for the others."""
        if self._kept and self._is_fresh(self._kept):
            return self._kept
        if self._reading is None or self._reading.done():  # one reads, the others wait for what it reads
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        async with asyncio.timeout(within):
            return await asyncio.shield(self._reading)

    async def _read(self) -> Outlook:
        async with connected(self._pool) as connection:
            self._kept = await read(connection)
        return self._kept

    async def __aenter__(self) -> "Outlooks":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def _is_fresh(self, outlook: Outlook) -> bool:
        instant = datetime.now(UTC)
        return (instant - outlook.known_at).total_seconds() < self._seconds and outlook.position(instant) < 1
