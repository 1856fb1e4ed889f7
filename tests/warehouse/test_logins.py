"""Each room logs in as itself: from its own connection nothing leads to the rights of the owner or of another room."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import errors

from tests.commands import run
from tests.energy import Energy
from warehouse import logins as login_store
from warehouse.database import Database, Role, existing_roles, logins
from warehouse.errors import UsageError
from warehouse.prepare import prepare

ESCAPES = (
    "set role {owner}",
    "set session authorization {owner}",
    "set session authorization default; select * from app.operator_tokens",
    "reset role; select * from app.operator_tokens",
    "set role none; select * from app.operator_tokens",
    "discard all; select * from app.operator_tokens",
    "select * from ops.logins",
    "select set_config('role', 'none', false); select * from ops.logins",
    "select rolpassword from pg_authid",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/escaped'",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/hostname')",
    "create role escaped superuser",
    "alter role {login} superuser",
    "alter role {login} createrole",
    "grant energy_loader, energy_transformer, energy_service to {login}",
    "alter table app.operator_tokens disable row level security",
    "drop table ops.logins",
    "alter table ops.logins owner to current_user",
    "alter system set fsync = off",
    "create extension if not exists file_fdw",
)
HOW_IT_IS_REFUSED = (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile)


@pytest.fixture
def walled(database: Database) -> Database:
    """A database whose rooms log in as themselves; skips where the server's user cannot make roles."""
    prepare(database)
    if set(logins(database)) != set(Role):
        pytest.skip("the user of this server cannot make logins")
    return database


@pytest.mark.parametrize("role", Role)
def test_a_room_is_connected_as_itself_and_cannot_become_anyone_else(walled: Database, role: Role) -> None:
    login = logins(walled)[role].user
    names = {"owner": f'"{walled.user}"', "login": login}
    with walled.connect(role=role) as connection:
        assert connection.execute("select session_user, current_user").fetchone() == (login, role)
    others = [f"set role {other}" for other in Role if other != role]
    others += [f"set role {logins(walled)[other].user}" for other in Role if other != role]
    for statement in (*ESCAPES, *others):
        with walled.connect(role=role) as connection, pytest.raises(HOW_IT_IS_REFUSED):
            for one in statement.format(**names).split("; "):
                connection.execute(one)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", Role)
