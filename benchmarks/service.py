"""The service against a bare one that does a single INSERT, and with five years of history against two days of it."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.bench import Bench, Measure, at_most, say
from benchmarks.pages import measure_pages
from benchmarks.serving import exchange, get, serving
from warehouse.database import Database, Role
from warehouse.prepare import set_up

CONCURRENT, REQUESTS, ROUNDS, ASKED = 16, 400, 2, 50
AIM_MS = 20
BATCH_BAR_S = 2
BARE = """
create schema bench;
create table bench.tasks (task_id bigint generated always as identity primary key, request text, user_email text);
grant usage on schema bench to public;
grant insert on bench.tasks to public;
"""
PRICES = """
insert into wholesale_prices
    (market, period_start, period_end, settlement_date, settlement_period, price_gbp_mwh, source, payload_id, is_synthetic,
    fetched_at, updated_at)
select 'n2ex_day_ahead', at, at + interval '30 minutes', at::date, 1, 80 + 40 * sin(extract(epoch from at) / 13751), 'neso',
    '00000000-0000-0000-0000-000000000000', false, at, at
from generate_series(-96, {past}) as n
cross join lateral (select date_bin('30 minutes', now(), '2000-01-01 00:00Z') - n * interval '30 minutes' as at)
on conflict do nothing;
"""
FIVE_YEARS = f"""
insert into carbon_intensity_regional
    (region_id, period_start, period_end, forecast_gco2_kwh, intensity_index, payload_id, is_synthetic, fetched_at, updated_at)
select region_id, at, at + interval '30 minutes', 150 + 100 * sin(extract(epoch from at) / 13751 + region_id), 'low',
    '00000000-0000-0000-0000-000000000000', false, at, at
from generate_series(1, 18) as region_id
cross join generate_series(1, 87600) as n
cross join lateral (select date_bin('30 minutes', now(), '2000-01-01 00:00Z') - n * interval '30 minutes' as at)
on conflict do nothing;
{PRICES.format(past=87_600)}
analyze;
"""
PATHS = ("/regions/opportunities", "/windows/best?duration_minutes=240")
QUERIES: dict[str, Callable[[], tuple[str, list[Any]]]] = {
    "SQL of /regions/opportunities": lambda: ("select * from regional_opportunities order by rank, region_id", []),
    "SQL of /windows/best": lambda: (
        "select * from best_windows(%s, %s, %s, null, %s) order by rank limit 10",
        [
            timedelta(hours=4),
            datetime.now(UTC),
            datetime.now(UTC) + timedelta(hours=48),
            '{"carbon": 0.264, "price": 0}',
        ],
    ),
}


def measure_service(bench: Bench, *, with_history: bool) -> list[Measure]:
    """Submissions against one INSERT; and, with history, what is asked of the grid."""
    database = bench.database("energy_bench_service")
    bench.flow(database, "refresh", "carbon_intensity")
    with database.connect() as connection:
        connection.execute(BARE)
        connection.execute(PRICES.format(past=96))
    measures = measure_grid(bench, database) if with_history else []
    with ExitStack() as both:
        ours = both.enter_context(serving(database, "-m", "service"))
        bare = both.enter_context(serving(database, "-m", "benchmarks.bare", database.address()))
        rounds: dict[int, list[tuple[float, float]]] = {ours: [], bare: []}
        for port in rounds:
            asyncio.run(submissions(port, 50))  # warms up
        for _ in range(ROUNDS):  # by turns
            for port, found in rounds.items():
                found.append(asyncio.run(submissions(port, REQUESTS)))
        together = min(asyncio.run(batch(ours)) for _ in range(ROUNDS))
    bench.drop(database)
    (ours_s, ours_p99), (bare_s, bare_p99) = ([min(one) for one in zip(*r, strict=True)] for r in rounds.values())
    say(f"submissions: {1 / ours_s:.0f} a second, p99 {ours_p99:.0f} ms; bare: {1 / bare_s:.0f}, {bare_p99:.0f} ms")
    against = "bare FastAPI, one INSERT"
    return [
        at_most("a submission, ms", 1000 * ours_s, against, 1000 * bare_s, 3),
        at_most("p99 of a submission, ms", ours_p99, against, bare_p99, 3),
        at_most("1,000 submissions in one request", together, "bar", BATCH_BAR_S, 1),
        *measures,
    ]


def measure_grid(bench: Bench, two_days: Database) -> list[Measure]:
    """Routes of the grid, and their SQL alone, with five years of regional history against two days: by turns, medians."""
    five_years = replace(two_days, name=f"{two_days.name}_history")
    begun = time.perf_counter()
    with bench.server.connect() as connection:
        connection.execute(f'drop database if exists "{five_years.name}" with (force)')
        connection.execute(f'create database "{five_years.name}" template "{two_days.name}"')
    set_up(five_years)
    with five_years.connect() as connection:
        connection.execute(FIVE_YEARS)
    with two_days.connect() as connection:
        connection.execute("analyze")
    say(f"five years of regional history are in the tables, after {time.perf_counter() - begun:.0f} s")
    times: dict[str, list[list[float]]] = {}
    databases = (two_days, five_years)
    with ExitStack() as both:
        ports = [both.enter_context(serving(database, "-m", "service")) for database in databases]
        connections = [both.enter_context(database.connect(role=Role.SERVICE)) for database in databases]
        for _ in range(ASKED + 10):  # the first ten warm up
            for path in PATHS:
                asked = [asyncio.run(get(port, path)) for port in ports]
                times.setdefault(f"GET {path.split('?')[0]}", []).append(asked)
            for name, query in QUERIES.items():
                times.setdefault(name, []).append([seconds_of(connection, *query()) for connection in connections])
        first_pages = measure_pages(ports[-1])
    bench.drop(five_years)
    measures = []
    for name, found in times.items():
        less, more = (1000 * statistics.median(one) for one in zip(*found[10:], strict=True))
        say(f"{name}: {more:.1f} ms with five years of history, {less:.1f} ms with two days")
        measures.append(at_most(f"{name}, ms, five years", more, "two days of history", less, 1.25))
        measures.append(at_most(f"{name}, ms, five years", more, "aim", AIM_MS, 1))
    return measures + first_pages


def seconds_of(connection: Any, query: str, values: list[Any]) -> float:
    """One query and all its rows."""
    begun = time.perf_counter()
    connection.execute(query, values).fetchall()
    return time.perf_counter() - begun


async def submissions(port: int, count: int) -> tuple[float, float]:
    """Seconds a request and p99 (ms) of so many submissions, CONCURRENT at a time, each of another user."""
    numbers, waited = iter(range(count)), list[float]()

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            # of many lengths, so that their places are not all the same
            task = {"request": "Train a model", "user_email": f"{time.time_ns()}-{number}@example.com"}
            size = {"duration_minutes": 30 + 15 * (number % 30), "power_kw": 6.5}
            begun = time.perf_counter()
            await exchange(reader, writer, "POST /submit_task", json.dumps(task | size).encode())
            waited.append(time.perf_counter() - begun)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENT)))
    return (time.perf_counter() - begun) / count, 1000 * statistics.quantiles(waited, n=100)[98]


async def batch(port: int) -> float:
    """Seconds of a request with a thousand tasks."""
    tasks = [{"request": "Train a model", "duration_minutes": 30 + 15 * (n % 30), "power_kw": 6.5} for n in range(1000)]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    begun = time.perf_counter()
    await exchange(reader, writer, "POST /submit_tasks", json.dumps({"tasks": tasks}).encode())
    writer.close()
    return time.perf_counter() - begun
