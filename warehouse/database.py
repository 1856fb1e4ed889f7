"""An address of a database, and connections to it.

Each room logs in as itself: a login of its own that can take on one role (`Role`) and nothing else, so that "one writer per
schema" is kept by PostgreSQL itself. The user of DATABASE_URL, or of the embedded server, is the owner: it migrates and
administers. If the owner of an external database cannot create roles, every connection keeps the owner's rights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg

from warehouse.errors import OutageError, UsageError, went_away
from warehouse.settings import DecisionSettings, WarehouseSettings

CONNECT_TIMEOUT_SECONDS = 10
ALIVE = {
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""How a connection notices within half a minute that the server, or the way to it, is gone. DATABASE_URL takes precedence."""
EXAMPLE_URL = "postgresql://user:password@host:5432/database"


class Role(StrEnum):
    """The roles of the warehouse: none is a superuser. Rights belong to them; `ops.logins` has the login of each."""

    LOADER = "energy_loader"
    TRANSFORMER = "energy_transformer"
    SERVICE = "energy_service"
    READER = "energy_reader"


@dataclass(frozen=True)
class Login:
    """The user and password that a role connects with. Its repr holds no password."""

    user: str
    password: str = field(repr=False)
    tenant: str = ""
    """What a pooler wants after the name: `postgres.<tenant>` is user `postgres` of that tenant."""


@dataclass(frozen=True)
class Rights:
    """Our roles that a user may take on, the login of each, and those for which the server has no login."""

    roles: frozenset[str]
    logins: Mapping[Role, Login]
    refused: frozenset[str]


@dataclass(frozen=True)
class Database:
    """An address of a PostgreSQL database. Its repr holds no password."""

    host: str
    port: int
    user: str
    name: str
    password: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    is_embedded: bool = False

    def login(self, role: Role | None) -> "Database":
        """The same database under the role's own login; unchanged without a role or if the role has no login."""
        own = logins(self).get(role) if role and role in existing_roles(self) else None
        return self.as_login(own) if own else self

    def as_login(self, login: Login) -> "Database":
        """The same database under another user."""
        return replace(self, user=login.user + login.tenant, password=login.password)

    def url(self, *, role: Role | None = None, scheme: str = "postgresql") -> str:
        """The address as a URL, for libraries that want one; with `role`, under that role's login."""
        own = self.login(role)
        query = self.settings()
        query["options"] = self.options(role)
        if self.host.startswith("/"):
            query["host"] = self.host
        address = "localhost" if self.host.startswith("/") else self.host
        return (
            f"{scheme}://{quote(own.user, safe='')}:{quote(own.password, safe='')}@{address}:{self.port}/"
            f"{quote(self.name, safe='')}?{urlencode(query, quote_via=quote)}"
        )

    def address(self) -> str:
        """The address as a user writes it in DATABASE_URL: with its parameters, without settings of ours."""
        query = dict(self.parameters) | ({"host": self.host} if self.host.startswith("/") else {})
        return self.url().split("?")[0] + (f"?{urlencode(query, quote_via=quote)}" if query else "")

    def settings(self) -> dict[str, str]:
        """What libpq is given beside address, user and options: parameters of DATABASE_URL, and `ALIVE`."""
        return ALIVE | {name: value for name, value in self.parameters if name != "options"}

    def options(self, role: Role | None = None) -> str:
        """Settings of each connection, in the form of libpq's `options`."""
        # A login has its role from the start. Without logins the owner takes the role on: tidy, but no wall.
        taken = role if role and role in existing_roles(self) and self.login(role) is self else None
        # who changes tables waits for those who read them, and everyone who comes later waits for both
        bound = f" -c lock_timeout={WarehouseSettings().table_wait_seconds:g}s" if role is Role.TRANSFORMER else ""
        return "-c timezone=UTC" + bound + (f" -c role={taken}" if taken else "")

    def connect(self, *, role: Role | None = None, autocommit: bool = True, name: str = "energy") -> psycopg.Connection:
        """Open a connection. Raises UsageError, without the password, when the server cannot be used; OutageError when it
        could be used until now."""
        options = self.options(role)
        return _connect(self.login(role), options=options, autocommit=autocommit, application_name=name)

    def libpq_environment(self, role: Role | None = None) -> dict[str, str]:
        """The `PG*` variables that psql, dbt and every other libpq client read."""
        own = self.login(role)
        variables = {
            "PGHOST": own.host,
            "PGPORT": str(own.port),
            "PGUSER": own.user,
            "PGPASSWORD": own.password,
            "PGDATABASE": own.name,
            "PGOPTIONS": self.options(role),
        }
        if "sslmode" in dict(own.parameters):
            variables["PGSSLMODE"] = dict(own.parameters)["sslmode"]
        return variables


