"""docs/integrations.md: each snippet is read as its reader would, and the commands in it are those of `energy`."""

import re
import shlex
import shutil
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from energy.__main__ import JOBS
from energy.commands.parser import parser

from placement.outlook import from_rows
from service.metrics import Metrics
from service.signals import HORIZONS, WINDOW_HOURS, families
from warehouse.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs/integrations.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, flags=re.M | re.S)


def documents() -> list[Any]:
    return [one for block in blocks("yaml") for one in yaml.safe_load_all(block)]


def named(kind: str) -> dict[str, Any]:
    (found,) = [one for one in documents() if one.get("kind") == kind]
    return dict(found)


def commands() -> Iterator[list[str]]:
    """Every `energy ...` of the page, as words."""
    for block in blocks("ini"):
        for line in re.findall(r"^ExecStart=(.*)$", block, flags=re.M):
            yield shlex.split(line)
    for block in blocks("sh"):
        for found in re.findall(r"\$\((energy [^)]*)\)|^(?:srun )?(energy .*)$", block, flags=re.M):
            yield shlex.split(found[0] or found[1])
    (container,) = named("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    yield container["command"]
    for step in workflow()["jobs"]["benchmark"]["steps"]:
        if "run" in step:
            yield shlex.split(step["run"])


def workflow() -> dict[str, Any]:
    (found,) = [one for one in documents() if "jobs" in one]
    return dict(found)


def test_every_command_is_accepted() -> None:
    parsed: list[Namespace] = []
    for words in commands():
        assert Path(words[0]).name == "energy"
        parsed.append(parser().parse_args(words[1:]))
        assert parsed[-1].action in JOBS and parsed[-1].hours > 0
        if parsed[-1].action == "run":
            assert parsed[-1].command[0] == "--" and len(parsed[-1].command) > 1
    assert [one.action for one in parsed] == ["run", "sbatch", "run", "run", "run"]


def test_shell_snippets_are_of_the_shell() -> None:
    for block in blocks("sh"):
        done = subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_workflow_ends_before_its_limit() -> None:
    """PyYAML reads the key `on` as true."""
    made = workflow()
    assert made[True]["schedule"] and made["jobs"]["benchmark"]["runs-on"] == "self-hosted"
    assert made["jobs"]["benchmark"]["timeout-minutes"] >= 11 * 60


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit, block in zip(("backup.service", "backup.timer"), blocks("ini"), strict=True):
        (tmp_path / unit).write_text(block.replace("/usr/local/bin/energy", str(shutil.which("true"))))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "backup.timer"), str(tmp_path / "backup.service")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "backup" in line]
    assert done.returncode == 0 and said == [], done.stderr


def known() -> dict[str, set[str]]:
    """Metrics of the service, each with its labels."""
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    first = int(now.timestamp())
    real = {"is_synthetic": False, "forecast_known_at": now}
    rows = [
        {"region_id": region, "starts": first + 1800 * at, "forecast_gco2_kwh": 100, **real}
        for region in range(1, 15)
        for at in range(96)
    ]
    prices = [{"starts": first + 1800 * at, "price_gbp_mwh": 50, "is_synthetic": False} for at in range(96)]
    names = [{"region_id": 13, "name": "London"}]
    outlook = from_rows(now, intensities=rows, priced=prices, windows=(), names=names, zones=(), last_real=None)
    metrics = Metrics()
    metrics.grid(families(outlook, {(13, first): 40.0}, now))
    found: dict[str, set[str]] = {}
    for line in metrics.text().decode().splitlines():
        if sample := re.match(r"(energy_\w+?)(?:{(.*)})? \S+$", line):
            found.setdefault(sample[1], set()).update(re.findall(r'(\w+)="', sample[2] or ""))
    return found


def test_every_metric_and_label_of_the_page_is_there() -> None:
    exist = known()
    named_here = re.findall(r"(energy_(?!client)[a-z0-9_]+)(?:{([^}]*)})?", PAGE)
    assert len(named_here) >= 8
    for name, labels in named_here:
        assert name in exist, name
        assert set(re.findall(r"([a-z]+)(?==|,|$)", re.sub(r'"[^"]*"', "", labels))) <= exist[name], (name, labels)
    for label in HORIZONS:
        assert f"`{label}`" in PAGE
    assert f"{', '.join(map(str, WINDOW_HOURS[:-1]))} or {WINDOW_HOURS[-1]} hours" in PAGE


def test_keda_scales_by_text_and_goes_on_without_a_value() -> None:
    spec = named("ScaledObject")["spec"]
    (trigger,) = spec["triggers"]
    assert all(isinstance(value, str) for value in trigger["metadata"].values()), "KEDA takes strings alone"
    assert (
        trigger["metadata"]["ignoreNullValues"] == "false" and spec["fallback"]["replicas"] == spec["maxReplicaCount"]
    )
