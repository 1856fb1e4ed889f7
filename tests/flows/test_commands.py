"""Bad parameters, settings and servers: one clear line, exit code 2, no traceback, nothing changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import run
from tests.energy import Energy
from warehouse.settings import PROJECT_ROOT

BACKFILL = ("flows.backfill", "--from", "2024-01-01", "--to", "2024-01-02")


def run_afresh(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """With an interpreter of its own: its imports are tried too."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, "HOME": f"{os.devnull}/nowhere", **settings},  # a home that cannot be written to
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("flows.backfill", "--from", "2024-02-01", "--to", "2024-01-01"), {}, "is before the first"),
        (("flows.backfill", "--from", "2000-12-31", "--to", "2017-12-31"), {}, "no data before 2001"),
        (
            ("flows.backfill", "--from", "2016-12-31", "--to", "2017-12-31", "--datasets", "carbon_intensity"),
            {},
            "no data before 2017",
        ),
        (("flows.backfill", "--from", "2999-01-01", "--to", "2999-01-02"), {}, "in the future"),
        (("flows.backfill", "--from", "yesterday", "--to", "2024-01-02"), {}, "'yesterday' is not a day"),
        ((*BACKFILL, "--datasets", "nonsense"), {}, "There is no dataset 'nonsense'. Known: carbon_intensity"),
        (("flows.refresh", "--datasets", "nonsense"), {}, "There is no dataset 'nonsense'"),
        (BACKFILL, {"DATABASE_URL": "postgresql//nonsense"}, "DATABASE_URL must begin with postgresql://"),
        (BACKFILL, {"DATABASE_URL": "postgresql://u:p@h:port/d"}, "DATABASE_URL is malformed"),
        (BACKFILL, {"DATABASE_URL": "postgresql://h/d"}, "DATABASE_URL has no user"),
        (BACKFILL, {"DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:9/d"}, "at 127.0.0.1:9"),
        (BACKFILL, {"CARBON_INTENSITY_URL": "nonsense"}, "CARBON_INTENSITY_URL"),
        (BACKFILL, {"SYNTHETIC_FALLBACK": "maybe"}, "SYNTHETIC_FALLBACK"),
    ],
)
def test_one_line_and_exit_code_2(
    energy: Energy, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    done = run(*arguments, **settings)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert "s3cret" not in done.stderr + done.stdout
    assert energy.value("select count(*) from ops.runs") == 0, "nothing was changed"


def test_help_names_every_option() -> None:
    text = run_afresh("flows.backfill", "--help").stdout
    for option in ("--from", "--to", "--datasets", "--force"):
        assert option in text


def test_in_a_clean_clone_the_folders_that_are_not_there_yet_are_no_reason_for_a_warning(tmp_path: Path) -> None:
    data_dir = tmp_path / "not there" / "yet"
    done = run_afresh(
        *("flows.refresh", "--datasets", "nonsense"), DATA_DIR=str(data_dir), PREFECT_HOME=str(data_dir / "prefect")
    )
    assert done.stderr.splitlines() == [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode == 2
