"""A year's backfill whose requests are landed by Dask workers: by two of them against one.

Fetching and landing are shared; unpacking, checkpoints and publishing stay with the flow, which does them meanwhile.
"""

import tempfile
from pathlib import Path

from benchmarks.bench import Bench, Measure, at_most, say
from benchmarks.year import REGIONAL, YEAR
from tests.flows.hosts import Cluster

WARM_UP = "carbon_intensity__national"
"""Another dataset's year: enough chunks for each worker to have imported what landing needs."""


def measure_workers(bench: Bench) -> list[Measure]:
    """The same year with one worker and with two, each time into an empty database."""
    one, two = (_year(bench, ["one", "two"][:workers]) for workers in (1, 2))
    say(f"a year by Dask workers: one {one:.1f} s, two {two:.1f} s")
    return [at_most("year of regional data, two Dask workers", two, "one Dask worker", one, 1.0)]


def _year(bench: Bench, names: list[str]) -> float:
    database = bench.database("energy_bench_workers")
    with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
        environment = {**bench.environment, "DATABASE_URL": database.address()}
        with Cluster(Path(folder), environment) as cluster:
            cluster.start_prefect_server()
            cluster.start_dask_scheduler()
            for name in names:
                cluster.start_dask_worker(name)
            cluster.wait_for_prefect_server()
            cluster.wait_for_dask_workers(*names)
            tracked = {name: cluster.environment[name] for name in ("PREFECT_API_URL", "DASK_ADDRESS", "PREFECT_HOME")}
            bench.flow(database, "backfill", *map(str, YEAR), WARM_UP, **tracked)
            seconds = bench.flow(database, "backfill", *map(str, YEAR), REGIONAL.slug, **tracked)["seconds"]
            shared = {name: cluster.log(name).count("land a chunk") for name in names}
            assert all(shared.values()), f"a worker had nothing to do: {shared}"
    with database.connect() as connection:
        count = "select count(*) from carbon_intensity_regional where period_start < '2025-01-01'"
        assert connection.execute(count).fetchone() == (366 * 48 * 18,)
    bench.drop(database)
    return float(seconds)
