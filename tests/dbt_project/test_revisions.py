"""`data_revisions`: what an upstream has measured and later given differently, counted from the payloads themselves."""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.dbt_project.test_commands import dbt
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.database import Database
from warehouse.periods import HALF_HOUR, LONDON

NATIONAL, MIX, UPDATE = "carbon_intensity__national", "carbon_intensity__generation", "neso__demand_update"
DATASETS = (
    *(NATIONAL, MIX, UPDATE, "neso__n2ex_day_ahead"),
    *("elexon__demand_outturn", "elexon__market_index", "elexon__system_prices"),
)
UNITS = {
    "carbon_intensity_national": "gCO2/kWh",
    "demand_actual_national": "MW",
    "wholesale_prices/apx_market_index": "GBP/MWh",
    "wholesale_prices/n2ex_day_ahead": "GBP/MWh",
    "wholesale_prices/system_price": "GBP/MWh",
}
REVISIONS = (
    "select dataset, settlement_date, half_hours_revised, largest_change, unit from data_revisions order by 1, 2"
)
SPANS = "select dataset, source, period_start, lowest, highest from intermediate.int_data_revisions__half_hours order by 1, 2, 3"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def actuals_given(energy: Energy) -> dict[datetime, set[int]]:
    """Each actual that the upstream gave of a half-hour."""
    found: dict[datetime, set[int]] = defaultdict(set)
    for payload, fetched_at in energy.query(
        f"select payload, fetched_at from staging.{NATIONAL}_payloads where origin = 'live'"
    ):
        for row in payload["data"]:
            begins, actual = instant(row["from"]), row["intensity"]["actual"]
            if actual and begins + HALF_HOUR <= fetched_at:
                found[begins].add(actual)
    return found


def by_hand(given: dict[datetime, set[int]]) -> list[tuple[Any, ...]]:
    days: dict[Any, list[int]] = defaultdict(list)
    for begins, values in given.items():
        if len(values) > 1:
            days[begins.astimezone(LONDON).date()].append(max(values) - min(values))
    return [("carbon_intensity_national", day, len(off), max(off), "gCO2/kWh") for day, off in sorted(days.items())]


@pytest.mark.slow
def test_what_was_measured_and_given_differently_is_counted_by_day(
    energy: Energy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(emulator, "now", lambda: now)
    energy.refresh(*DATASETS)
    assert energy.query(REVISIONS) == [], "each was given once"
    emulator.fault("revised")
    energy.refresh(*DATASETS)
    found = energy.query(REVISIONS)
    given = actuals_given(energy)
    assert [row for row in found if row[0] == "carbon_intensity_national"] == by_hand(given) != []
    assert {row[0]: row[4] for row in found} == UNITS, "a forecast is none of them, nor is a mix that is the same"
    assert all(times > 0 and change > 0 for _, _, times, change, _ in found)

    give_again(energy, MIX, lambda payload: with_more_wind(payload, now - timedelta(days=1), 1.5))
    give_again(energy, UPDATE, with_more_demand_in_england)
    from flows.transform import transform

    assert transform.fn()["failures"] == []
    then = {row[0]: row[2:] for row in energy.query(REVISIONS) if row[0] not in UNITS}
    assert then == {
        "generation_mix_national": (1, Decimal("1.5"), "percentage points"),
        "demand_regional/nation": (1, 8, "MW"),
    }

    spans = energy.query(SPANS)
    energy.set(SYNTHETIC_FALLBACK="on")
    emulator.reset()
    emulator.fault("500")
    energy.refresh(*DATASETS)
    assert energy.query(SPANS) == spans, "what stands in for a value is none of the upstream's"
    dbt(energy, "run", "--full-refresh", "-s", "int_data_revisions__half_hours")
    assert energy.query(SPANS) == spans, "whatever came first, and however it was read"


def with_more_wind(payload: dict[str, Any], after: datetime, points: float) -> dict[str, Any]:
    """A half-hour that was, with so much of its gas as wind."""
    row = next(row for row in payload["data"] if after <= instant(row["from"]) < after + HALF_HOUR)
    for share in row["generationmix"]:
        share["perc"] = round(share["perc"] + {"gas": -points, "wind": points}.get(share["fuel"], 0), 1)
    return payload | {"data": [row]}


def with_more_demand_in_england(payload: dict[str, Any]) -> dict[str, Any]:
    """5 MW more in Great Britain, 8 MW more in England and Wales, in the first of the half-hours."""
    row = next(row for row in payload["result"]["records"] if int(row["ND"]) > 0)
    for name, more in (("ND", 5), ("TSD", 5), ("ENGLAND_WALES_DEMAND", 8)):
        row[name] = type(row[name])(int(row[name]) + more)
    return payload | {"result": payload["result"] | {"records": [row]}}


def give_again(energy: Energy, dataset: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """One more answer, a minute after the newest: what that was, changed."""
    ((payload_id, payload),) = energy.query(
        f"select payload_id, payload from staging.{dataset}_payloads where origin = 'live' order by fetched_at desc limit 1"
    )
    energy.query(
        f"insert into staging.{dataset}_payloads select (jsonb_populate_record(landed, jsonb_build_object("
        "'payload_id', %s::text, 'payload', %s::jsonb, '_dlt_id', %s::text, 'fetched_at', fetched_at + interval '1 minute'))).* "
        f"from staging.{dataset}_payloads as landed where payload_id = %s",
        str(uuid.uuid4()), json.dumps(change(payload)), uuid.uuid4().hex, payload_id,
    )  # fmt: skip


YEARS = """
insert into intermediate.int_data_revisions__half_hours
    (dataset, source, period_start, settlement_date, lowest, highest, largest_change, updated_at)
select dataset, 'x', at, (at at time zone 'Europe/London')::date, array[1, 2], array[1, 2 + n % 7], n % 7, now()
from unnest(array['carbon_intensity_national', 'wholesale_prices/system_price']) as dataset, generate_series(1, 17520) as n,
    lateral (select date_bin('30 minutes', now(), '2000-01-01 00:00Z') - n * interval '30 minutes' as at) as one
"""
READ = """
select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
where relname = 'int_data_revisions__half_hours'
"""


def test_a_month_of_revisions_reads_a_month_of_them(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(YEARS)
        connection.execute("analyze intermediate.int_data_revisions__half_hours")
    with database.connect() as connection, connection.transaction():
        days = connection.execute("select * from data_revisions where settlement_date >= current_date - 29").fetchall()
        assert len(days) >= 2 * 29
        (read,) = one(connection.execute(READ).fetchone())
    assert 0 < read <= 2 * 48 * 31, "not the year"


def one(row: psycopg.rows.TupleRow | None) -> psycopg.rows.TupleRow:
    assert row
    return row
