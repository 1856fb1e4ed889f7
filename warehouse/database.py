"""The one address of the server, and connections to it.

Each room connects under its own role (`Role`), so that "one writer per schema" is kept by PostgreSQL itself. Where a
role does not exist (an external database whose user may not create roles) the connection keeps the user's own rights.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg

from warehouse.errors import UsageError
from warehouse.settings import WarehouseSettings

CONNECT_TIMEOUT_SECONDS = 10
EXAMPLE_URL = "postgresql://user:password@host:5432/database"


class Role(StrEnum):
    """The roles of the warehouse: none is a superuser, none can log in by itself."""

    LOADER = "energy_loader"
    TRANSFORMER = "energy_transformer"
    SERVICE = "energy_service"
    READER = "energy_reader"


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

    def url(self, *, role: Role | None = None, scheme: str = "postgresql") -> str:
        """The address as a URL, for libraries that want one; `role` is taken on as the connection starts."""
        query = dict(self.parameters)
        query["options"] = self.options(role)
        if self.host.startswith("/"):
            query["host"] = self.host
        address = "localhost" if self.host.startswith("/") else self.host
        return (
            f"{scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}@{address}:{self.port}/"
            f"{quote(self.name, safe='')}?{urlencode(query, quote_via=quote)}"
        )

    def address(self) -> str:
        """The address as a user writes it in DATABASE_URL: with its parameters, without settings of ours."""
        query = dict(self.parameters) | ({"host": self.host} if self.host.startswith("/") else {})
        return self.url().split("?")[0] + (f"?{urlencode(query, quote_via=quote)}" if query else "")

    def options(self, role: Role | None = None) -> str:
        """Settings of each connection, in the form of libpq's `options`."""
        taken = role if role and role in existing_roles(self) else None
        return "-c timezone=UTC" + (f" -c role={taken}" if taken else "")

    def connect(self, *, role: Role | None = None, autocommit: bool = True, name: str = "energy") -> psycopg.Connection:
        """Open a connection. Raises UsageError, without the password, when the server cannot be reached."""
        return _connect(self, options=self.options(role), autocommit=autocommit, application_name=name)

    def libpq_environment(self) -> dict[str, str]:
        """The `PG*` variables that psql, dbt and every other libpq client read."""
        variables = {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.name,
        }
        if "sslmode" in dict(self.parameters):
            variables["PGSSLMODE"] = dict(self.parameters)["sslmode"]
        return variables


def _connect(database: Database, *, options: str, autocommit: bool, application_name: str) -> psycopg.Connection:
    parameters = {k: v for k, v in database.parameters if k != "options"}
    parameters.setdefault("connect_timeout", str(CONNECT_TIMEOUT_SECONDS))
    try:
        return psycopg.connect(
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
        raise UsageError(
            f"The PostgreSQL server at {database.host}:{database.port} (database {database.name!r}, user "
            f"{database.user!r}) cannot be used: {reason}. Start it, or correct DATABASE_URL."
        ) from None


@lru_cache(maxsize=8)
def existing_roles(database: Database) -> frozenset[str]:
    """Which of our roles exist and may be taken on by this user."""
    with _connect(database, options="-c timezone=UTC", autocommit=True, application_name="energy-roles") as connection:
        rows = connection.execute(
            "select rolname from pg_roles where rolname = any(%s) and pg_has_role(current_user, oid, 'MEMBER')",
            [[role.value for role in Role]],
        ).fetchall()
    return frozenset(row[0] for row in rows)


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


def resolve(settings: WarehouseSettings | None = None) -> Database:
    """The database to use: DATABASE_URL if it is set, else the embedded server, started if it is not running."""
    settings = settings or WarehouseSettings()
    if settings.database_url:
        return parse(settings.database_url)
    from warehouse import embedded  # a wheel of 60 MB that nobody with a server of their own needs

    return embedded.ensure_running(settings.data_dir)
