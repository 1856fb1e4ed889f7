"""The house itself: import directions, settings, deployments and documents that are true."""

import ast
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from flows.cadence import CADENCES
from flows.settings import FlowSettings
from pipelines.catalogue import DATASETS
from pipelines.settings import PipelineSettings
from service.settings import ServiceSettings
from warehouse.settings import PROJECT_ROOT, DecisionSettings, WarehouseSettings

ALLOWED = {
    "warehouse": set(),
    "pipelines": {"warehouse"},
    "checkpoints": {"warehouse"},
    "placement": {"warehouse"},
    "flows": {"pipelines", "checkpoints", "placement", "warehouse"},
    "service": {"placement", "warehouse"},
    "client": set(),
}
PURE = {"warehouse.counts", "warehouse.periods"}
"""What `placement` may import of ours: arithmetic of times"""
ONLY_IN = {
    "prefect": "flows",
    "dlt": "pipelines",
    "requests": "pipelines",
    "great_expectations": "checkpoints",
    "alembic": "warehouse",
    "fastapi": "service",
    "mcp": "service",
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
        if other in ONLY_IN and path.relative_to(PROJECT_ROOT).as_posix() != "client/energy/prefect.py":  # its extra
            assert room == ONLY_IN[other], f"{path} imports {module}, which belongs to {ONLY_IN[other]}"


def imported_modules(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    """The modules of ours that a module imports when it runs, also within functions; not those for the type checker alone."""
    found: set[str] = set()

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from room import module` imports the module, `from room.module import name` too
            found.update(
                full if (full := f"{node.module}.{alias.name}") in known else node.module for alias in node.names
            )
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(path.read_text()))
    return {module for module in found if module in known} - {name}


def circles(modules: Mapping[str, Path]) -> list[str]:
    """A circle of imports as `a, b, a`; none if there is none."""
    try:
        TopologicalSorter({name: imported_modules(name, path, modules) for name, path in modules.items()}).prepare()
    except CycleError as circle:
        return list(circle.args[1])
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = {}
    for room in (*ALLOWED, "benchmarks"):
        for path in (PROJECT_ROOT / room).rglob("*.py"):
            parts = path.relative_to(PROJECT_ROOT).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert circles(modules) == []


def test_a_circle_within_functions_is_found(tmp_path: Path) -> None:
    modules = {f"room.{name}": tmp_path / f"{name}.py" for name in ("a", "b", "c")}
    modules["room.a"].write_text("import room.b\n")
    modules["room.b"].write_text("def late():\n    from room import c\n")
    modules["room.c"].write_text("if TYPE_CHECKING:\n    from room.a import A\n")
    assert circles(modules) == [], "an import for the type checker is none"
    modules["room.c"].write_text("class C:\n    def late(self):\n        from room.a import A\n")
    assert set(circles(modules)) == set(modules)


def test_the_client_needs_httpx_alone() -> None:
    described = tomllib.loads((PROJECT_ROOT / "client/pyproject.toml").read_text())["project"]
    assert [re.split("[^a-z]", name)[0] for name in described["dependencies"]] == ["httpx"]
    ours = {"energy", "__future__", "httpx"}
    for path, module in imports("client"):
        name = module.split(".")[0]
        is_extra = path.name == "prefect.py" and name == "prefect"
        assert name in ours or name in sys.stdlib_module_names or is_extra, f"{path} imports {module}"


def test_decisions_are_arithmetic() -> None:
    """No SQL, no HTTP, no clock: the same input gives the same answer."""
    known = {"placement", "numpy", "collections", "dataclasses", "datetime", "functools", "math", "typing", "uuid"}
    for path, module in imports("placement"):
        assert module.split(".")[0] in known or module in PURE, f"{path} imports {module}"
        assert not re.search(r"\b(now|utcnow|today)\(", path.read_text()), f"{path} looks at the clock"


@pytest.mark.parametrize(
    "room", ["warehouse", "pipelines", "checkpoints", "placement", "flows", "service", "client", "benchmarks"]
)
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
        f.upper()
        for s in (WarehouseSettings, DecisionSettings, PipelineSettings, FlowSettings, ServiceSettings)
        for f in s.model_fields
    }
    assert named - settings == {"TEST_DATABASE_URL", "RECORDED_DIR"}
    assert settings <= named


def test_every_deployment_imports_and_takes_its_parameters() -> None:
    config = yaml.safe_load((PROJECT_ROOT / "prefect.yaml").read_text())
    assert {d["name"] for d in config["deployments"]} == {
        *("refresh", "refresh-carbon-intensity", "refresh-elexon", "refresh-neso", "refresh-beckn"),
        *("transform", "backfill", "discover-neso", "maintenance", "export", "replan", "settle", "dispatch"),
        "example-job",
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


def test_the_value_of_carbon_has_one_home() -> None:
    """A setting of the ground floor: the service's default is that one, and dbt has no number of its own."""
    value = DecisionSettings.model_fields["carbon_value_gbp_tonne"].default
    assert ServiceSettings.model_fields["carbon_value_gbp_tonne"].default == value
    for path in (*(PROJECT_ROOT / "dbt_project").rglob("*.sql"), *(PROJECT_ROOT / "dbt_project").rglob("*.yml")):
        assert f"{value / 1000:g}" not in path.read_text(), path


@pytest.mark.parametrize("slug", DATASETS)
def test_every_dataset_has_a_line_in_the_page_of_its_source(slug: str) -> None:
    source, name = slug.split("__")
    page = PROJECT_ROOT / "docs" / "sources" / f"{source}.md"
    assert re.search(rf"`{name}`", page.read_text()), f"{page.relative_to(PROJECT_ROOT)} does not name `{name}`"


def test_words_of_our_own_do_not_come_back() -> None:
    """Responses are validated, and rows say what they hold; also within names. Migrations stay as they ran."""
    ours = re.compile("(?<![a-z])(?:" + "|".join(("to" + "ld", "jud" + "ged?", "jud" + "ges")) + ")(?![a-z])")
    for path in PROJECT_ROOT.glob("*/**/*.py"):
        if not {".venv", ".data", "versions"} & set(path.parts):
            assert not (found := ours.findall(path.read_text())), f"{path.relative_to(PROJECT_ROOT)}: {found}"


DRAWN = {"service/pages/charts/bars.py", "service/pages/charts/scale.py", "service/pages/charts/curve.py"}
"""Lengths on a drawing"""


def test_the_length_of_a_half_hour_has_one_home() -> None:
    for room in (*ALLOWED, "benchmarks"):
        for path in (PROJECT_ROOT / room).rglob("*.py"):
            name, written = path.relative_to(PROJECT_ROOT).as_posix(), path.read_text()
            if name != "warehouse/periods.py" and name not in DRAWN and room != "client":  # which needs httpx alone
                assert not re.search(r"timedelta\(minutes=30\)", written), f"{name}: HALF_HOUR of warehouse.periods"
            if room in ("placement", "flows", "benchmarks"):
                numbers = [node.value for node in ast.walk(ast.parse(written)) if isinstance(node, ast.Constant)]
                assert 1800 not in numbers, f"{name}: HALF_HOUR_SECONDS of warehouse.periods"


EXPLAINED = {
    ("tests/", "F401"): "a fixture is used by its name as a parameter",
    ("tests/", "F811"): "a fixture is used by its name as a parameter",
    ("service/gsf/", "N803"): "names of the Carbon Aware SDK's API",
    ("service/gsf/", "N815"): "names of the Carbon Aware SDK's API",
}
"""Rules of the linter that many lines of a folder leave out, for one reason"""


def test_each_exclusion_of_the_linter_has_its_reason() -> None:
    for path in (path for path in PROJECT_ROOT.glob("*/**/*.py") if not {".venv", ".data"} & set(path.parts)):
        name = path.relative_to(PROJECT_ROOT).as_posix()
        for codes, reason in re.findall(r"#\s*noqa: ((?:[A-Z]+[0-9]+(?:, *)?)+)(.*)", path.read_text()):
            is_explained = all(
                any(name.startswith(folder) and code == known for folder, known in EXPLAINED)
                for code in re.split(r", *", codes.strip())
            )
            assert is_explained or re.search(r"\w{2}", reason), f"{name}: noqa {codes} without a reason"
    written = (PROJECT_ROOT / "pyproject.toml").read_text().split("[tool.ruff.lint]")[1].split("[tool.mypy]")[0]
    for section in re.findall(r"(?:ignore = \[|per-file-ignores\]).*?(?=\n\n|\n\])", written, flags=re.S):
        before = ""
        for line in section.splitlines()[1:]:
            assert "#" in line or before.startswith("#"), f"pyproject.toml: {line} without a reason"
            before = line


def test_what_the_project_installs_is_imported_or_its_page_says_what_for() -> None:
    """What a library needs comes with it, and is not ours to name."""
    named = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    page = (PROJECT_ROOT / "docs/decisions/dependencies.md").read_text()
    imported = {module.split(".")[0] for room in (*ALLOWED, "benchmarks") for _, module in imports(room)}
    of_module = packages_distributions()
    for name in (re.split(r"[^a-z0-9-]", one)[0] for one in named):
        modules = {module for module, by in of_module.items() if name in {one.lower().replace("_", "-") for one in by}}
        is_explained = re.search(rf"^\|[^|]*\b{name}\b[^|]*\|", page, flags=re.M)
        assert modules & imported or is_explained, f"{name} is imported nowhere"


def test_migrations_are_one_line() -> None:
    """Each has one before it and one after it, in the order of their names."""
    versions = sorted((PROJECT_ROOT / "warehouse/migrations/versions").glob("*.py"))
    named = [
        re.findall(r'^(?:down_)?revision[^=]*= "?([0-9_]+|None)', path.read_text(), flags=re.M) for path in versions
    ]
    assert [before for _, before in named] == ["None", *(revision for revision, _ in named[:-1])]


MAPPED = sorted(
    path.parent.relative_to(PROJECT_ROOT).as_posix()
    for room in (*ALLOWED, "benchmarks")
    for path in (PROJECT_ROOT / room).rglob("__init__.py")
    if any(other.name not in ("__init__.py", "__main__.py") for other in path.parent.glob("*.py"))
)
NO_MODULES = {*ALLOWED, "app", "intermediate", "ops", "public", "staging", "critical", "warning", "energy"}
"""What an entry of a map may name beside modules: rooms, schemas, severities, the command"""


@pytest.mark.parametrize("package", MAPPED)
def test_the_map_of_a_package_names_every_module_and_none_that_does_not_exist(package: str) -> None:
    folder = PROJECT_ROOT / package
    written = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    entries = "".join(re.findall(r"^- (?:.+\n?)+", written, flags=re.M))
    named = set(re.findall(r"`([a-z_0-9]+)/?`", entries))
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    datasets = {d.name for d in DATASETS.values()} if "one module per dataset" in entries else set()
    assert modules | packages <= named | datasets
    below = {path.stem for path in folder.rglob("*.py")}
    assert named <= below | packages | NO_MODULES
