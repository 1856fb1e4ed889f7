"""One flow in a process of its own: `python -m benchmarks.flow refresh [DATASET...] | backfill FROM TO [DATASET...]`.

Prints JSON: seconds of the flow with the libraries imported beforehand, seconds of the whole process, peak memory, requests.
"""

import json
import resource
import sys
import time
from datetime import date

STARTED = time.perf_counter()


def main() -> None:
    """Import, run, report."""
    import dbt.cli.main  # noqa: F401  beforehand: it is no time of the flow

    import checkpoints.clean
    import checkpoints.staging  # noqa: F401  beforehand: it is no time of the flow
    from flows.backfill import backfill
    from flows.refresh import refresh
    from flows.settings import FlowSettings

    imported = time.perf_counter()
    stdout, sys.stdout = sys.stdout, sys.stderr
    if sys.argv[1] == "refresh":
        outcome = refresh.fn(sys.argv[2:] or None)
    else:
        # chunks go to other workers from a tracked run alone
        call = backfill if FlowSettings().prefect_api_url else backfill.fn
        outcome = call(date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3]), sys.argv[4:] or None)
    sys.stdout = stdout
    ended = time.perf_counter()
    print(
        json.dumps(
            {
                "seconds": ended - imported,
                "process_seconds": ended - STARTED,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "requests": outcome.get("requests"),
                "failures": outcome["failures"],
            }
        )
    )


if __name__ == "__main__":
    main()
