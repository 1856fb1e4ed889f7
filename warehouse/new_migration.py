"""`make migration NAME=...`: a new migration of schemas `app` and `ops`, named by time, with up and down to be filled in."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warehouse import command
from warehouse.errors import UsageError
from warehouse.prepare import MIGRATIONS, newest_revision
from warehouse.printed import out

NAME = re.compile(r"[a-z][a-z0-9_]{2,60}")
FORM = "%Y%m%d_%H%M"
TEMPLATE = '''"""{sentence}."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"

UP = """
select 'what changes'
"""
DOWN = """
select 'what undoes it'
"""


def upgrade() -> None:
    """What this does to a database with data in it."""
    op.execute(UP)


def downgrade() -> None:
    """What is lost."""
    op.execute(DOWN)
'''


def new_migration(name: str, *, at: datetime, versions: Path = MIGRATIONS / "versions") -> Path:
    """Write the file of a migration that follows the newest one. Raises UsageError for a name that is no identifier."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a migration: write it as words_with_underscores, in lower case.")
    before = newest_revision(versions)
    # files are applied in the order of their names, so this one comes last, also beside one that was dated ahead
    latest = datetime.strptime(before, FORM).replace(tzinfo=UTC)
    revision = max(at, latest + timedelta(minutes=1)).strftime(FORM)
    path = versions / f"{revision}__{name}.py"
    sentence = name.replace("_", " ").capitalize()
    path.write_text(TEMPLATE.format(sentence=sentence, revision=revision, before=before))
    return path


def main() -> None:
    """The command line."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""

    def run() -> bool:
        path = new_migration(name, at=datetime.now(UTC))
        out(f"{path}: fill in UP and DOWN (docs/runbooks/change_app_schema.md)")
        return True

    command.run(run)


if __name__ == "__main__":
    main()
