"""A contract that changes on a table with rows: the table follows, or nothing changes and dbt says why."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dbt_project.test_commands import DBT
from tests.energy import Energy
from warehouse.database import Role, dbt_environment
from warehouse.settings import PROJECT_ROOT

TABLE = "public.wholesale_prices"
COLUMNS = (
    "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
    f"where attrelid = '{TABLE}'::regclass and attnum > 0 and not attisdropped order by attnum"
)
CHECKS = f"select pg_get_constraintdef(oid) from pg_constraint where conrelid = '{TABLE}'::regclass order by 1"
VIEWS = (
    "select relname, pg_get_viewdef(oid), relacl::text from pg_class "
    "where relkind = 'v' and relnamespace = 'public'::regnamespace order by 1"
)
COMMENTS = (
    "select objoid::regclass::text, objsubid, description from pg_description join pg_class on objoid = pg_class.oid "
    "where relkind = 'v' and relnamespace = 'public'::regnamespace order by 1, 2"
)
BOUND = "price_gbp_mwh between {{ var('bounds').price_gbp_mwh.least }} and {{ var('bounds').price_gbp_mwh.most }}"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Project:
    """A copy of the dbt project, to be changed."""

    def __init__(self, folder: Path, energy: Energy):
        self.folder, self.energy = folder / "dbt_project", energy
        shutil.copytree(PROJECT_ROOT / "dbt_project", self.folder, ignore=shutil.ignore_patterns("target", "logs"))

    def edit(self, suffix: str, old: str, new: str) -> None:
        """Change the model of the table (`sql`) or its contract (`yml`)."""
        (path,) = self.folder.rglob(f"wholesale_prices.{suffix}")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def run(self, *arguments: str, model: str = "wholesale_prices") -> "subprocess.CompletedProcess[str]":
        """`dbt run` of a table, as an analytics engineer runs it."""
        environment = {
            **os.environ,
            **dbt_environment(self.energy.database),
            "DBT_TARGET_PATH": str(self.folder / "target"),
            "DBT_LOG_PATH": str(self.folder / "logs"),
        }
        return subprocess.run(
            [str(DBT), "run", *arguments, "-s", model],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture
def project(energy: Energy, tmp_path: Path) -> Project:
    energy.refresh("elexon__market_index", "elexon__system_prices")
    assert energy.value(f"select count(*) from {TABLE}")
    return Project(tmp_path, energy)


NEW_COLUMN = """
      - name: is_negative
        data_type: boolean
        description: "Whether the price is below zero."
        constraints: [{constraints}]
      - name: source"""


@pytest.mark.slow
def test_columns_types_and_checks_reach_a_table_that_exists(project: Project, energy: Energy) -> None:
    views, rows = (
        energy.query(VIEWS),
        energy.query(f"select market, period_start, volume_mwh from {TABLE} order by 1, 2"),
    )
    project.edit("yml", BOUND, "price_gbp_mwh between -20000 and 20000")
    project.edit(
        "yml",
        "- name: volume_mwh\n        data_type: numeric",
        "- name: volume_mwh\n        data_type: numeric(14, 4)",
    )
    project.edit(
        "yml",
        "\n      - name: source",
        NEW_COLUMN.replace("{constraints}", '{type: check, expression: "is_negative = (price_gbp_mwh < 0)"}'),
    )
    project.edit(
        "sql",
        "    volume_mwh,\n    source,",
        "    volume_mwh::numeric(14, 4) as volume_mwh,\n    price_gbp_mwh < 0 as is_negative,\n    source,",
    )
    energy.query(f"alter table {TABLE} alter column source drop not null")
    with energy.database.connect(role=Role.TRANSFORMER) as connection:
        connection.execute(
            f"create view by_volume as select market, sum(volume_mwh) as volume from {TABLE} group by market"
        )
        connection.execute("create view by_volume_again as select * from by_volume")
        connection.execute("grant select on by_volume to public")
        connection.execute("comment on view by_volume is 'Grain: a market. 100 % of it; what''s traded'")
        connection.execute("comment on column by_volume_again.volume is 'MWh'")
    before = energy.query("select count(*) from by_volume_again")
    comments = energy.query(COMMENTS)
    assert len(comments) > 50, "views of the project have theirs too"

    done = project.run()
    assert done.returncode == 0, done.stdout
    types = {name: (kind, not_null) for name, kind, not_null in energy.query(COLUMNS)}
    assert types["volume_mwh"] == ("numeric(14,4)", False)
    assert types["is_negative"] == ("boolean", False)
    assert types["source"] == ("text", True)
    checks = [definition for (definition,) in energy.query(CHECKS)]
    assert [c for c in checks if "price_gbp_mwh >=" in c] == [
        "CHECK (((price_gbp_mwh >= ('-20000'::integer)::numeric) AND (price_gbp_mwh <= (20000)::numeric)))"
    ]
    assert [c for c in checks if "is_negative" in c] == ["CHECK ((is_negative = (price_gbp_mwh < (0)::numeric)))"]
    assert energy.query(f"select market, period_start, volume_mwh from {TABLE} order by 1, 2") == rows
    assert energy.query("select count(*) from by_volume_again") == before
    assert energy.query(COMMENTS) == comments
    assert energy.value("select has_table_privilege('energy_reader', 'by_volume', 'select')")
    energy.query("drop view by_volume cascade")
    assert [name for name, _, _ in energy.query(VIEWS)] == [name for name, _, _ in views]


@pytest.mark.slow
def test_the_check_of_an_older_version_is_replaced_on_a_table_with_rows(energy: Energy, tmp_path: Path) -> None:
    """Measured intensities were once checked by the bound of forecasts."""
    table = "public.carbon_intensity_national"
    checks = f"select pg_get_constraintdef(oid) from pg_constraint where conrelid = '{table}'::regclass order by 1"
    energy.refresh("carbon_intensity__national")
    now, rows = energy.query(checks), energy.query(f"select * from {table} order by 1")
    name = energy.value(
        f"select conname from pg_constraint where conrelid = '{table}'::regclass "
        "and pg_get_constraintdef(oid) like '%actual_gco2_kwh >= 1)%'"
    )
    energy.query(
        f'alter table {table} drop constraint "{name}", add constraint "{name}" check (actual_gco2_kwh between 0 and 1000)'
    )
    assert energy.query(checks) != now
    done = Project(tmp_path, energy).run(model="carbon_intensity_national")
    assert done.returncode == 0, done.stdout
    assert energy.query(checks) == now
    assert len(rows) > 90 and energy.query(f"select * from {table} order by 1") == rows


@pytest.mark.slow
def test_a_contract_that_rows_break_changes_nothing_until_they_are_written_anew(
    project: Project, energy: Energy
) -> None:
    before = energy.query(COLUMNS), energy.query(CHECKS), energy.query(f"select * from {TABLE} order by 1, 2")
    project.edit("yml", BOUND, "price_gbp_mwh between -20000 and 20000")
    project.edit("yml", "\n      - name: source", NEW_COLUMN.replace("{constraints}", "{type: not_null}"))
    project.edit(
        "sql",
        "    source,\n    payload_id,",
        "    coalesce(price_gbp_mwh < 0, false) as is_negative,\n    source,\n    payload_id,",
    )
    done = project.run()
    assert done.returncode == 1
    assert 'column "is_negative" of relation "wholesale_prices" contains null values' in done.stdout
    assert (energy.query(COLUMNS), energy.query(CHECKS), energy.query(f"select * from {TABLE} order by 1, 2")) == before

    done = project.run("--full-refresh")
    assert done.returncode == 0, done.stdout
    assert ("is_negative", "boolean", True) in energy.query(COLUMNS)
    assert energy.value(f"select count(is_negative) from {TABLE}") == len(before[2])


@pytest.mark.slow
def test_a_type_that_the_values_cannot_be_cast_to_changes_nothing_and_says_why(
    project: Project, energy: Energy
) -> None:
    state = (COLUMNS, CHECKS, VIEWS, COMMENTS, f"select * from {TABLE} order by 1, 2")
    before = [energy.query(one) for one in state]
    project.edit("yml", "- name: source\n        data_type: text", "- name: source\n        data_type: integer")
    project.edit("yml", ", {type: check, expression: \"source in ('neso', 'elexon')\"}", "")
    project.edit("sql", "    source,\n    payload_id,", "    0 as source,\n    payload_id,")
    project.edit("yml", BOUND, "price_gbp_mwh between -20000 and 20000")
    done = project.run()
    assert done.returncode == 1
    assert 'invalid input syntax for type integer: "elexon" (alter table ' in done.stdout, done.stdout
    assert "alter column source type integer" in done.stdout
    assert [energy.query(one) for one in state] == before


@pytest.mark.slow
def test_a_column_that_has_gone_and_a_key_that_changed_are_for_a_person_to_decide(
    project: Project, energy: Energy
) -> None:
    before = energy.query(COLUMNS), energy.query(CHECKS)
    project.edit("yml", "columns: [market, period_start]", "columns: [market, period_start, source]")
    project.edit("sql", "unique_key=['market', 'period_start']", "unique_key=['market', 'period_start', 'source']")
    energy.query(f"alter table {TABLE} add column note text")
    done = project.run()
    assert done.returncode == 1
    assert "its column note is not in the contract" in done.stdout
    assert (
        "its key is PRIMARY KEY (market, period_start), that of the contract PRIMARY KEY (market, period_start, source)"
        in done.stdout
    )
    energy.query(f"alter table {TABLE} drop column note")
    assert (energy.query(COLUMNS), energy.query(CHECKS)) == before
