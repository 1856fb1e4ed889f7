"""`make bench`: one table of ratios, measured in one run."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.bench import Bench
from benchmarks.captures import measure_captures
from benchmarks.history import measure_history
from benchmarks.planning import measure_planning
from benchmarks.series import measure_series
from benchmarks.service import measure_service
from benchmarks.settings import BenchSettings
from benchmarks.waiting import measure_waiting
from benchmarks.workers import measure_workers
from benchmarks.year import measure_year
from tests.emulator import Emulator
from warehouse.settings import WarehouseSettings


def main() -> None:
    """Measure, print, write."""
    with Emulator() as emulator:
        bench = Bench(emulator)
        is_full = BenchSettings().bench == "full"
        measures = measure_year(bench) + measure_service(bench, with_history=is_full) + measure_waiting(bench)
        measures += measure_series(bench) + measure_planning()
        if is_full:
            measures += measure_workers(bench) + measure_history(bench) + measure_captures(bench)
    table = Table(title="Ratios measured in one run", title_justify="left")
    for column in ("what", "ours", "against", "theirs", "ratio", "bar", "met"):
        table.add_column(column)
    for m in measures:
        table.add_row(
            m.name,
            f"{m.ours_s:.1f}",
            m.against,
            f"{m.against_s:.1f}",
            f"{m.ratio:.2f}",
            m.bar,
            "yes" if m.met else "NO",
        )
    Console(width=130).print(table)
    path = WarehouseSettings().data_dir / "bench.json"
    path.write_text(json.dumps([asdict(m) for m in measures], indent=1) + "\n")
    print(f"Written to {path}")


if __name__ == "__main__":
    main()
