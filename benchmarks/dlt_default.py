"""The same bodies the way dlt lands them by default: nested dicts to child tables, insert_values, staging alone."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt


def main(url: str, folder: str) -> None:
    """Load the bodies of `folder` and print the seconds it took."""
    for key in ("runtime.dlthub_telemetry",):
        dlt.config[key] = False
    pipeline = dlt.pipeline(
        "bench_default",
        destination=dlt.destinations.postgres(url),
        dataset_name="dlt_default",
        pipelines_dir=folder + "/dlt",
    )

    @dlt.resource(name="regional", write_disposition="append")
    def regional() -> Iterator[Any]:
        for path in sorted(Path(folder).glob("*.json")):
            yield json.loads(path.read_bytes())

    started = time.perf_counter()
    pipeline.run(regional())
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
