"""`make migration`: a file that Alembic applies after all others, and undoes."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from warehouse.database import Database
from warehouse.errors import UsageError
from warehouse.new_migration import new_migration
from warehouse.prepare import MIGRATIONS, newest_revision, prepare

AT = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A copy of the migrations, which a test may add to."""
    shutil.copytree(MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "migrations" / "versions"


def test_a_new_migration_is_applied_last_and_undone(database: Database, versions: Path) -> None:
    prepare(database)
    before = newest_revision(versions)
    path = new_migration("add_a_table", at=AT, versions=versions)
    assert path.name == "20310506_0708__add_a_table.py" and newest_revision(versions) == "20310506_0708"
    text = path.read_text()
    path.write_text(
        text.replace("select 'what changes'", "create table ops.of_a_test (n int)").replace(
            "select 'what undoes it'", "drop table ops.of_a_test"
        )
    )
    config = Config()
    config.set_main_option("script_location", str(versions.parent))
    config.attributes["database"] = database

    def state() -> tuple[str, bool]:
        with database.connect() as connection:
            row = connection.execute(
                "select version_num, to_regclass('ops.of_a_test') is not null from ops.alembic_version"
            ).fetchone()
        assert row
        return row

    command.upgrade(config, "head")
    assert state() == ("20310506_0708", True)
    command.downgrade(config, before)
    assert state() == (before, False)


def test_migrations_of_one_minute_or_under_a_clock_that_is_behind_follow_each_other(versions: Path) -> None:
    made = [new_migration(name, at=AT, versions=versions) for name in ("first", "second")]
    made.append(new_migration("third", at=datetime(2020, 1, 1, tzinfo=UTC), versions=versions))
    assert [path.name for path in made] == [
        "20310506_0708__first.py",
        "20310506_0709__second.py",
        "20310506_0710__third.py",
    ]
    assert 'down_revision = "20310506_0709"' in made[-1].read_text()


@pytest.mark.parametrize("name", ["", "a b", "../x", "Add", "1st", "x" * 99])
def test_a_name_that_is_no_identifier_is_refused_and_nothing_is_written(name: str, versions: Path) -> None:
    before = sorted(versions.iterdir())
    with pytest.raises(UsageError, match="is no name of a migration"):
        new_migration(name, at=AT, versions=versions)
    assert sorted(versions.iterdir()) == before
