"""What agents read, against bars: a year of captures in the tables, 100,000 workloads that are over, thousands that wait.

The captures are generated in SQL: one each half-hour for each region, of the two days to come. Queries are read with three
years of captures and sums. Everything is asked several times; the median counts.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.bench import Bench, Measure, at_most, say
from benchmarks.service import seconds_of
from benchmarks.serving import get, serving
from benchmarks.worked import work
from flows.dbt_runner import Dbt
from warehouse.database import Database, Role
from warehouse.settings import WarehouseSettings

DAYS = 365
ASKED, WARM_UP = 9, 2
READ_BAR_S, AS_OF_BAR_S, CONTEXT_BAR_S = 0.2, 0.1, 0.3
SOURCE = "carbon_intensity"
WAITING = (1_000, 10_000)
CAPTURES = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, is_synthetic, fetched_at, updated_at)
select region_id::smallint, md5(region_id::text || n)::uuid, at + interval '7 minutes', at,
    (select array_agg((200 + 100 * sin((n + m) / 7.6 + region_id) + (m * 37 + n * 11) %% 23)::smallint order by m)
        from generate_series(0, 95) as m),
    false, at + interval '7 minutes', at
from generate_series(1, %(half_hours)s) as n
cross join generate_series(1, 18) as region_id
cross join lateral (select date_bin('30 minutes', now(), '2000-01-01 00:00Z') - n * interval '30 minutes' as at)
on conflict do nothing;
insert into carbon_intensity_regional
    (region_id, period_start, period_end, forecast_gco2_kwh, intensity_index, payload_id, is_synthetic, fetched_at, updated_at)
select region_id, at, at + interval '30 minutes', 200 + 100 * sin(n / 7.6 + region_id), 'low',
    '00000000-0000-0000-0000-000000000000', false, at + interval '1 day', at
from generate_series(1, %(half_hours)s) as n
cross join generate_series(1, 17) as region_id
cross join lateral (select date_bin('30 minutes', now(), '2000-01-01 00:00Z') - n * interval '30 minutes' as at)
on conflict do nothing;
insert into carbon_intensity_national
    (period_start, period_end, forecast_gco2_kwh, actual_gco2_kwh, intensity_index, payload_id, is_synthetic, fetched_at,
    updated_at)
select at, at + interval '30 minutes', 200, 200 + 100 * sin(n / 7.6 + 18), 'low', '00000000-0000-0000-0000-000000000000', false,
    at + interval '1 day', at
from generate_series(1, %(half_hours)s) as n
cross join lateral (select date_bin('30 minutes', now(), '2000-01-01 00:00Z') - n * interval '30 minutes' as at)
on conflict do nothing;
"""
TWO_YEARS_BEFORE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, is_synthetic, fetched_at, updated_at)
select region_id, md5(payload_id::text || year)::uuid, known_at - make_interval(days => 365 * year),
    first_period_start - make_interval(days => 365 * year), forecasts_gco2_kwh, is_synthetic,
    fetched_at - make_interval(days => 365 * year), updated_at
from intermediate.int_carbon_intensity__captures, generate_series(1, 2) as year
where known_at < now() - interval '1 hour'
on conflict do nothing;
insert into intermediate.int_forecast_skill__months
select (month - make_interval(years => year))::date, series, region_id, forecast_type, lead_hours, forecasts, error_sum,
    absolute_error_sum, squared_error_sum, updated_at
from intermediate.int_forecast_skill__months, generate_series(1, 2) as year
on conflict do nothing;
analyze;
"""
SUBMITTED = """
insert into app.operators (name, operator_type) values ('Waiting', 'cloud') on conflict do nothing;
insert into app.compute_workloads
    (operator_id, request, workload_type, energy_kwh, power_kw, duration_minutes, earliest_start, deadline)
select operator_id, 'Train', 'training', 10 * minutes / 60.0, 10, minutes, now() - interval '1 hour',
    now() + interval '12 hours' + make_interval(mins => (n %% 2000)::integer)
