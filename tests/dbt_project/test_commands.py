"""dbt as an analytics engineer uses it: whatever the command, keys, foreign keys and views stand afterwards."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.energy import Energy, contents
from warehouse.database import Role, dbt_environment
from warehouse.settings import PROJECT_ROOT

DBT = Path(sys.executable).parent / "dbt"
DBT_TARGET = PROJECT_ROOT / ".data" / "dbt-tests"
FOREIGN_KEYS = 8
CONSTRAINTS = (
    "select conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) from pg_constraint "
    "where connamespace in ('public'::regnamespace, 'intermediate'::regnamespace) and contype in ('p', 'f', 'c') order by 1, 2, 3"
)
RELATIONS = (
    "select relkind::text, oid::regclass::text from pg_class "
    "where relnamespace in ('public'::regnamespace, 'intermediate'::regnamespace) and relkind in ('r', 'v') order by 1, 2"
)


def dbt(energy: Energy, *arguments: str, **settings: str) -> str:
    environment = {
        **os.environ,
        **dbt_environment(energy.database),
        "DBT_TARGET_PATH": str(DBT_TARGET),
        "DBT_LOG_PATH": str(DBT_TARGET),
        **settings,
    }
    done = subprocess.run(
        [str(DBT), *arguments],
        cwd=PROJECT_ROOT / "dbt_project",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


REBUILT = ("run", "--full-refresh", "-s")
COMMANDS = (
    ("run",),
    ("run", "--full-refresh"),
    ("build", "--full-refresh"),
    ("seed", "--full-refresh"),
    (*REBUILT, "regions"),
    (*REBUILT, "grid_zones", "compute_windows"),
    (*REBUILT, "carbon_intensity_regional", "generation_mix_national", "demand_actual_national", "wholesale_prices"),
    (*REBUILT, "int_carbon_intensity__captures", "int_data_coverage__days", "int_demand_forecasts"),
    (*REBUILT, "int_data_revisions__half_hours"),
    (*REBUILT, "int_forecast_skill__days", "int_forecast_skill__months"),
    (*REBUILT, "stg_carbon_intensity__regional", "carbon_intensity_vintages", "latest_compute_windows"),
)


@pytest.mark.slow
def test_keys_foreign_keys_views_and_values_stand_after_every_command(energy: Energy) -> None:
    energy.refresh()
    constraints, relations = energy.query(CONSTRAINTS), energy.query(RELATIONS)
    assert sum(kind == "f" for _, kind, _ in constraints) == FOREIGN_KEYS
    before = contents(energy, without=("updated_at",))
    vintages = energy.value("select count(*) from carbon_intensity_vintages")
    for arguments in COMMANDS:
        command = " ".join(arguments)
        dbt(energy, *arguments)
        assert energy.query(CONSTRAINTS) == constraints, command
        assert energy.query(RELATIONS) == relations, command
        assert contents(energy, without=("updated_at",)) == before, command
        assert energy.value("select count(*) from carbon_intensity_vintages") == vintages > 0, command


@pytest.mark.slow
def test_what_an_analytics_engineer_runs(energy: Energy) -> None:
    energy.refresh()
    dbt(energy, "test")
    dbt(energy, "source", "freshness")
    dbt(energy, "docs", "generate", "--static")
    public = contents(energy)
    dbt(energy, "build", "--target", "personal", DBT_SCHEMA="jo")
    assert contents(energy) == public, "a personal target never touches public"
    mine = energy.query("select period_start, forecast_gco2_kwh from jo.carbon_intensity_national order by 1")
    assert mine == energy.query("select period_start, forecast_gco2_kwh from carbon_intensity_national order by 1")


@pytest.mark.slow
def test_public_is_rebuilt_from_the_payloads_alone(energy: Energy, emulator: Emulator) -> None:
    standing = datetime.now(UTC)
    emulator.now = lambda: standing  # type: ignore[method-assign]  # no price is revised meanwhile
    energy.refresh()
    energy.backfill("2024-03-01", "2024-03-03")
    before = contents(energy, without=("updated_at",))
    with energy.database.connect(role=Role.TRANSFORMER) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        connection.execute(f"drop table {', '.join(t[0] for t in tables)} cascade")
    assert energy.refresh()["failures"] == []
    after = contents(energy, without=("updated_at",))
    for table, rows in before.items():
        assert set(rows) <= set(after[table])


def test_every_model_is_described_once_and_its_description_begins_with_its_grain() -> None:
    """A staging model beside its source entry, any other in a file of its own."""
    import yaml

    for model in (PROJECT_ROOT / "dbt_project/models").rglob("*.sql"):
        source = model.parent.name
        of_sources = model.parent / f"_{source}__sources.yml"
        home = of_sources if of_sources.exists() else model.with_suffix(".yml")
        page = [entry for entry in yaml.safe_load(home.read_text())["models"] if entry["name"] == model.stem]
        assert len(page) == 1, model
        assert page[0]["description"].startswith("Grain: ")
        for column in page[0].get("columns", []):
            assert column["description"] and column["data_type"]


def test_every_view_has_its_key_tested_and_every_table_a_primary_key() -> None:
    import yaml

    views = set()
    for room in ("marts", "intermediate"):
        for model in (PROJECT_ROOT / "dbt_project/models" / room).rglob("*.sql"):
            (page,) = yaml.safe_load(model.with_suffix(".yml").read_text())["models"]
            if "keyed_table" in model.read_text():
                keys = [c["type"] for c in page["constraints"] if c["type"] == "primary_key"]
                assert keys == ["primary_key"], model.stem
            else:
                (test,) = page["data_tests"]
                key = set(test["is_key"]["arguments"]["columns"])
                assert key and (room == "intermediate" or key <= {c["name"] for c in page["columns"]}), model.stem
                views.add(model.stem)
    assert {"int_forecast_skill__forecasts", "int_forecast_skill__outcomes"} <= views
