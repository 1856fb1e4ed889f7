"""What the upstreams revised: by dataset and day, how many half-hours and by how much, from `data_revisions`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.pages.rendering import figure
from service.tenancy import Connection

UNITS = {
    "gCO2/kWh": ("gCO₂/kWh", 0),
    "percentage points": ("percentage points", 1),
    "MW": ("MW", 0),
    "GBP/MWh": ("£/MWh", 2),
}
"""As a person reads them, and the digits after the point"""
_REVISED = """
select dataset, settlement_date, half_hours_revised, largest_change::float8 as largest_change, unit
from data_revisions
where settlement_date >= %s and settlement_date <= %s
order by dataset, settlement_date desc
"""


@dataclass(frozen=True)
class Revised:
    """A dataset's day on which values were given twice, differently."""

    dataset: str
    day: date
    half_hours: int
    change: float
    unit: str

    @property
    def by(self) -> str:
        """`12 gCO₂/kWh`: the largest change."""
        unit, digits = UNITS[self.unit]
        return f"{figure(self.change, digits)} {unit}"

    @property
    def words(self) -> str:
        """`3 revised by the upstream, by up to 12 gCO₂/kWh`."""
        return f"{self.half_hours} revised by the upstream, by up to {self.by}"


@dataclass(frozen=True)
class RevisedDataset:
    """A dataset's days, the newest first."""

    dataset: str
    days: Sequence[Revised]

    @property
    def half_hours(self) -> int:
        """Of all the days."""
        return sum(one.half_hours for one in self.days)

    @property
    def largest(self) -> Revised:
        """The day of the largest change, the newest of several."""
        return max(self.days, key=lambda one: one.change)


async def read(connection: Connection, first: date, last: date) -> list[RevisedDataset]:
    """The datasets that were revised on these days, by name."""
    rows: list[dict[str, Any]] = await (await connection.execute(_REVISED, [first, last])).fetchall()
    found: dict[str, list[Revised]] = defaultdict(list)
    for row in rows:
        found[row["dataset"]].append(
            Revised(
                row["dataset"], row["settlement_date"], row["half_hours_revised"], row["largest_change"], row["unit"]
            )
        )
    return [RevisedDataset(name, days) for name, days in found.items()]
