"""A client that openapi-python-client makes of `/openapi.json`: what it gives are classes, and it works."""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.service.conftest import TOKEN

NAME = "generated_energy_client"


def generated(described: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    """The client, made of what the service says of itself."""
    (folder / "openapi.json").write_text(json.dumps(described))
    config = folder / "config.yml"
    config.write_text(
        "post_hooks: []\ncontent_type_overrides: {application/vnd.apache.parquet: application/octet-stream}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", folder / "openapi.json", "--meta", "none",
         "--config", config, "--output-path", folder / name, "--fail-on-warning"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module(name)


@pytest.fixture
def package(served: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The client of our own routes."""
    return generated(served.get("/openapi.json").json(), tmp_path, monkeypatch, NAME)


@pytest.mark.slow
def test_a_generated_client_works_and_gives_classes(package: ModuleType, served: httpx.Client) -> None:
    client = package.AuthenticatedClient(base_url=str(served.base_url), token=TOKEN, raise_on_unexpected_status=True)

    def operation(path: str) -> ModuleType:
        return importlib.import_module(f"{NAME}.api.{path}")

    modules = [
        operation(f"{path.parent.name}.{path.stem}")
        for path in (Path(str(package.__file__)).parent / "api").glob("*/*.py")
        if path.stem != "__init__"
    ]
    assert len(modules) >= 15
    for module in modules:
        if module.__name__.endswith("metrics_metrics_get") or "page" in module.__name__.split(".")[-2]:
            continue
        given = inspect.signature(module.sync).return_annotation
        assert given is not Any and "Any" not in str(given), (module.__name__, given)

    def found(part: str) -> ModuleType:
        (module,) = [one for one in modules if one.__name__.rsplit(".", 1)[1].startswith(part)]
        return module

    models = importlib.import_module(f"{NAME}.models")
    place = found("places_places_get").sync(client=client, q="EN2 6AB")
    assert isinstance(place, models.PlacesFound) and place.places[0].region_id == 10
    windows = found("best_windows").sync(client=client, city=["Leeds"], limit=2)
    assert isinstance(windows, models.BestWindows) and windows.windows[0].region_id == 5
    assert windows.windows[0].starts_at.tzinfo is not None
    page = found("series_series_name").sync(
        "carbon_intensity_regional_forecast", client=client, postcode=["M1"], limit=3
    )
    assert isinstance(page, models.SeriesPage) and {row.region_id for row in page.rows} == {3}
    assert all(isinstance(row.value, float) and row.is_synthetic is False for row in page.rows)
    brief = found("energy").sync(client=client, detail=models.EnergyAgentsEnergyContextGetDetail.BRIEF)
    assert isinstance(brief, models.EnergyBrief) and brief.regions[0].hourly_gco2_kwh
    submitted = found("submit_task_submit_task_post").sync(
        client=client, body=models.TaskRequest(request="Train a model", power_kw=2.0)
    )
    assert isinstance(submitted, models.Submitted) and submitted.understood.in_words
    refused = found("places_places_get").sync(client=client, q="BT1 1AA")
    assert isinstance(refused, models.ProblemDetails) and "Northern Ireland" in refused.detail


@pytest.mark.slow
def test_a_client_generated_from_the_gsf_routes_works_and_gives_classes(
    served: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "generated_gsf_client"
    package = generated(served.get("/gsf/swagger/v1/swagger.json").json(), tmp_path, monkeypatch, name)
    client = package.Client(base_url=f"{str(served.base_url).rstrip('/')}/gsf", raise_on_unexpected_status=True)
    modules = [
        importlib.import_module(f"{name}.api.{path.parent.name}.{path.stem}")
        for path in (tmp_path / name / "api").glob("*/*.py")
        if path.stem != "__init__"
    ]
    assert len(modules) >= 8, [module.__name__ for module in modules]
    (current,) = [module for module in modules if "current" in module.__name__]
    (forecast,) = current.sync(client=client, location=["uksouth"], window_size=240)
    assert type(forecast).__module__.startswith(f"{name}.models") and forecast.location == "uksouth"
    assert forecast.forecast_data and forecast.optimal_data_points[0].duration == 240
    refused = current.sync(client=client, location=["nowhere"])
    assert type(refused).__module__.startswith(f"{name}.models") and refused.status == 400
