"""The login of each role: made by the owner of the database, with a random password, kept in `ops.logins`.

A login is a PostgreSQL user that can take on one role, has it from the start of each session, and has no rights beyond it:
`reset role`, `set role` and `set session authorization` lead nowhere else. Roles belong to the whole server and may serve
several databases; logins are made per database, so two databases on one server, or two machines that share a database,
never overwrite each other's passwords. Only the owner of the database can read the table.
"""

import logging
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress

import psycopg
from psycopg import sql

from warehouse.database import Database, Login, Role, existing_roles, logins, rights
from warehouse.errors import UsageError
from warehouse.locks import exclusive
from warehouse.table_locks import bound_reader

log = logging.getLogger("warehouse")

LOCK_TAKERS = (Role.LOADER, Role.SERVICE)
"""Who takes advisory locks: flows and rate limits as the loader, the capacity of venues as the service."""


def ensure(database: Database) -> None:
    """Make the logins that are missing, or that the server no longer accepts; milliseconds if there are none.

    Raises UsageError if the server accepts the owner but no new login either.
    """
    if not existing_roles(database):
        return
    if _are_complete(database):
        _bound_reader(database)
        return
    with exclusive(database, "logins", role=None):
        _forget()
        if _are_complete(database):  # another process made them meanwhile
            return
        _replace(database)


def _bound_reader(database: Database) -> None:
    """As of this version; logins that were made before have no bound yet."""
    if login := logins(database).get(Role.READER):
        with database.connect() as connection, suppress(psycopg.errors.InsufficientPrivilege):
            bound_reader(connection, login.user)


def rotate(database: Database) -> list[str]:
    """Replace every login by a new one and drop the old ones; returns the names of the new ones.

    Sessions that are open go on. Processes that know the old logins cannot open new sessions until they are restarted.
    """
    with exclusive(database, "logins", role=None):
        _forget()
        _replace(database)
        return [login.user for login in logins(database).values()]


def remove(database: Database) -> None:
    """Drop the logins, before the database itself is dropped: they belong to the server and would stay behind."""
    _forget()
    with database.connect() as connection:
        if known := logins(database):
            _drop(connection, known.values())
            connection.execute("delete from ops.logins")
    _forget()


def _forget() -> None:
    existing_roles.cache_clear()
    rights.cache_clear()


def _are_complete(database: Database) -> bool:
    """Whether each role has a login that exists, or a reason for having none, and the server accepts one of them."""
    roles, known = existing_roles(database), logins(database)
    if roles - rights(database).refused - set(known):
        return False
    return not known or _refusal(database, next(iter(known.values()))) is None


def _refusal(database: Database, login: Login) -> str | None:
    """Why the server does not accept a login; None if it does."""
    try:
        database.as_login(login).connect(name="energy-logins").close()
    except UsageError as error:
        return str(error)
    return None


def _replace(database: Database) -> None:
    """Put new logins in the place of the old ones, if the server accepts them."""
    old, roles = logins(database), {Role(role) for role in existing_roles(database)}
    with database.connect() as connection:
        try:
            with connection.transaction():
                made = {role: _make(connection, role) for role in sorted(roles)}
                guard_locks(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            if not old:
                _note_refusal(connection, roles, f"its user cannot make logins ({str(error).splitlines()[0]})")
            return
        _forget()
        refusal = _refusal(database, logins(database)[min(made)])
        if refusal is None:
            _drop(connection, old.values())
            return
        _drop(connection, made.values())
        _forget()
        if old:  # they may be good again in a moment: the server may be out of connections
            _write(connection, old)
            raise UsageError(refusal)
        _note_refusal(connection, roles, refusal)


def _make(connection: psycopg.Connection, role: Role) -> Login:
    login = Login(f"{role}_{secrets.token_hex(4)}", secrets.token_urlsafe(24))
    # A verifier, not the password: statements can end up in the server's log.
    verifier = connection.pgconn.encrypt_password(login.password.encode(), login.user.encode(), b"scram-sha-256")
    # The reader inherits its rights, because the pools of BI tools reset a session's role; who creates things must not,
    # because they would then belong to the login.
    inherit = sql.SQL("inherit" if role is Role.READER else "noinherit")
    user, group = sql.Identifier(login.user), sql.Identifier(role.value)
    for statement in (
        sql.SQL("create role {} login {} password {}").format(user, inherit, verifier.decode()),
        sql.SQL("grant {} to {}").format(group, user),
        sql.SQL("alter role {} set role = {}").format(user, role.value),
        sql.SQL("alter role {} set search_path = public, app").format(user),
    ):
        connection.execute(statement)
    if role is Role.READER:
        bound_reader(connection, login.user)
    _write(connection, {role: login})
    return login


def _write(connection: psycopg.Connection, those: Mapping[Role, Login]) -> None:
    for role, login in those.items():
        connection.execute(
            "insert into ops.logins (role, login, password) values (%s, %s, %s) on conflict (role) do update "
            "set login = excluded.login, password = excluded.password, refused_because = null, created_at = default",
            [role, login.user, login.password],
        )


def _note_refusal(connection: psycopg.Connection, roles: Iterable[Role], reason: str) -> None:
    for role in roles:
        connection.execute(
            "insert into ops.logins (role, refused_because) values (%s, %s) on conflict (role) do update "
            "set login = null, password = null, refused_because = excluded.refused_because",
            [role, reason],
        )
    log.warning(
        "the rooms share the owner's login, because the server has none for them: %s. "
        "Once it allows them: python -m warehouse rotate",
        reason,
    )


def _drop(connection: psycopg.Connection, those: Iterable[Login]) -> None:
    for login in those:
        user = sql.Identifier(login.user)
        try:
            connection.execute(sql.SQL("drop role if exists {}").format(user))
        except psycopg.errors.DependentObjectsStillExist:  # somebody granted it something: it is of no use any more
            connection.execute(sql.SQL("alter role {} nologin password null").format(user))


def guard_locks(connection: psycopg.Connection) -> None:
    """Keep advisory locks to those who need them: anyone else could hold up a refresh by taking its lock.

    Only a superuser can. Elsewhere a refresh that waits says who holds its lock, and waits no longer than LOCK_WAIT_SECONDS.
    """
    row = connection.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    if not (row and row[0]):
        return
    functions = connection.execute(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'pg_catalog'::regnamespace "
        "and proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'"
    ).fetchall()
    named = sql.SQL(", ").join(sql.SQL(name) for (name,) in functions)
    takers = sql.SQL(", ").join(sql.Identifier(role.value) for role in LOCK_TAKERS)
    connection.execute(sql.SQL("revoke execute on function {} from public").format(named))
    connection.execute(sql.SQL("grant execute on function {} to {}").format(named, takers))
