"""`/trust`: can the data be trusted: how complete and fresh each dataset is, what was revised and what was held back, what ran."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi.responses import HTMLResponse

from service.access import Service
from service.pages import freshness, grid, held, revisions
from service.pages.clock import Clock
from service.pages.heat_row import Cell, HeatRow, heat_row
from service.pages.rendering import address, page
from service.pages.revisions import Revised, RevisedDataset
from service.pages.turns import Turns, read, turns
from service.problems import Problem
from service.tenancy import Connection, connected
from warehouse.periods import LONDON, day_start

DAYS = held.DAYS
NEWEST = 10
"""Of what was held back, rejected or failed; `/trust/held` has all of it"""

_COVERAGE = """
select dataset, settlement_date, half_hours_expected, half_hours_present, half_hours_synthetic, half_hours_missing, row_count
from data_coverage
where settlement_date >= %s and settlement_date <= %s
order by dataset, settlement_date
"""
_DAY = """
select dataset, settlement_date, half_hours_expected, half_hours_present, half_hours_synthetic, half_hours_missing, row_count
from data_coverage
where dataset = %(dataset)s
    and settlement_date >= %(day)s::date - 1 and settlement_date <= least(%(day)s::date + 1, %(today)s::date)
order by settlement_date
"""
_RUNS = """
select
    flow, status, started_at, ended_at, ended_at - started_at as took,
    jsonb_array_length(coalesce(summary -> 'failures', '[]')) as failures
from ops.runs
order by started_at desc
limit 12
"""
_INCIDENTS = "select kind, subject, message, opened_at from ops.incidents where closed_at is null order by opened_at"
_GAPS = """
select dataset, first_day, last_day, half_hours_missing, filled_by, count(*) over () as all_gaps
from data_gaps
order by last_day desc, dataset
limit 25
"""
_KEY = """
select array_agg(attribute.attname::text order by position) as columns
from pg_index as key
cross join lateral unnest(key.indkey) with ordinality as part (attnum, position)
inner join pg_attribute as attribute on attribute.attrelid = key.indrelid and attribute.attnum = part.attnum
where key.indrelid = to_regclass(format('public.%%I', %s::text)) and key.indisprimary
"""


async def answer(state: Service, clock: Clock, dataset: str | None, day: date | None) -> HTMLResponse:
    """The page; with a dataset and a day, that cell is explained."""
    now = datetime.now(UTC)
    outlook = await state.outlooks.now()
    today = now.astimezone(LONDON).date()
    days = [today - timedelta(days=n) for n in range(DAYS - 1, -1, -1)]
    async with connected(state.public) as connection:
        coverage = await grid.rows(connection, _COVERAGE, [days[0], today])
        revised = await revisions.read(connection, days[0], today)
        asked = await read(connection, days[0])
        faults = await held.read(connection, now, None, NEWEST)
        runs = await grid.rows(connection, _RUNS)
        incidents = await grid.rows(connection, _INCIDENTS)
        gaps = await grid.rows(connection, _GAPS)
        cell = await _cell(connection, dataset, day, today)
    complete = [row for row in coverage if row["settlement_date"] < today]
    return page(
        "trust.html",
        path="/trust",
        clock=clock,
        notice=state.settings.service_notice,
        state={"dataset": dataset, "day": day},
        now=now,
        fresh=freshness.of(outlook, now),
        title="Can the data be trusted?",
        sentence=_sentence(complete),
        days=days,
        coverage=_coverage(coverage, days, revised, clock),
        freshness=_freshness(turns(asked, now), days, now),
        cell=cell,
        faults=faults,
        runs=runs,
        incidents=incidents,
        gaps=gaps,
        revised=revised,
    )


def _sentence(rows: Sequence[dict[str, Any]]) -> str:
    expected = sum(row["half_hours_present"] + row["half_hours_missing"] for row in rows)
    if not expected:
        return "Nothing has been kept of the last 30 days yet."
    present = sum(row["half_hours_present"] for row in rows)
    synthetic = sum(row["half_hours_synthetic"] for row in rows)
    words = f"Of the half-hours that should be here of the last {DAYS} days, {100 * present / expected:.1f} % are"
    return f"{words}, and {100 * synthetic / max(1, present):.1f} % of those are synthetic."


def _coverage(
    rows: Sequence[dict[str, Any]], days: Sequence[date], revised: Sequence[RevisedDataset], clock: Clock
) -> list[HeatRow]:
    changed = {(day.dataset, day.day): day for one in revised for day in one.days}
    by_dataset: dict[str, dict[date, Cell]] = defaultdict(dict)
    missing: dict[str, int] = defaultdict(int)
    for row in rows:
        name, day = row["dataset"], row["settlement_date"]
        look, words = _look(row, changed.get((name, day)))
        by_dataset[name][day] = (look, words, address("/trust", clock, dataset=name, day=day) + "#cell")
        missing[name] += row["half_hours_missing"]
    return [
        heat_row(
            name,
            days,
            cells,
            title=f"{missing[name]} half-hours missing",
            words=f"{missing[name]} missing",
            address=cells[max(cells)][2],
        )
        for name, cells in by_dataset.items()
    ]


def _look(row: dict[str, Any], revised: Revised | None) -> tuple[str, str]:
    present, missing, synthetic = (row[f"half_hours_{name}"] for name in ("present", "missing", "synthetic"))
    words = f"{present} of {row['half_hours_expected']} half-hours"
    parts = [(missing, f"{missing} missing"), (synthetic, f"{synthetic} synthetic")]
    words = ", ".join([words, *(one for times, one in parts if times), *([revised.words] if revised else [])])
    if missing or synthetic or revised:
        return "missing" if missing else "synthetic" if synthetic else "revised", words
    return ("real", words) if present else ("none", f"{words}: none is due yet")


def _freshness(found: Mapping[str, Turns], days: Sequence[date], now: datetime) -> list[HeatRow]:
    return [
        heat_row(
            name,
            days,
            {day: (one.look, one.words, None) for day, one in of.days.items()},
            title="how often it was answered",
            words=of.late(now),
        )
        for name, of in found.items()
    ]


async def _cell(connection: Connection, dataset: str | None, day: date | None, today: date) -> dict[str, Any] | None:
    """A day of a dataset, and the commands that say more of it or load it again."""
    if dataset is None or day is None:
        return None
    around = await grid.rows(connection, _DAY, {"dataset": dataset, "day": day, "today": today})
    row = next((r for r in around if r["settlement_date"] == day), None)
    if row is None:
        raise Problem(404, "query.dataset, query.day: nothing is kept about this dataset on that day")
    beside = [r["settlement_date"] for r in around if r["settlement_date"] != day]
    name, _, part = dataset.partition("/")
    (key,) = await grid.rows(connection, _KEY, [name])
    start = day_start(day)
    parts = {"region_id": "13", "market": part, "period_start": f"{start:%Y-%m-%dT%H:%MZ}"}
    known = key["columns"] and all(column in parts for column in key["columns"])
    return row | {
        "beside": beside,
        "table": name,
        "backfill": f"make backfill FROM={day} TO={day} DATASETS={name}",
        "trace": f'make trace TABLE={name} KEY="{" ".join(parts[c] for c in key["columns"])}"' if known else None,
    }