def dbt_environment(database: Database, role: Role | None = Role.TRANSFORMER) -> dict[str, str]:
    """What dbt reads from its environment: the `PG*` variables, and the settings that it shares with the service."""
    value = DecisionSettings().carbon_value_gbp_tonne
    return {**database.libpq_environment(role), "CARBON_VALUE_GBP_TONNE": f"{value:g}"}


def has_relation(connection: psycopg.Connection, *names: str) -> bool:
    """Whether all of these tables or views are there, each named with its schema."""
    row = connection.execute(
        "select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name", [list(names)]
    ).fetchone()
    return bool(row and row[0])


_used: set[tuple[str, int, str]] = set()
"""Where this process has had a connection: what fails there later is an outage, not a wrong setting."""


def _connect(database: Database, *, options: str, autocommit: bool, application_name: str) -> psycopg.Connection:
    parameters = database.settings()
    parameters.setdefault("connect_timeout", str(CONNECT_TIMEOUT_SECONDS))
    try:
        connection = psycopg.connect(
            host=database.host,
            port=database.port,
            user=database.user,
            password=database.password,
            dbname=database.name,
            options=options,
            application_name=application_name,
            autocommit=autocommit,
            **parameters,  # type: ignore[arg-type]
        )
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        reason = str(error).strip().splitlines()[-1].replace(database.password or "\0", "***")
        if (database.host, database.port, database.name) in _used:
            raise OutageError(went_away(reason)) from None
        raise UsageError(
            f"The PostgreSQL server at {database.host}:{database.port} (database {database.name!r}, user "
            f"{database.user!r}) cannot be used: {reason}. Start it, or correct DATABASE_URL."
        ) from None
    _used.add((database.host, database.port, database.name))
    return connection


@lru_cache(maxsize=8)
def existing_roles(database: Database) -> frozenset[str]:
    """Which of our roles exist and may be taken on by this user."""
    rights.cache_clear()  # whoever forgets the roles forgets all that was read with them
    return rights(database).roles


def logins(database: Database) -> Mapping[Role, Login]:
    """The logins in use, as the owner of the database reads them; empty for anyone else and before the first migration."""
    return rights(database).logins


@lru_cache(maxsize=8)
def rights(database: Database) -> Rights:
    """What this user may be: read once per process, over one connection."""
    with _connect(database, options="-c timezone=UTC", autocommit=True, application_name="energy-roles") as connection:
        roles = connection.execute(
            "select rolname from pg_roles where rolname = any(%s) and pg_has_role(current_user, oid, 'MEMBER')",
            [[role.value for role in Role]],
        ).fetchall()
        try:
            kept = connection.execute(
                "select role, login, password, refused_because, current_user from ops.logins "
                "left join pg_roles on rolname = login where rolname is not null or refused_because is not null"
            ).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName):
            kept = []
    found, refused = {}, set()
    for role, user, password, refused_because, owner in kept:
        if refused_because:
            refused.add(role)
        else:
            tenant = database.user.removeprefix(owner) if database.user.startswith(f"{owner}.") else ""
            found[Role(role)] = Login(user, password, tenant)
    return Rights(frozenset(role for (role,) in roles), found, frozenset(refused))


def parse(url: str) -> Database:
    """A Database from DATABASE_URL. Raises UsageError for anything that is not a PostgreSQL URL."""
    advice = f"Expected the form {EXAMPLE_URL}."
    try:
        parts = urlsplit(url.strip())
        port = parts.port or 5432
    except ValueError:
        raise UsageError(f"DATABASE_URL is malformed (its port or host cannot be read). {advice}") from None
    if parts.scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise UsageError(f"DATABASE_URL must begin with postgresql:// (it does not). {advice}")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or parts.hostname
    name = parts.path.lstrip("/")
    if not host or not name or not parts.username:
        missing = [w for w, v in (("host", host), ("database name", name), ("user", parts.username)) if not v]
        raise UsageError(f"DATABASE_URL has no {' and no '.join(missing)}. {advice}")
    return Database(
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        name=unquote(name),
        parameters=tuple(sorted((k, v) for k, v in query.items() if k != "options")),
    )
