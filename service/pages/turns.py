"""How often each upstream answered, by day, against its cadence; a day has as many turns as its hours allow, 23 to 25."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from service.pages.cadence import cadences
from service.tenancy import Connection
from warehouse.periods import day_start

KEPT = 0.95
"""Share of a day's refreshes that have to have had an answer for the day to count as fresh"""

Look = Literal["real", "synthetic", "missing"]

# requests for the present alone: a backfill is no sign of life
_FETCHES = """
select
    dataset, (fetched_at at time zone 'Europe/London')::date as day, min(fetched_at) as first_asked,
    array_agg(fetched_at) filter (where outcome in ('landed', 'known')) as answered,
    count(*) filter (where outcome in ('rejected', 'failed')) as faults
from ops.fetches
where fetched_at >= %s and window_end >= fetched_at
group by 1, 2
"""


@dataclass(frozen=True)
class Day:
    """A day of a dataset: as often as it should be, less often, or never."""

    look: Look
    words: str


@dataclass(frozen=True)
class Turns:
    """A dataset's days, and whether its newest answer is on time."""

    days: dict[date, Day]
    newest: datetime | None
    cadence: timedelta

    def late(self, now: datetime) -> str:
        """`late` and `on time`, or `no answer`."""
        if self.newest is None:
            return "no answer"
        return "late" if now - self.newest > 1.5 * self.cadence else "on time"


async def read(connection: Connection, since: date) -> list[dict[str, Any]]:
    """The requests by dataset and day, from a day on."""
    return await (await connection.execute(_FETCHES, [day_start(since)])).fetchall()


def turns(rows: Sequence[dict[str, Any]], now: datetime) -> dict[str, Turns]:
    """By dataset. Its turns count from its first request on, whatever came of that: before, nobody asked."""
    by_dataset: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_dataset[row["dataset"]].append(row)
    return {name: _of(by_dataset[name], cadences().get(name, timedelta(hours=1)), now) for name in sorted(by_dataset)}


def _of(rows: Sequence[dict[str, Any]], cadence: timedelta, now: datetime) -> Turns:
    first = min(row["first_asked"] for row in rows)
    answers = [at for row in rows for at in row["answered"] or ()]
    return Turns({row["day"]: _day(row, cadence, first, now) for row in rows}, max(answers, default=None), cadence)


def _day(row: dict[str, Any], cadence: timedelta, first: datetime, now: datetime) -> Day:
    begins, ends = max(day_start(row["day"]), first), min(day_start(row["day"] + timedelta(days=1)), now)
    wanted = max(1, int((ends - begins) / cadence))
    got = len({int((at - begins) / cadence) for at in row["answered"] or ()})
    faults = f", {row['faults']} faults" if row["faults"] else ""
    look: Look = "real" if got >= KEPT * wanted else "synthetic" if got else "missing"
    return Day(look, f"answered in {min(got, wanted)} of {wanted} turns{faults}")
