"""`make demo`: the upstreams on this machine, the whole stack against them, and the pages, until Ctrl-C. Nothing else is touched.

It has a folder, a database and ports of its own (`.data/demo`), whatever DATABASE_URL says, and every page says what it shows.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.emulator.server import Emulator
from warehouse.server import resolve
from warehouse.settings import PROJECT_ROOT

RECORDED = "half-hours that were recorded are as they were recorded, the others are generated"
GENERATED = "all of them are generated"
NOTICE = (
    "A demonstration, not the grid: these figures come from an emulator of the upstreams on this machine ({}). "
    "Do not act on them."
)


def main() -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.demo", description=__doc__)
    parser.add_argument("--recorded", type=Path, help="folder of recorded bodies and series (RECORDED_DIR)")
    parser.add_argument("--folder", type=Path, default=PROJECT_ROOT / ".data" / "demo", help="where it keeps its data")
    arguments = parser.parse_args()
    notice = NOTICE.format(RECORDED if arguments.recorded else GENERATED)
    os.environ |= {"DATA_DIR": str(arguments.folder.resolve()), "DATABASE_URL": "", "PREFECT_API_URL": ""}
    os.environ |= {"SERVICE_NOTICE": notice, "SERVICE_TOKEN": "", "SERVICE_URL": "", "ALERT_WEBHOOK_URL": ""}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    stopped = threading.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, lambda *_: stopped.set())
    with Emulator(recorded=arguments.recorded, datastore=resolve) as emulator:
        os.environ |= emulator.settings
        try:
            return _stack(stopped)
        finally:
            _run("flows.stack", "down")


def _stack(stopped: threading.Event) -> int:
    for module, *words in (("flows.refresh",), ("flows.stack", "up")):
        if stopped.is_set() or (code := _run(module, *words)) > 1:  # 1: some of it was published
            return 0 if stopped.is_set() else code
    print("\nThe demonstration is at the address of the service above. Ctrl-C stops all of it.", flush=True)
    stopped.wait()
    return 0


def _run(module: str, *words: str) -> int:
    """A command of the project, in a group of its own: Ctrl-C is for this one, which then ends the others in order."""
    return subprocess.run(
        [sys.executable, "-m", module, *words], cwd=PROJECT_ROOT, start_new_session=True, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
