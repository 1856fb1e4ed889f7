"""What is to be placed, and the constraints that a place keeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from placement.outlook import Risk, Run
from warehouse.periods import HALF_HOUR_SECONDS

CONSTRAINTS = {
    "regions": "the regions that were asked for",
    "deadline": "the deadline",
    "deferral": "how long it may be deferred",
    "forecast": "the reach of the forecast: a half-hour that is not known counts as no candidate",
    "opening": "the hours in which the compute window is open and valid",
    "power": "the rated power of the venue",
    "carbon_cap": "the carbon cap",
    "price_cap": "the price cap",
    "price": "the price: where cost counts, a half-hour without a price counts as no candidate",
    "capacity": "the capacity that is left: others were placed there before",
}
BIT = {name: 1 << number for number, name in enumerate(CONSTRAINTS)}
"""Each constraint as a bit: what a candidate breaks is their sum"""


@dataclass(frozen=True)
class Task:
    """What is to be placed. Caps are means over each piece of the run."""

    power_kw: float
    """Mean over the run"""
    duration: timedelta
    earliest: datetime
    deadline: datetime
    weight: float = 1.0
    """1 decides by carbon alone, 0 by cost alone"""
    carbon_cap_gco2_kwh: float | None = None
    price_cap_gbp_mwh: float | None = None
    regions: frozenset[int] | None = None
    is_deferrable: bool = True
    risk: Risk = "expected"
    """Whether what it emits is taken from the middle of the forecast's band, or from its upper end"""
    power_profile_kw: tuple[float, ...] = ()
    """Power in each half-hour of the run; none: it is constant"""
    max_chunks: int = 1
    """1: it runs in one piece"""
    min_chunk_minutes: int = 30
    """Work that each piece does at least"""
    resume_overhead_minutes: int = 0
    """Each piece but the first begins with so many minutes without work"""

    @property
    def minutes(self) -> int:
        """Length of the work."""
        return round(self.duration.total_seconds() / 60)

    @property
    def peak_kw(self) -> float:
        """The most that it draws."""
        return max(self.power_profile_kw, default=self.power_kw)

    def steps(self) -> Iterator[tuple[float, float, float]]:
        """When each stretch of constant power begins after the start, how long it is (both in seconds), and its power, kW."""
        whole = self.duration.total_seconds()
        if not self.power_profile_kw:
            yield 0.0, whole, self.power_kw
        for at, kw in enumerate(self.power_profile_kw):
            yield float(HALF_HOUR_SECONDS * at), min(float(HALF_HOUR_SECONDS), whole - HALF_HOUR_SECONDS * at), kw

    def power_at(self, minute: int) -> float:
        """Power in a minute of the work, kW."""
        profile = self.power_profile_kw
        return profile[min(minute // 30, len(profile) - 1)] if profile else self.power_kw

    @cached_property
    def energy_kwh(self) -> float:
        """Energy of the run."""
        return self.power_kw * self.duration.total_seconds() / 3600

    @property
    def run(self) -> Run:
        """Its length in half-hours, and how its energy lies in it."""
        return Run(self.half_hours, self._shares) if self.power_profile_kw else Run(self.half_hours)

    @property
    def _shares(self) -> tuple[float, ...]:
        energies = [kw * min(1.0, self.half_hours - at) for at, kw in enumerate(self.power_profile_kw)]
        return tuple(energy / sum(energies) for energy in energies)

    @cached_property
    def half_hours(self) -> float:
        """Length of the run."""
        return self.duration.total_seconds() / HALF_HOUR_SECONDS
