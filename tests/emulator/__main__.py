"""`python -m tests.emulator --port N [--recorded DIR] [--now INSTANT]`: prints a line a setting, and serves."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.emulator.server import Emulator
from warehouse.server import resolve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one if left out")
    parser.add_argument("--recorded", type=Path, help="folder of recorded bodies and series (RECORDED_DIR)")
    parser.add_argument(
        "--now", type=datetime.fromisoformat, help="an instant to stand still at, such as 2024-01-01T12:00Z"
    )
    arguments = parser.parse_args()
    stands_still = arguments.now.replace(tzinfo=arguments.now.tzinfo or UTC) if arguments.now else None
    try:
        emulator = Emulator(
            port=arguments.port,
            recorded=arguments.recorded,
            now=(lambda: stands_still) if stands_still else None,
            datastore=resolve,
        )
    except (OSError, OverflowError) as error:
        if getattr(error, "filename", None):  # a file of --recorded
            raise
        sys.exit(f"error: port {arguments.port} cannot be used ({error}): make emulator PORT=0 takes a free one")
    print(
        "# The upstreams on this machine, until Ctrl-C. In another shell, paste these lines, then: make run", flush=True
    )
    for name, value in emulator.settings.items():
        print(f"export {name}={value}", flush=True)
    try:
        emulator.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        emulator.neso.close()


if __name__ == "__main__":
    main()
