"""`transform`: dbt alone; and `public` built again from the payloads."""

import psycopg
import pytest

from tests.energy import CLEAN_TABLES, Energy
from warehouse.database import Role


def bytes_of(energy: Energy) -> dict[str, list[tuple[str]]]:
    """Every clean table as text, row by row; `updated_at` says when a row was written, not what it holds."""
    return {
        table: energy.query(f"select (to_jsonb(kept) - 'updated_at')::text from {table} as kept order by 1")
        for table in CLEAN_TABLES
    }


@pytest.mark.slow
def test_public_is_dropped_and_comes_back_byte_for_byte(energy: Energy) -> None:
    from flows.transform import transform

    energy.refresh()
    energy.backfill("2024-03-29", "2024-04-01")
    before = bytes_of(energy)
    assert all(before.values())
    views = (
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'r') order by 1"
    )
    functions = "select proname from pg_proc where pronamespace = 'public'::regnamespace order by 1"
    relations, routines = energy.query(views), energy.query(functions)
    keys = energy.value("select count(*) from pg_constraint where connamespace = 'public'::regnamespace")
    energy.query("drop schema public cascade")

    assert transform.fn()["failures"] == []
    assert bytes_of(energy) == before
    assert energy.query(views) == relations
    assert energy.query(functions) == routines
    assert energy.value("select count(*) from pg_constraint where connamespace = 'public'::regnamespace") == keys
    with energy.database.connect(role=Role.READER) as connection:
        assert connection.execute("select count(*) from carbon_intensity_national").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table public.mine ()")


def test_with_nothing_landed_every_table_and_view_is_there_and_empty(energy: Energy) -> None:
    from flows.transform import transform

    assert transform.fn()["failures"] == []
    assert energy.value("select count(*) from regional_opportunities") == 14
    assert energy.value("select count(*) from wholesale_prices") == 0


@pytest.mark.slow
def test_an_index_that_is_new_in_a_model_reaches_a_table_that_exists(energy: Energy) -> None:
    from flows.transform import transform

    definitions = (
        "select split_part(indexdef, ' USING ', 2) from pg_indexes "
        "where schemaname = 'intermediate' and tablename = 'int_carbon_intensity__captures' order by 1"
    )
    before = energy.query(definitions)
    (name,) = energy.query(
        "select indexname from pg_indexes where tablename = 'int_carbon_intensity__captures' "
        "and indexdef like '%(region_id, is_synthetic%'"
    )[0]
    energy.query(f'drop index intermediate."{name}"')
    for _ in range(2):
        energy.query("delete from ops.built_projects")  # as after any change of the project's files
        assert transform.fn()["failures"] == []
        assert energy.query(definitions) == before


@pytest.mark.slow
def test_a_table_of_pending_rows_that_is_gone_comes_back_with_the_next_run(energy: Energy) -> None:
    from flows.transform import transform

    energy.refresh("elexon__market_index")
    energy.query(
        "drop table intermediate.stg_elexon__system_prices__pending, intermediate.stg_elexon__market_index__pending"
    )
    energy.query("drop view intermediate.pending_payloads")
    assert transform.fn()["failures"] == []
    assert energy.value("select count(*) from intermediate.stg_elexon__system_prices__pending") == 0
    assert energy.value("select count(*) from intermediate.pending_payloads") == 0
