"""Work folders: what a killed process left goes, what a living one works in stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipelines.work_folder import WorkFolder
from warehouse.settings import PROJECT_ROOT

WORK = """
import sys, time
from pathlib import Path
from pipelines.work_folder import WorkFolder
folder = WorkFolder(Path(sys.argv[1]))
(folder.path / "half-written").write_text("x")
print(folder.path, flush=True)
time.sleep(60)
"""


def worker(root: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(root)], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_goes_and_a_living_one_keeps_its_folder(tmp_path: Path) -> None:
    (killed, left_behind), (living, in_use) = worker(tmp_path), worker(tmp_path)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    mine = WorkFolder(tmp_path)
    assert not left_behind.exists()
    assert (in_use / "half-written").exists()
    living.kill()
    living.wait()
    mine.cleanup()
    assert not mine.path.exists()
    WorkFolder(tmp_path).cleanup()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
