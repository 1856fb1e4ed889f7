"""Values for any half-hour and region: of hashes, so that every process gives the same ones.

They resemble the upstream's in shape and range alone: like those they change within hours, and no half-hour stands apart.
A forecast of a coming half-hour is rewritten every half-hour, as upstream; the past stays as it is.
"""

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache

HALF_HOUR = timedelta(minutes=30)
KNOT_HOURS = 4
FUELS = ("biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind")
FACTORS = (120, 937, 328, 394, 0, 300, 0, 0, 0)
_WEIGHTS = (8, 1, 12, 40, 18, 1, 4, 8, 45)


@lru_cache(maxsize=50_000)
def region_half_hour(region_id: int, start: datetime) -> tuple[int, tuple[int, ...]]:
    """(gCO2/kWh, shares in tenths of a per cent in the order of FUELS)."""
    noise = _noise(str(region_id), start, len(FUELS))
    weights = [weight * (48 + byte) for weight, byte in zip(_WEIGHTS, noise, strict=True)]
    if not 9 <= start.hour <= 14:  # the sun is up then on every day of the year
        weights[7] = 0
    total = sum(weights)
    tenths = [1000 * weight // total for weight in weights]
    tenths[8] += 1000 - sum(tenths)
    return sum(f * t for f, t in zip(FACTORS, tenths, strict=True)) // 1000, tuple(tenths)


def revision(region_id: int, start: datetime, issued: datetime) -> int:
    """How far the forecast issued in a half-hour is off, g: more the further ahead, nothing once it has passed."""
    lead = (start - issued) / HALF_HOUR
    if lead <= 0:
        return 0
    (noise,) = _noise(f"{region_id}|{issued:%Y%m%d%H%M}", start, 1)
    return round((noise - 128) / 128 * min(40, 4 + lead / 2))


def _noise(key: str, at: datetime, count: int) -> list[int]:
    """So many numbers from 0 to 255: hashes at every fourth hour, and a straight line between them."""
    before = at.replace(hour=at.hour // KNOT_HOURS * KNOT_HOURS, minute=0)
    share = (at - before) / timedelta(hours=KNOT_HOURS)
    ends = (_hashes(key, before, count), _hashes(key, before + timedelta(hours=KNOT_HOURS), count))
    return [round(a + (b - a) * share) for a, b in zip(*ends, strict=True)]


@lru_cache(maxsize=50_000)
def _hashes(key: str, at: datetime, count: int) -> bytes:
    return hashlib.blake2b(f"{key}|{at:%Y%m%d%H%M}".encode(), digest_size=count).digest()
