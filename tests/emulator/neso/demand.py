"""Demand, embedded generation and flows of any day: a hash of the day, shaped like the real thing."""

import math
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from tests.emulator.neso.table import clock, midnight, noise, periods

LINKS = (
    ("IFA_FLOW", 2000, date(1986, 1, 1)), ("IFA2_FLOW", 990, date(2021, 1, 22)),
    ("BRITNED_FLOW", 1000, date(2011, 4, 1)), ("MOYLE_FLOW", 450, date(2002, 1, 1)),
    ("EAST_WEST_FLOW", 530, date(2012, 8, 1)), ("NEMO_FLOW", 1000, date(2019, 1, 31)),
    ("NSL_FLOW", 1400, date(2021, 10, 1)), ("ELECLINK_FLOW", 1000, date(2022, 5, 25)),
    ("VIKING_FLOW", 1400, date(2023, 12, 29)), ("GREENLINK_FLOW", 510, date(2025, 1, 29)),
)  # fmt: skip
VALUES = (
    "ND", "TSD", "ENGLAND_WALES_DEMAND", "EMBEDDED_WIND_GENERATION", "EMBEDDED_WIND_CAPACITY",
    "EMBEDDED_SOLAR_GENERATION", "EMBEDDED_SOLAR_CAPACITY", "NON_BM_STOR", "PUMP_STORAGE_PUMPING",
    "SCOTTISH_TRANSFER", *(name for name, _, _ in LINKS),
)  # fmt: skip
_SHAPE = ((0, -3000), (8, -4500), (12, -3500), (17, 2500), (24, 2000), (30, 1000), (35, 6000), (40, 4500), (48, -3000))
_LEVELS = ((2001, 11_000), (2008, 10_500), (2014, 5_000), (2020, 400), (2030, 400))
_WIND = ((2007, 900), (2009, 1_403), (2018, 5_900), (2023, 6_500), (2030, 6_600))
LATITUDE, NOON = math.radians(54), 12.13
_SOLAR = ((2010, 0), (2012, 1_500), (2018, 12_900), (2023, 15_900), (2025, 20_100), (2030, 30_000))


def station_load(day: date) -> int:
    """What power stations use themselves, MW: more when the clocks show GMT."""
    return 500 if midnight(day).hour else 600


@lru_cache(maxsize=1_500)
def half_hours(day: date) -> tuple[tuple[int, ...], ...]:
    """One tuple a settlement period, in the order of VALUES: MW, flows positive into Great Britain."""
    count = periods(day)
    bytes_ = noise(f"demand|{day}", count + 16)
    cold = math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365)
    base = 27_200 + 4_200 * cold + _at(_LEVELS, day.year) - (900 if day.weekday() > 4 else 0) + bytes_[-1] * 4
    station = station_load(day)
    wind_capacity, solar_capacity = int(_at(_WIND, _years(day))), int(_at(_SOLAR, _years(day)))
    links = [
        (size, (bytes_[-2 - number] - 100) / 160 if day >= built else 0)
        for number, (_, size, built) in enumerate(LINKS)
    ]
    rows = []
    for period, half_hour in enumerate(clock(day)):
        jitter = bytes_[period]
        peak = 1 + 0.35 * cold if 32 <= half_hour <= 42 else 1
        demand = max(18_020 + jitter, int(base + _at(_SHAPE, half_hour) * peak + (jitter - 128) * 2))
        pumping = 400 + 3 * jitter if half_hour < 12 else jitter // 16
        flows = tuple(_flow(size, share, half_hour, jitter) for size, share in links)
        exports = -sum(flow for flow in flows if flow < 0)
        rows.append(
            (
                demand,
                demand + station + pumping + exports,
                int(demand * (0.89 + jitter / 12_800)),
                int(wind_capacity * (0.08 + bytes_[-3] / 400 + jitter / 2_500)),
                wind_capacity,
                int(solar_capacity * _sun(day, half_hour) * (0.35 + bytes_[-4] / 600)),
                solar_capacity,
                0,
                pumping,
                (bytes_[-5] - 60) * 28 + (jitter - 128) * 3,
                *flows,
            )
        )
    return tuple(rows)


def forecast(day: date, days_ahead: int) -> tuple[int, ...]:
    """National demand of each settlement period as it was forecast this many days before, MW."""
    bytes_ = noise(f"forecast|{day}|{days_ahead}", periods(day) + 1)
    bias = (bytes_[-1] - 128) * (2 + days_ahead // 2)
    return tuple(row[0] + bias + (bytes_[period] - 128) * 2 for period, row in enumerate(half_hours(day)))


def _at(points: tuple[tuple[int, int], ...], where: float) -> float:
    if where <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if where <= x1:
            return y0 + (y1 - y0) * (where - x0) / (x1 - x0)
    return points[-1][1]


def _years(day: date) -> float:
    return day.year + (day.month - 1) / 12


def _flow(size: int, share: float, half_hour: int, jitter: int) -> int:
    if not share:
        return 0
    return max(-size, min(size, int(size * share) + (jitter - 128) + (-200 if 32 <= half_hour <= 40 else 60)))


def _sun(day: date, half_hour: int) -> float:
    """The sine of the sun's height over the middle of Great Britain; 0 while it is down."""
    declination = -math.radians(23.44) * math.cos(2 * math.pi * (day.timetuple().tm_yday + 10) / 365.25)
    is_summer_time = midnight(day + timedelta(days=1)).hour > 0
    turn = math.radians(15 * (half_hour / 2 + 0.25 - is_summer_time - NOON))
    height = math.sin(LATITUDE) * math.sin(declination) + math.cos(LATITUDE) * math.cos(declination) * math.cos(turn)
    return max(0.0, height)
