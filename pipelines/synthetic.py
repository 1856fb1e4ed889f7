"""What synthetic bodies are made of: a noise that is a hash, and curves that are the same for ever, on every machine.

The values are plausible, not predictive: a daily and a yearly cycle. Every body lands with `origin = 'synthetic'`.
"""

import hashlib
import math
from datetime import datetime

from warehouse.periods import LONDON, iso

FULL_LIGHT = 4
"""The sun gives all that the curve of the day lets it give from a height on whose sine is a quarter: 15 degrees."""
MIDDLE_LATITUDE, MIDDLE_LONGITUDE = 54.0, -2.5


def noise(what: str, number: int, instant: datetime) -> float:
    """0..1, the same for ever for the same words."""
    digest = hashlib.blake2b(f"{what}|{number}|{iso(instant)}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 0xFFFFFFFF


def winter(instant: datetime) -> float:
    """1 in the middle of January, -1 in the middle of July."""
    return math.cos(2 * math.pi * (instant.timetuple().tm_yday - 15) / 365.25)


def daylight(instant: datetime) -> float:
    """0 while the sun is down, 1 at the brightest hour; little while the sun is low, as the rule for real mixes wants it."""
    hour = instant.hour + instant.minute / 60
    curve = max(0.0, math.cos(math.pi * (hour - 12.5) / (13 - 4 * winter(instant))))
    return min(curve, FULL_LIGHT * max(0.0, _sine_of_the_sun(instant)))


def _sine_of_the_sun(instant: datetime) -> float:
    """The sine of the sun's height over the middle of Great Britain, good to three degrees."""
    declination = -math.radians(23.44) * math.cos(2 * math.pi * (instant.timetuple().tm_yday + 10) / 365.25)
    hours_from_noon = instant.hour + instant.minute / 60 + MIDDLE_LONGITUDE / 15 - 12
    turn = math.radians(15 * hours_from_noon)
    latitude = math.radians(MIDDLE_LATITUDE)
    return math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(turn)


def national_demand_mw(start: datetime) -> int:
    """National demand of a half-hour, MW: 20 to 42 GW, low at night, highest on winter evenings."""
    local = start.astimezone(LONDON)
    hour = local.hour + local.minute / 60
    day = math.sin(math.pi * min(1.0, max(0.0, hour - 5) / 18))
    evening = math.exp(-((hour - 17.75) ** 2) / 5)
    weekend = 0.93 if local.weekday() >= 5 else 1.0
    megawatts = 22_500 + 7_000 * day + 4_500 * evening + 4_000 * winter(start) * (0.5 + day / 2)
    return round(megawatts * weekend + 600 * (noise("demand", 0, start) - 0.5))


def embedded_wind_mw(start: datetime) -> int:
    """Wind generation within the distribution networks, MW: 300 to 4,500."""
    return round(300 + 4_200 * noise("embedded wind", 0, start.replace(hour=start.hour // 6 * 6, minute=0)))


def embedded_solar_mw(start: datetime) -> int:
    """Solar generation within the distribution networks, MW: 0 at night."""
    cloud = 0.35 + 0.65 * noise("cloud", 0, start.replace(minute=0))
    return round(11_000 * daylight(start) * cloud * (1 - 0.6 * max(0.0, winter(start))))


def price_gbp_mwh(start: datetime) -> float:
    """A wholesale price, GBP/MWh: it follows demand less wind and sun; below zero on a windy, sunny noon."""
    residual = national_demand_mw(start) - 2 * embedded_wind_mw(start) - 0.8 * embedded_solar_mw(start)
    return round((residual - 12_000) / 200 + 15 * (noise("price", 0, start) - 0.5), 2)
