"""Values for any half-hour: hashes of it, so that every process gives the same ones.

They resemble the upstream's in shape and range alone: demand of 18 to 45 GW with the daily, weekly and yearly cycle,
prices that follow it, fall below zero on windy days and rise to several hundred on tight ones.
"""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from math import cos, pi

from tests.emulator.elexon.settlement import LONDON

MISSING_PRICES = frozenset(
    datetime.fromisoformat(f"{text}:00+00:00")
    for text in (
        "2023-05-26T11:30", "2023-06-07T17:30", "2023-07-31T02:30", "2023-11-11T07:30", "2023-12-12T19:00",
        "2024-04-13T07:00",
    )
)  # fmt: skip
UNTRADED = frozenset((datetime(2026, 5, 9, 10, 0, tzinfo=UTC), datetime(2026, 5, 9, 10, 30, tzinfo=UTC)))
NOTHING = (Decimal("0.00"), Decimal("0.000"))
_DEMAND = (78, 76, 75, 74, 75, 79, 88, 98, 104, 105, 104, 104, 103, 102, 101, 103, 109, 119, 122, 117, 110, 103, 93, 84)
_PRICE = (80, 76, 74, 72, 74, 82, 98, 112, 110, 98, 90, 84, 80, 78, 82, 92, 112, 138, 142, 128, 112, 102, 94, 86)


def noise(*parts: object) -> float:
    """A number in [-1, 1) that belongs to these."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**31 - 1


@lru_cache(maxsize=100_000)
def demand(start: datetime) -> tuple[int, int]:
    """(national demand, transmission system demand), MW."""
    local = start.astimezone(LONDON)
    day = local.date()
    level = 27_300 + 4_600 * winter(day) + 1_100 * noise("demand", day) - (1_500 if day.weekday() > 4 else 0)
    national = level * _shape(_DEMAND, local) + 350 * noise("demand", start)
    capped = round(min(45_000, max(18_000, national)))
    more = 1_500 + 900 * noise("stations", day) + 500 * noise("stations", start)
    return capped, capped + round(min(3_000, max(500, more)))


@lru_cache(maxsize=100_000)
def market_index(start: datetime) -> tuple[Decimal, Decimal]:
    """(GBP/MWh, MWh) of APXMIDP; nothing of either where nobody traded."""
    if start in UNTRADED or noise("untraded", start) > 0.999:
        return NOTHING
    local = start.astimezone(LONDON)
    day = local.date()
    windy, tight = noise("windy", day), noise("tight", day)
    level = 78 + 14 * winter(day) + 34 * noise("price", day) - (110 * (windy - 0.8) / 0.2 if windy > 0.8 else 0)
    price = level * _shape(_PRICE, local) if level > 0 else level * 0.8
    if tight > 0.93 and 16 <= local.hour < 20:
        price += 3_000 * (tight - 0.93) + 40
    price = min(400.0, max(-60.0, price + 7 * noise("price", start)))
    volume = 1_500 + 900 * noise("volume", start)
    return Decimal(round(price * 100)).scaleb(-2), Decimal(round(volume * 20) * 50).scaleb(-3)


def imbalance(start: datetime, run: str) -> tuple[float, float]:
    """(GBP/MWh, MWh) of the last settlement run, or a little off in another: positive when the system is short."""
    volume = 420 * noise("imbalance", start)
    price = float(market_index(start)[0] or 60) + 0.09 * volume + 6 * noise("system price", start)
    if run:
        volume += 6 * noise("imbalance", start, run)
        price += 2.5 * noise("revised by", start, run) if noise("revised", start, run) > 0.6 else 0
    return round(price, 2), round(volume, 5)


def winter(day: date) -> float:
    """1 in the middle of January, -1 in the middle of July."""
    return cos(2 * pi * (day.timetuple().tm_yday - 15) / 365.25)


def _shape(hours: tuple[int, ...], local: datetime) -> float:
    hour, following = hours[local.hour], hours[(local.hour + 1) % 24]
    return (hour + (following - hour) * local.minute / 60) / 100