def test_the_url_and_the_environment_of_a_room_are_those_of_its_login(walled: Database, role: Role) -> None:
    login = logins(walled)[role]
    variables = walled.libpq_environment(role)
    asked = "select session_user || ' ' || current_user || ' ' || current_setting('search_path')"
    by_environment = subprocess.run(
        ["psql", "-Atc", asked] if _has_psql() else [sys.executable, "-c", PSYCOPG, asked],
        env=variables, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    with psycopg.connect(walled.url(role=role)) as connection:
        by_url = connection.execute(asked).fetchone()
    assert by_url == (by_environment,) == (f"{login.user} {role} public, app",)
    for password in (walled.password, *(other.password for r, other in logins(walled).items() if r != role)):
        assert password not in walled.url(role=role)
        assert password not in variables.values()
    assert login.password not in repr(login) + repr(walled.login(role))


PSYCOPG = "import psycopg, sys; print(psycopg.connect().execute(sys.argv[1]).fetchone()[0])"


def _has_psql() -> bool:
    import shutil

    return shutil.which("psql") is not None


def test_what_a_room_creates_belongs_to_its_role(walled: Database) -> None:
    with walled.connect(role=Role.TRANSFORMER) as connection:
        connection.execute("create table public.of_dbt (n int)")
        try:
            connection.execute("select 1 / 0")
        except errors.DivisionByZero:
            connection.execute("create table public.after_an_error (n int)")
    with walled.connect() as connection:
        owners = connection.execute(
            "select distinct tableowner from pg_tables where tablename in ('of_dbt', 'after_an_error')"
        )
        assert owners.fetchall() == [(Role.TRANSFORMER,)]


def test_passwords_are_kept_where_the_owner_alone_reads_them_and_reach_no_log(walled: Database) -> None:
    with walled.connect() as connection:
        readers = connection.execute(
            "select rolname from pg_roles, pg_tables where tablename = 'logins' and not rolsuper "
            "and not pg_has_role(pg_roles.oid, tableowner::name, 'USAGE') and rolname not like 'pg\\_%' "
            "and has_table_privilege(pg_roles.oid, 'ops.logins', 'select')"
        ).fetchall()
        assert readers == []
        if not connection.execute("select has_table_privilege('pg_authid', 'select')").fetchone()[0]:  # type: ignore[index]
            return
        kept = connection.execute("select rolname, rolpassword from pg_authid where rolname like 'energy\\_%\\_%'")
        for name, verifier in kept.fetchall():
            assert verifier.startswith("SCRAM-SHA-256$"), name


def test_logins_are_made_once_and_found_by_every_process(walled: Database) -> None:
    before = dict(logins(walled))
    existing_roles.cache_clear()
    prepare(walled)
    assert dict(logins(walled)) == before


@pytest.fixture
def own(empty_database: Database) -> Iterator[Database]:
    """A prepared database with logins of its own, which a test may spoil."""
    prepare(empty_database)
    if not logins(empty_database):
        pytest.skip("the user of this server cannot make logins")
    yield empty_database
    prepare(empty_database)  # so that what is there is dropped with it


@pytest.mark.parametrize("how", ["password", "dropped", "no row", "nologin"])
def test_a_login_that_the_server_does_not_accept_is_replaced(own: Database, how: str) -> None:
    """As after a dump was restored elsewhere, or after another database that was copied from this one replaced its logins."""
    before = dict(logins(own))
    with own.connect() as connection:
        for login in before.values():
            match how:
                case "password":
                    connection.execute(f"alter role {login.user} password 'another'")
                case "dropped":
                    connection.execute(f"drop role {login.user}")
                case "nologin":
                    connection.execute(f"alter role {login.user} nologin")
                case "no row":
                    connection.execute("delete from ops.logins")
    existing_roles.cache_clear()
    prepare(own)
    after = logins(own)
    assert set(after) == set(Role)
    for role in Role:
        assert after[role].user != before[role].user
        own.connect(role=role).close()
    with own.connect() as connection:
        for login in before.values():
            connection.execute(f"drop role if exists {login.user}")


def test_rotation_ends_the_old_logins_and_leaves_open_sessions(own: Database) -> None:
    old = dict(logins(own))
    with own.connect(role=Role.SERVICE) as session:
        made = login_store.rotate(own)
        session.execute("select count(*) from app.operators")
    assert len(made) == len(Role) and not {login.user for login in old.values()} & set(made)
    for role in Role:
        own.connect(role=role).close()
        with pytest.raises(UsageError, match="password authentication failed"):
            own.as_login(old[role]).connect()


def test_databases_of_one_server_do_not_fight_about_passwords(server: Database, own: Database) -> None:
    other = replace(own, name=f"{own.name}_2")
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{other.name}" with (force)')
        connection.execute(f'create database "{other.name}" template template0')
    try:
        prepare(other)
        for _ in range(2):
            for database in (own, other):
                existing_roles.cache_clear()
                prepare(database)
        mine, theirs = ({login.user for login in logins(database).values()} for database in (own, other))
        assert mine.isdisjoint(theirs)
        for database in (own, other):
            database.connect(role=Role.LOADER).close()
    finally:
        login_store.remove(other)
        with server.connect() as connection:
            connection.execute(f'drop database "{other.name}" with (force)')


@pytest.mark.slow
def test_a_login_of_a_room_is_no_address_for_commands(walled: Database, energy: Energy) -> None:
    energy.set(DATABASE_URL=walled.login(Role.READER).address())
    done = run("flows.refresh")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "names a login of energy_reader" in done.stderr


@pytest.mark.parametrize("role", [Role.READER, Role.TRANSFORMER])
def test_a_reader_cannot_take_the_locks_of_a_run(walled: Database, role: Role) -> None:
    with walled.connect() as connection:
        row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
        if not (row and row[0]):
            pytest.skip("only a superuser can keep advisory locks from the public")
    for function in (
        "pg_advisory_lock",
        "pg_try_advisory_lock",
        "pg_advisory_xact_lock_shared",
        "pg_advisory_lock_shared",
    ):
        for arguments in ("hashtextextended('publish', 0)", "1, 2"):
            with walled.connect(role=role) as connection, pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"select {function}({arguments})")
