"""Submissions with 100,000 workloads in the tables against none, and reads against a route with the same query; by turns."""

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from benchmarks.bench import Bench, Measure, at_most, say
from benchmarks.service import BARE, CONCURRENT, PRICES, REQUESTS, ROUNDS, submissions
from benchmarks.serving import exchange, serving
from warehouse.database import Database
from warehouse.prepare import set_up

WORKLOADS, AT_ONCE = 100_000, 10_000
READS = 400
OPERATOR = "select app.operator_for(null)"
"""The default operator, made if need be: the one that submits, so each submission looks at venues that these workloads fill"""
# All of them wait for their start within the next two days: those that are over cost less. A region has room for more.
FILL = """
create temp table made on commit drop as
select gen_random_uuid() as workload_id, gen_random_uuid() as placement_id, operator_id, 1 + n %% 14 as region_id,
    now() as begins, date_bin('30 minutes', now(), '2000-01-01 00:00Z') + (1 + n %% 90) * interval '30 minutes' as starts_at
from app.operators, generate_series(1, %(rows)s) as n where is_default;
insert into app.compute_workloads (workload_id, operator_id, request, workload_type, energy_kwh, power_kw, duration_minutes,
    earliest_start, deadline, status, placement_id)
select workload_id, operator_id, 'Train', 'training', 0.5, 0.5, 60, begins, begins + interval '3 days', 'scheduled', placement_id
from made;
insert into app.workload_placements (placement_id, workload_id, operator_id, venue, region_id, starts_at, ends_at, power_kw,
    capacity_kw, energy_kwh, mean_intensity_gco2_kwh, carbon_kg, synthetic_share, known_at)
select placement_id, workload_id, operator_id, 'region:' || operator_id || '/' || region_id, region_id, starts_at,
    starts_at + interval '1 hour', 0.5, 1000, 0.5, 100, 0.05, 0, begins
from made
"""


def measure_waiting(bench: Bench) -> list[Measure]:
    """Both, over a database of its own."""
    database = bench.database("energy_bench_waiting")
    bench.flow(database, "refresh", "carbon_intensity")
    with database.connect() as connection:
        connection.execute(BARE)
        connection.execute(PRICES.format(past=96))
    with ExitStack() as both:
        ours = both.enter_context(serving(database, "-m", "service"))
        bare = both.enter_context(serving(database, "-m", "benchmarks.bare", database.address()))
        measures = measure_reads(ours, bare)
    measures.append(measure_full(bench, database))
    bench.drop(database)
    return measures


def measure_full(bench: Bench, empty: Database) -> Measure:
    """A submission with so many workloads that wait against the same without them."""
    full = replace(empty, name=f"{empty.name}_full")
    with bench.server.connect() as connection:
        connection.execute(f'drop database if exists "{full.name}" with (force)')
        connection.execute(f'create database "{full.name}" template "{empty.name}"')
    set_up(full)
    begun = time.perf_counter()
    with full.connect() as connection:
        connection.execute(OPERATOR)
        for _ in range(WORKLOADS // AT_ONCE):
            with connection.transaction():
                for statement in (FILL % {"rows": AT_ONCE}).split(";"):
                    connection.execute(statement)
        connection.execute("analyze")
    say(f"{WORKLOADS:,} workloads wait, after {time.perf_counter() - begun:.0f} s")
    seconds: dict[str, list[float]] = {empty.name: [], full.name: []}
    with ExitStack() as both:
        ports = {database.name: both.enter_context(serving(database, "-m", "service")) for database in (empty, full)}
        for port in ports.values():
            asyncio.run(submissions(port, 50))  # warms up
        for _ in range(ROUNDS):
            for name, port in ports.items():
                seconds[name].append(asyncio.run(submissions(port, REQUESTS))[0])
    bench.drop(full)
    ours, other = (1000 * min(seconds[database.name]) for database in (full, empty))
    say(f"a submission: {ours:.2f} ms with {WORKLOADS:,} workloads, {other:.2f} ms without")
    return at_most("a submission, ms, 100,000 workloads", ours, "no workloads", other, 1.25)


def measure_reads(ours: int, bare: int) -> list[Measure]:
    """Reads of our service against the bare one, both with many clients at once."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    span = urlencode({"from": (now - timedelta(hours=24)).isoformat(), "to": (now + timedelta(hours=24)).isoformat()})
    measures = []
    for path in (f"/series/carbon_intensity_national_forecast?{span}", "/windows/best?duration_minutes=240"):
        seconds: dict[int, list[float]] = {ours: [], bare: []}
        for _ in range(ROUNDS + 1):  # the first warms up
            for port in (ours, bare):
                seconds[port].append(asyncio.run(reads(port, path if port == ours else path.split("?")[0])))
        mine, theirs = (1000 * min(seconds[port][1:]) for port in (ours, bare))
        name = path.split("?")[0]
        say(f"GET {name}: {1000 / mine:.0f} a second; the bare query: {1000 / theirs:.0f}")
        measures.append(at_most(f"GET {name}, ms, 16 clients", mine, "bare FastAPI, one query", theirs, 3))
    return measures


async def reads(port: int, path: str) -> float:
    """Seconds a request, CONCURRENT at a time."""
    numbers = iter(range(READS))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        for _ in numbers:
            await exchange(reader, writer, f"GET {path}")
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENT)))
    return (time.perf_counter() - begun) / READS
