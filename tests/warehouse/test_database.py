"""The address, the roles and the schemas of the warehouse."""

from dataclasses import replace
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.energy import Energy
from warehouse.database import Database, Role, existing_roles, parse
from warehouse.errors import OutageError, UsageError
from warehouse.prepare import newest_revision, prepare

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(user=TEXT, password=TEXT, name=TEXT)
def test_an_address_survives_being_written_as_a_url(user: str, password: str, name: str) -> None:
    url = (
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@h:5433/{quote(name, safe='')}?sslmode=require"
    )
    database = parse(url)
    assert (database.user, database.password, database.name, database.port) == (user, password, name, 5433)
    assert repr(database) == repr(replace(database, password="another")), "the password is no part of it"


@pytest.mark.parametrize(
    "url", ["", "mysql://u:p@h/d", "postgresql://", "postgresql://h", "postgresql://u:p@h:x/d", "nonsense"]
)
def test_what_is_no_address_is_refused_with_advice(url: str) -> None:
    with pytest.raises(UsageError, match="Expected the form postgresql://"):
        parse(url)


def test_preparing_twice_changes_nothing(database: Database) -> None:
    prepare(database)
    with database.connect() as connection:
        assert connection.execute("select version_num from ops.alembic_version").fetchone() == (newest_revision(),)
        path = connection.execute("show search_path").fetchone()
    assert path == ("public, app",)


def test_no_role_is_a_superuser_and_rights_and_logins_are_apart(database: Database) -> None:
    assert existing_roles(database) == {role.value for role in Role}
    with database.connect() as connection:
        rows = connection.execute(
            "select rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication, rolcanlogin, "
            "rolname = any(%s) from pg_roles where rolname like 'energy\\_%%'",
            [[role.value for role in Role]],
        ).fetchall()
    assert set(rows) == {(False, False, True), (False, True, False)}


@pytest.mark.parametrize(
    ("role", "statement", "allowed"),
    [
        (Role.READER, "select count(*) from public.carbon_intensity_national", True),
        (Role.READER, "select count(*) from public.carbon_intensity_vintages", True),
        (Role.READER, "select count(*) from carbon_intensity_as_of(now())", True),
        (Role.READER, "select count(*) from staging.carbon_intensity__national_payloads", False),
        (Role.READER, "select count(*) from ops.runs", False),
        (Role.READER, "select count(*) from intermediate.int_data_coverage__days", False),
        (Role.READER, "delete from public.carbon_intensity_national", False),
        (Role.LOADER, "delete from staging.carbon_intensity__national_payloads", True),
        (Role.LOADER, "delete from public.carbon_intensity_national", False),
        (Role.TRANSFORMER, "select count(*) from staging.carbon_intensity__national_payloads", True),
        (Role.TRANSFORMER, "delete from staging.carbon_intensity__national_payloads", False),
        (Role.TRANSFORMER, "delete from ops.payload_verdicts", False),
        (Role.SERVICE, "select count(*) from public.carbon_intensity_regional", True),
        (Role.SERVICE, "select count(*) from staging.carbon_intensity__national_payloads", False),
    ],
)
def test_each_schema_has_one_writer(database: Database, role: Role, statement: str, allowed: bool) -> None:
    with database.connect(role=role) as connection:
        if allowed:
            connection.execute(statement)  # type: ignore[arg-type]
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type]


@pytest.mark.slow
def test_without_the_right_to_make_roles_everything_still_works(energy: Energy, empty_database: Database) -> None:
    """As on a hosted PostgreSQL: the user owns its database and no more."""
    with empty_database.connect() as connection:
        connection.execute("drop role if exists plain_owner")
        connection.execute("create role plain_owner login password 'plain'")
        connection.execute(f'alter database "{empty_database.name}" owner to plain_owner')
    plain = replace(empty_database, user="plain_owner", password="plain")
    try:
        energy.set(DATABASE_URL=plain.address())
        assert existing_roles(plain) == frozenset()
        outcome = energy.refresh()
        assert not outcome["failures"], outcome
        with plain.connect() as connection:
            assert connection.execute("select count(*) from carbon_intensity_national").fetchone()[0] > 0  # type: ignore[index]
    finally:
        with empty_database.connect() as connection:
            connection.execute("drop owned by plain_owner cascade")
            connection.execute(f'alter database "{empty_database.name}" owner to current_user')
            connection.execute("drop role plain_owner")


def test_a_server_that_could_be_used_until_now_is_an_outage_and_no_wrong_setting(
    database: Database, server: Database
) -> None:
    with pytest.raises(UsageError, match="Start it, or correct DATABASE_URL"):
        replace(database, name="energy_that_is_not_there").connect()
    database.connect().close()
    with server.connect() as connection:
        connection.execute(f'alter database "{database.name}" with allow_connections false')
        try:
            for role in (None, *Role):
                with pytest.raises(OutageError, match=r"The database went away .* run the same command again"):
                    database.connect(role=role)
        finally:
            connection.execute(f'alter database "{database.name}" with allow_connections true')
