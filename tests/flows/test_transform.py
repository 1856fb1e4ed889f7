"""`transform`: dbt alone; and `public` built again from the payloads."""

import psycopg
import pytest

from tests.conftest import CLEAN_TABLES, Energy
from warehouse.database import Role


def bytes_of(energy: Energy) -> dict[str, list[tuple[str]]]:
    """Every clean table as text, row by row; `updated_at` says when a row was written, not what it holds."""
    return {
        table: energy.query(f"select (to_jsonb(kept) - 'updated_at')::text from {table} as kept order by 1")
        for table in CLEAN_TABLES
    }


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
