"""The house itself: import directions, settings, deployments and documents that are true."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from flows.cadence import CADENCES
from flows.settings import FlowSettings
from pipelines.catalogue import DATASETS
from pipelines.settings import PipelineSettings
from service.settings import ServiceSettings
from warehouse.settings import PROJECT_ROOT, WarehouseSettings

ALLOWED = {
    "warehouse": set(),
    "pipelines": {"warehouse"},
    "checkpoints": {"warehouse"},
    "flows": {"pipelines", "checkpoints", "warehouse"},
    "service": {"warehouse"},
}
ONLY_IN = {
    "prefect": "flows",
    "dlt": "pipelines",
    "requests": "pipelines",
    "great_expectations": "checkpoints",
    "alembic": "warehouse",
    "fastapi": "service",
    "distributed": "flows",
}


def imports(room: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((PROJECT_ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield path, node.module


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_run_one_way(room: str) -> None:
    for path, module in imports(room):
        other = module.split(".")[0]
        if other in ALLOWED and other != room:
            assert other in ALLOWED[room], f"{path} imports {module}"
        if other in ONLY_IN:
            assert room == ONLY_IN[other], f"{path} imports {module}, which belongs to {ONLY_IN[other]}"


@pytest.mark.parametrize("room", ["warehouse", "pipelines", "checkpoints", "flows", "service", "benchmarks"])
def test_only_settings_read_the_environment(room: str) -> None:
    for path in (PROJECT_ROOT / room).rglob("*.py"):
        if path.name != "settings.py":
            reads = re.findall(r"os\.getenv|os\.environ(?:\[[^\]]*\](?!\s*=)|\.get)", path.read_text())
            assert not reads, f"{path} reads the environment"


def test_no_room_shadows_a_package() -> None:
    assert not {p.name for p in PROJECT_ROOT.iterdir()} & {"prefect", "dbt", "dlt", "great_expectations"}


def test_the_example_names_every_setting() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (PROJECT_ROOT / ".env.example").read_text(), flags=re.M))
    settings = {
        f.upper() for s in (WarehouseSettings, PipelineSettings, FlowSettings, ServiceSettings) for f in s.model_fields
    }
    assert named - settings == {"TEST_DATABASE_URL", "RECORDED_DIR"}
    assert settings <= named


def test_every_deployment_imports_and_takes_its_parameters() -> None:
    config = yaml.safe_load((PROJECT_ROOT / "prefect.yaml").read_text())
    assert {d["name"] for d in config["deployments"]} == {
        *("refresh", "refresh-carbon-intensity", "refresh-elexon", "refresh-neso", "refresh-beckn"),
        *("transform", "backfill", "discover-neso", "maintenance"),
    }
    for deployment in config["deployments"]:
        module, name = deployment["entrypoint"].rsplit(".", 1)
        flow = getattr(importlib.import_module(module), name)
        flow.validate_parameters(deployment.get("parameters", {}))
        properties = flow.__class__.__name__ and inspect.signature(flow.fn).parameters
        assert set(deployment.get("parameters", {})) <= set(properties)
        from prefect.utilities.callables import parameter_schema

        for field, schema in parameter_schema(flow.fn).properties.items():
            assert schema.get("description"), f"{name}.{field} has no description in the form"


def test_each_source_is_scheduled_as_often_as_the_watch_expects() -> None:
    config = yaml.safe_load((PROJECT_ROOT / "prefect.yaml").read_text())
    runs_an_hour = {}
    for deployment in config["deployments"]:
        source = ((deployment.get("parameters") or {}).get("datasets") or [None])[0]
        if deployment["name"].startswith("refresh-"):
            (schedule,) = deployment["schedules"]
            runs_an_hour[source] = len(schedule["cron"].split()[0].split(","))
    assert runs_an_hour == {source: 3600 / cadence.total_seconds() for source, cadence in CADENCES.items()}
    assert set(CADENCES) == {dataset.source for dataset in DATASETS.values()}


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT_ROOT / "Makefile").read_text(), flags=re.M))
    for document in (PROJECT_ROOT / "README.md", *(PROJECT_ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"`make (?:-s )?([a-z]+)", document.read_text()):
            assert target in targets, f"{document} speaks of make {target}"


def test_the_lock_is_pinned_by_hash_and_names_no_host() -> None:
    lock = (PROJECT_ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,0-9-]+\])?==", lock, flags=re.M)
    assert len(pinned) > 100
    assert lock.count("--hash=sha256:") > len(pinned)
    assert "http" not in lock.replace("httpcore", "").replace("httpx", "").replace("httptools", "")
