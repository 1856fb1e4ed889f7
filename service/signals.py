"""Signals for schedulers that read Prometheus: intensity, price, renewable share, and how long until the next clean hours.

Only real values. One that is missing or synthetic is not there, so nobody scales by it, and it is never 0.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import psycopg
import psycopg_pool
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from placement.outlook import REGIONS, Outlook, Run
from placement.spine import HALF_HOUR
from service.tenancy import Pool, connected

HORIZONS = {"now": 0, "1h": 1, "2h": 2, "4h": 4, "8h": 8, "12h": 12, "24h": 24}
"""Label -> hours ahead; the value is that of the half-hour which holds that instant"""
WINDOW_HOURS = (1, 2, 4, 8)
LOOKS_AHEAD_HOURS = 24
"""A clean window begins within this time"""
KEPT_SECONDS = 60
Shares = Mapping[tuple[int, int], float]
"""(region, start of a half-hour in seconds since 1970) -> per cent"""
_RENEWABLE = """
select region_id, extract(epoch from period_start)::bigint as starts, renewable_pct::float8 as renewable_pct
from generation_mix_regional
where region_id between 1 and 14 and period_start = any(%s) and not is_synthetic and renewable_pct is not null
"""


def families(outlook: Outlook, renewable: Shares, now: datetime) -> list[Metric]:
    """The figures of this moment, from an outlook that is kept in memory."""
    return [
        _intensity(outlook, now),
        _price(outlook, now),
        _renewable(renewable, now),
        _windows(outlook, now),
        _names(outlook),
    ]


def _ahead(outlook: Outlook, now: datetime) -> list[tuple[str, int]]:
    """Each horizon with its half-hour of the spine; only those that lie on it."""
    first = math.floor(outlook.position(now))
    found = [(label, first + 2 * hours) for label, hours in HORIZONS.items()]
    return [(label, at) for label, at in found if 0 <= at < outlook.half_hours]


def _intensity(outlook: Outlook, now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "energy_carbon_intensity_gco2_kwh",
        "Forecast of a licence area for the half-hour so far ahead; absent if it is missing or synthetic.",
        labels=["region", "horizon"],
    )
    values = np.where(outlook.synthetic.values == 0, outlook.intensity.values, np.nan)
    for label, at in _ahead(outlook, now):
        for region in REGIONS:
            if not np.isnan(values[region - 1, at]):
                family.add_metric([str(region), label], float(values[region - 1, at]))
    return family


def _price(outlook: Outlook, now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "energy_price_gbp_mwh",
        "Day-ahead price of Great Britain for the half-hour so far ahead; absent if it is missing or synthetic.",
        labels=["horizon"],
    )
    for label, at in _ahead(outlook, now):
        price = np.nan if outlook.real_price is None else outlook.real_price.values[0, at]
        if not np.isnan(price):
            family.add_metric([label], float(price))
    return family


def _renewable(renewable: Shares, now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "energy_renewable_share_pct",
        "Wind, solar and hydro of a licence area in the half-hour so far ahead; absent if it is missing or synthetic.",
        labels=["region", "horizon"],
    )
    for label, starts in _half_hours(now).items():
        for region in REGIONS:
            if (region, starts) in renewable:
                family.add_metric([str(region), label], renewable[region, starts])
    return family


def _half_hours(now: datetime) -> dict[str, int]:
    first = int(now.timestamp()) // HALF_HOUR * HALF_HOUR
    return {label: first + 3600 * hours for label, hours in HORIZONS.items()}


def _windows(outlook: Outlook, now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "energy_next_clean_window_seconds",
        f"Until the cleanest so many hours of the coming {LOOKS_AHEAD_HOURS} begin; 0 in the half-hour in which they do.",
        labels=["region", "hours"],
    )
    first = math.floor(outlook.position(now))
    for hours in WINDOW_HOURS:
        means = outlook.means_of_spine(Run(2.0 * hours))
        starts = slice(max(first, 0), max(first + 2 * LOOKS_AHEAD_HOURS, 0) + 1)
        mean = np.where(means.synthetic[:, starts] == 0, means.intensity[:, starts], np.nan)
        for region in REGIONS:
            if mean.shape[1] and not np.isnan(mean[region - 1]).all():
                begins = outlook.instant(float(starts.start + int(np.nanargmin(mean[region - 1]))))
                family.add_metric([str(region), str(hours)], max(0.0, (begins - now).total_seconds()))
    return family


def _names(outlook: Outlook) -> Metric:
    family = GaugeMetricFamily("energy_region_info", "The name of a licence area; always 1.", labels=["region", "name"])
    for region in REGIONS:
        if region in outlook.region_names:
            family.add_metric([str(region), outlook.region_names[region]], 1)
    return family


class Renewables:
    """Renewable shares of the horizons: a hundred rows, read once a minute however often they are asked for."""

    def __init__(self, connections: Pool):
        self._pool = connections
        self._kept: Shares = {}
        self._read_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def now(self, within: float) -> Shares:
        """The shares of this moment; none if they cannot be read within so many seconds."""
        try:
            async with asyncio.timeout(within), self._lock:
                if not self._is_fresh(datetime.now(UTC)):
                    self._kept, self._read_at = await self._read(), datetime.now(UTC)
        except (psycopg.Error, psycopg_pool.PoolTimeout, TimeoutError):
            return {}
        return self._kept

    def _is_fresh(self, now: datetime) -> bool:
        """Read less than a minute ago, and in this half-hour."""
        if self._read_at is None or not 0 <= (now - self._read_at).total_seconds() < KEPT_SECONDS:
            return False
        return _half_hours(now) == _half_hours(self._read_at)

    async def _read(self) -> Shares:
        instants: Sequence[datetime] = [
            datetime.fromtimestamp(at, UTC) for at in _half_hours(datetime.now(UTC)).values()
        ]
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(_RENEWABLE, [instants])).fetchall()
        return {(row["region_id"], row["starts"]): row["renewable_pct"] for row in rows}
