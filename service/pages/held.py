"""`/trust/held`: every payload that is held, every request that was rejected or failed: why, when, and how to go on from it.

Payloads are listed for as long as they are held; requests of the days that `/trust` shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi.responses import HTMLResponse

from service.access import Service
from service.pages import freshness, grid
from service.pages.clock import Clock
from service.pages.rendering import address, page
from service.paging import cursor_of, position_of
from service.tenancy import Connection, connected
from warehouse.counts import count
from warehouse.periods import LONDON, day_start

DAYS = 30
PER_PAGE = 50
WHAT = {"held": "held payload", "rejected": "rejected request", "failed": "failed request"}

_FAULTS = """
with fault as (
    select
        dataset, 'held' as what, reason, validated_at as at, payload_id::text as key, null::timestamptz as window_start,
        null::timestamptz as window_end
    from ops.payload_verdicts
    where verdict = 'held'
    union all
    select dataset, outcome, detail, fetched_at, lpad(fetch_id::text, 20, '0'), window_start, window_end
    from ops.fetches
    where outcome in ('rejected', 'failed') and fetched_at >= %(since)s
)
"""
_PAGE = f"""
{_FAULTS}
select * from fault
where %(at)s::timestamptz is null or (at, key) < (%(at)s, %(after)s::text)
order by at desc, key desc
limit %(most)s
"""
_COUNTS = f"{_FAULTS} select what, count(*) as times from fault group by what"


@dataclass(frozen=True)
class Faults:
    """A page of them, the newest first."""

    rows: Sequence[dict[str, Any]]
    counts: Mapping[str, int]
    next_cursor: str | None

    @property
    def total(self) -> int:
        """How many there are on all pages."""
        return sum(self.counts.values())

    @property
    def words(self) -> str:
        """`2 held payloads, 31 failed requests`."""
        return ", ".join(count(self.counts[what], name) for what, name in WHAT.items() if self.counts.get(what))


def since(now: datetime) -> datetime:
    """The beginning of the first of the days whose requests are listed."""
    return day_start(now.astimezone(LONDON).date() - timedelta(days=DAYS - 1))


async def read(connection: Connection, now: datetime, cursor: str | None, limit: int = PER_PAGE) -> Faults:
    """A page of what was held back, rejected or failed. Raises Problem 422 for a bad cursor."""
    at, after = (None, None) if cursor is None else position_of(cursor)
    values = {"since": since(now), "at": at, "after": after, "most": limit + 1}
    rows = await grid.rows(connection, _PAGE, values)
    counts = {row["what"]: row["times"] for row in await grid.rows(connection, _COUNTS, values)}
    found = [row | {"ways": _ways(row, now)} for row in rows[:limit]]
    following = cursor_of(found[-1]["at"], found[-1]["key"]) if len(rows) > limit else None
    return Faults(found, counts, following)


async def answer(state: Service, clock: Clock, cursor: str | None) -> HTMLResponse:
    """The page."""
    now = datetime.now(UTC)
    outlook = await state.outlooks.now()
    async with connected(state.public) as connection:
        faults = await read(connection, now, cursor)
    return page(
        "held.html",
        path="/trust/held",
        clock=clock,
        notice=state.settings.service_notice,
        state={"cursor": cursor},
        now=now,
        fresh=freshness.of(outlook, now),
        title="Held back, rejected, failed",
        faults=faults,
        days=DAYS,
        is_first=cursor is None,
        older=None if faults.next_cursor is None else address("/trust/held", clock, cursor=faults.next_cursor),
    )


def _ways(row: Mapping[str, Any], now: datetime) -> list[str]:
    """The commands and statements that go on from here: to look at it, and to request it again."""
    if row["what"] == "held":
        return [f"select payload from staging.{row['dataset']}_payloads where payload_id = '{row['key']}';"]
    ways = []
    if row["what"] == "rejected":
        ways.append(
            f"select reason, body from staging.rejected_payloads where dataset = '{row['dataset']}' "
            f"and window_start = '{row['window_start'].astimezone(UTC):%Y-%m-%dT%H:%MZ}';"
        )
    first = row["window_start"].astimezone(LONDON).date()
    last = min((row["window_end"] - timedelta(microseconds=1)).astimezone(LONDON).date(), _today(now))
    if first <= last:
        ways.append(f"make backfill FROM={first} TO={last} DATASETS={row['dataset']}")
    return ways


def _today(now: datetime) -> date:
    return now.astimezone(LONDON).date()
