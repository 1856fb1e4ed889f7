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
    import dbt.cli.main  # noqa: F401

    import checkpoints.clean
    import checkpoints.staging  # noqa: F401
    from flows import command
    from flows.backfill import backfill
    from flows.refresh import refresh

    imported = time.perf_counter()
    stdout, sys.stdout = sys.stdout, sys.stderr
    if sys.argv[1] == "refresh":
        outcome = refresh.fn(sys.argv[2:] or None)
    else:
        call = backfill if command.is_tracked() else backfill.fn  # chunks go to other workers from a tracked run alone
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