from app.operators, generate_series(1, %(more)s) as n, lateral (select 30 + 15 * (n %% 30)::integer as minutes) as size
where name = 'Waiting';
analyze app.compute_workloads;
"""
NOW = "select * from carbon_intensity_as_of(%s)"
QUERIES: dict[str, Callable[[], tuple[str, list[Any]]]] = {
    "forecast_skill, three years": lambda: ("select * from forecast_skill", []),
    "as_of(now), three years": lambda: (NOW, [datetime.now(UTC)]),
    "as_of(half a year ago), three years": lambda: (NOW, [datetime.now(UTC) - timedelta(days=DAYS / 2)]),
    "decision_quality, 100,000 receipts of three years": lambda: ("select * from decision_quality", []),
    "regional_opportunities, three years": lambda: ("select * from regional_opportunities", []),
    "data_coverage, three years": lambda: ("select * from data_coverage", []),
}
CONTEXTS = ("/agents/head/context", "/agents/compute/context")


def measure_captures(bench: Bench, days: int = DAYS) -> list[Measure]:
    """A year of captures: reads and contexts against their bars, a refresh against one with a day of them."""
    few, many = bench.database("energy_bench_few"), bench.database("energy_bench_captures")
    for database, length in ((few, 1), (many, days)):
        bench.flow(database, "refresh", SOURCE)
        fill(database, length)
        say(f"{length} days of captures are in the tables")
    measures = [refreshes(bench, few, many)]
    with many.connect() as connection:
        connection.execute(TWO_YEARS_BEFORE)
    work(many)
    with many.connect(role=Role.SERVICE) as connection:
        for name, query in QUERIES.items():
            seconds = median(partial(_query, connection, query))
            say(f"{name}: {1000 * seconds:.0f} ms")
            bar = AS_OF_BAR_S if name.startswith("as_of") else READ_BAR_S
            measures.append(at_most(name, seconds, "bar", bar, 1))
    measures += contexts(many)
    bench.drop(few, many)
    return measures


def _query(connection: Any, query: Callable[[], tuple[str, list[Any]]]) -> float:
    return seconds_of(connection, *query())


def _get(port: int, path: str) -> float:
    return asyncio.run(get(port, path))


def median(ask: Callable[[], float]) -> float:
    """The median of several, after some that warm up."""
    return statistics.median([ask() for _ in range(ASKED + WARM_UP)][WARM_UP:])


def fill(database: Database, days: int) -> None:
    """Captures and outcomes of so many days, and the sums that dbt makes of them."""
    with database.connect() as connection:
        connection.execute(CAPTURES % {"half_hours": 48 * days})
        connection.execute("analyze")
    with database.connect() as connection:
        for table in ("days", "months"):
            connection.execute(f"drop table intermediate.int_forecast_skill__{table} cascade")
    dbt = Dbt(database, WarehouseSettings().data_dir)
    begun = time.perf_counter()
    built = dbt.publish(())
    assert not built.failures, built.failures
    dbt.close()
    for node in built.nodes:
        if node.name.startswith("int_forecast_skill"):
            say(f"{node.name} of {days} days: {node.rows} rows in {node.seconds:.1f} s")
    say(f"the project built again in {time.perf_counter() - begun:.0f} s")
    with database.connect() as connection:
        connection.execute("analyze")


def refreshes(bench: Bench, few: Database, many: Database) -> Measure:
    """By turns, the best of each."""
    times: dict[str, list[float]] = {few.name: [], many.name: []}
    for number in range(3):
        behind = timedelta(minutes=30 * (number + 1))
        bench.emulator.now = lambda behind=behind: datetime.now(UTC) - behind  # type: ignore[misc]
        for database in (few, many):
            times[database.name].append(bench.flow(database, "refresh", SOURCE)["seconds"])
    bench.emulator.now = lambda: datetime.now(UTC)
    ours, other = min(times[many.name]), min(times[few.name])
    return at_most("refresh, a year of captures", ours, "refresh, a day of captures", other, 1.25)


def contexts(database: Database) -> list[Measure]:
    """What agents read, with 100,000 workloads over and more and more of them waiting."""
    measures, there = [], 0
    for waiting in WAITING:
        with database.connect() as connection:
            connection.execute(SUBMITTED % {"more": waiting - there})
        there = waiting
        with ExitStack() as served:
            port = served.enter_context(serving(database, "-m", "service"))
            for path in CONTEXTS:
                seconds = median(partial(_get, port, path))
                say(f"GET {path}, {waiting:,} waiting: {1000 * seconds:.0f} ms")
                measures.append(at_most(f"GET {path}, {waiting:,} waiting", seconds, "bar", CONTEXT_BAR_S, 1))
    return measures
