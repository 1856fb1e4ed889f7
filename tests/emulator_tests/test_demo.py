"""`make demo` in one command: pages with data and a notice, and nothing left when it is stopped."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

from tests.conftest import RECORDED_DIR
from tests.emulator.demo import GENERATED, RECORDED
from tests.flows.stack_under_test import NOT_OURS
from warehouse.settings import PROJECT_ROOT


def test_a_demonstration_shows_pages_and_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="energy-demo-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's own user goes through it
        log = Path(folder) / "demo.log"
        recorded = ["--recorded", str(RECORDED_DIR)] if RECORDED_DIR else []
        with log.open("w") as words:
            demo = subprocess.Popen(
                [sys.executable, "-m", "tests.emulator.demo", "--folder", folder, *recorded],
                cwd=PROJECT_ROOT,
                env={name: value for name, value in os.environ.items() if not NOT_OURS.match(name)}
                | {"SERVICE_PORT": "0"},
                stdout=words,
                stderr=subprocess.STDOUT,
            )
        try:
            said = wait_for(log, "Ctrl-C stops all of it", demo)
            address = re.findall(r"^Service +(\S+)", said, re.M)[0]
            page = httpx.get(f"{address}/", headers={"Accept": "text/html"}, timeout=60)
            assert page.status_code == 200 and "A demonstration, not the grid" in page.text
            assert (RECORDED if recorded else GENERATED) in page.text
            assert re.search(r"<title>\d+ g · \d+ % renewable", page.text)
            demo.send_signal(signal.SIGINT)
            assert demo.wait(120) == 0
        finally:
            demo.kill()
            left = [one for one in psutil.process_iter() if belongs(one, folder)]
            for one in left:
                one.kill()
        assert left == []


def wait_for(log: Path, words: str, demo: "subprocess.Popen[bytes]") -> str:
    """The log, once it has these words."""
    until = time.monotonic() + 500
    while words not in (said := log.read_text()):
        assert demo.poll() is None and time.monotonic() < until, said[-3000:]
        time.sleep(1)
    return said


def belongs(process: psutil.Process, folder: str) -> bool:
    """Whether a process has to do with this folder."""
    try:
        return process.environ().get("DATA_DIR") == folder or process.cwd().startswith(folder)
    except psutil.Error:
        return False
