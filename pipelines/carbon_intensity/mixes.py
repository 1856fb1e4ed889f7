"""Plausible generation mixes, for synthetic bodies.

The values are plausible, not predictive: a daily and a yearly cycle and a noise that is a hash of the half-hour and
the region, so that the same half-hour has the same value for ever, on every machine. Intensity follows from the mix
by the upstream's published factors, so that the two agree.
"""

import math
from datetime import datetime

from pydantic import JsonValue

from pipelines.carbon_intensity.rows import FUELS
from pipelines.synthetic import daylight, noise, winter

GB = 18
# gCO2/kWh of each fuel (the API's /intensity/factors; imports are the mean of its three interconnectors)
FACTORS = {
    "biomass": 120, "coal": 937, "gas": 394, "hydro": 0, "imports": 328, "nuclear": 0, "other": 300, "solar": 0, "wind": 0,
}  # fmt: skip
# Share of wind and of nuclear in a region's generation, roughly north to south, and the names that the API serves.
REGIONS: dict[int, tuple[str, str, float, float]] = {
    1: ("North Scotland", "Scottish Hydro Electric Power Distribution", 0.80, 0.00),
    2: ("South Scotland", "SP Distribution", 0.60, 0.25),
    3: ("North West England", "Electricity North West", 0.35, 0.40),
    4: ("North East England", "NPG North East", 0.40, 0.30),
    5: ("Yorkshire", "NPG Yorkshire", 0.35, 0.05),
    6: ("North Wales & Merseyside", "SP Manweb", 0.40, 0.00),
    7: ("South Wales", "WPD South Wales", 0.20, 0.00),
    8: ("West Midlands", "WPD West Midlands", 0.20, 0.15),
    9: ("East Midlands", "WPD East Midlands", 0.25, 0.05),
    10: ("East England", "UKPN East", 0.40, 0.20),
    11: ("South West England", "WPD South West", 0.25, 0.10),
    12: ("South England", "SSE South", 0.20, 0.10),
    13: ("London", "UKPN London", 0.25, 0.15),
    14: ("South East England", "UKPN South East", 0.25, 0.25),
    15: ("England", "England", 0.28, 0.15),
    16: ("Scotland", "Scotland", 0.65, 0.18),
    17: ("Wales", "Wales", 0.28, 0.00),
    18: ("GB", "GB", 0.32, 0.15),
}


def shares(mix: dict[str, int]) -> list[JsonValue]:
    """A mix as the upstream lists it, per cent."""
    return [{"fuel": fuel, "perc": mix[fuel] / 10} for fuel in FUELS]


def intensity(mix: dict[str, int]) -> int:
    """gCO2/kWh of a mix, by the published factors."""
    return round(sum(FACTORS[fuel] * tenths for fuel, tenths in mix.items()) / 1000)


def mix_of(region_id: int, start: datetime) -> dict[str, int]:
    """Shares in tenths of a per cent; they add up to 1000."""
    _, _, wind, nuclear = REGIONS[region_id]
    hour = start.hour + start.minute / 60
    cold, light = winter(start), daylight(start)
    weather = (
        noise("weather", 0, start.replace(hour=0, minute=0)) + noise("wind", region_id, start.replace(minute=0))
    ) / 2
    weights = {
        "biomass": 0.06,
        "coal": 0.0,
        "imports": 0.10,
        "gas": 0.30 + 0.12 * math.sin(math.pi * max(0.0, hour - 15) / 9) + 0.05 * cold,
        "nuclear": nuclear,
        "other": 0.005,
        "hydro": 0.02 + (0.08 if region_id in (1, 16, 17, 6) else 0),
        "solar": 0.25 * light * (1 - 0.6 * max(0.0, cold)) * (0.4 if region_id in (1, 2, 16) else 1),
        "wind": wind * (0.35 + 1.3 * weather) * (1 + 0.2 * cold),
    }
    total = sum(weights.values())
    mix = {fuel: int(1000 * weight / total) for fuel, weight in weights.items()}
    mix["gas"] += 1000 - sum(mix.values())
    return mix
