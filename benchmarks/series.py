"""A year of regional intensity as files, against a bare COPY TO of the same rows."""

import http.client
import time

from benchmarks.bench import Bench, Measure, at_most, say
from benchmarks.serving import TOKEN, serving
from warehouse.database import Database, Role

ROUNDS = 3
YEAR = """
insert into carbon_intensity_regional
    (region_id, period_start, period_end, forecast_gco2_kwh, intensity_index, payload_id, is_synthetic, fetched_at, updated_at)
select region_id, at, at + interval '30 minutes', 150 + 100 * sin(extract(epoch from at) / 13751 + region_id), 'low',
    '00000000-0000-0000-0000-000000000000', false, at, at
from generate_series(1, 18) as region_id
cross join generate_series(0, 17519) as n
cross join lateral (select timestamptz '2025-01-01 00:00Z' + n * interval '30 minutes' as at)
on conflict do nothing;
"""
ROWS = """
select period_start, period_end, region_id, forecast_gco2_kwh, is_isolated, is_synthetic, fetched_at from carbon_intensity_regional
where period_start >= '2025-01-01 00:00Z' and period_start < '2026-01-01 00:00Z' and forecast_gco2_kwh is not null
order by period_start, region_id
"""
PATH = "/series/carbon_intensity_regional_forecast?from=2025-01-01T00:00Z&to=2026-01-01T00:00Z&format="


def measure_series(bench: Bench) -> list[Measure]:
    """Files by turns with the bare COPY; the best of each counts."""
    database = bench.database("energy_bench_series")
    bench.flow(database, "refresh", "carbon_intensity")
    with database.connect() as connection:
        connection.execute(YEAR)
        connection.execute("vacuum analyze carbon_intensity_regional")
    seconds: dict[str, list[float]] = {"copy": [], "csv": [], "parquet": []}
    with serving(database, "-m", "service") as port:
        for _ in range(ROUNDS):
            seconds["copy"].append(copied(database))
            for form in ("csv", "parquet"):
                seconds[form].append(sent(port, PATH + form))
    bench.drop(database)
    best = {name: min(found) for name, found in seconds.items()}
    for form in ("csv", "parquet"):
        say(f"a year as {form}: {315_360 / best[form]:,.0f} rows a second; COPY TO: {315_360 / best['copy']:,.0f}")
    return [at_most(f"a year as {form}, s", best[form], "bare COPY TO", best["copy"], 3) for form in ("csv", "parquet")]


def copied(database: Database) -> float:
    """Seconds of a COPY of the year, read and thrown away."""
    begun = time.perf_counter()
    statement = f"copy ({ROWS}) to stdout (format csv)"
    with database.connect(role=Role.SERVICE) as connection, connection.cursor().copy(statement) as rows:
        size = sum(len(row) for row in rows)
    assert size > 10_000_000
    return time.perf_counter() - begun


def sent(port: int, path: str) -> float:
    """Seconds of one file, read and thrown away."""
    begun = time.perf_counter()
    client = http.client.HTTPConnection("127.0.0.1", port)
    client.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = client.getresponse()
    assert answer.status == 200, answer.read()
    while answer.read(1 << 16):
        pass
    client.close()
    return time.perf_counter() - begun
