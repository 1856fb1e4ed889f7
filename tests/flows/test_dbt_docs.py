"""dbt's page: one file that loads nothing, written where the service looks for it."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows import dbt_docs
from tests.checkpoints.pages import Page
from warehouse.database import Database, Role
from warehouse.errors import UsageError


@contextmanager
def users_of_dbt(database: Database) -> Iterator[set[str]]:
    """Who logged in to the database as dbt in the meantime."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        with database.connect() as connection:
            while not ended.wait(0.01):
                rows = connection.execute(
                    "select usename from pg_stat_activity where application_name = 'dbt' and datname = current_database()"
                )
                seen.update(row[0] for row in rows)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield seen
    finally:
        ended.set()
        watching.join()


@pytest.mark.slow
def test_the_page_is_complete_forbids_requests_and_leaves_nothing_beside_it(database: Database, tmp_path: Path) -> None:
    with users_of_dbt(database) as seen:
        path = dbt_docs.generate(database, tmp_path)
    assert seen == {database.login(Role.TRANSFORMER).user}, "dbt logs in as its room, as everywhere"
    assert path == tmp_path / "dbt_docs/index.html"
    assert [each.name for each in path.parent.iterdir()] == ["index.html"]
    text = path.read_text()
    head = text.partition("<script")[0]
    assert Page(head).loads == ["data:,"], "and none of the links to files that dbt does not write"
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', head)
    assert policy and policy[1].startswith("default-src 'none'") and "http" not in policy[1]
    assert "Grain: " in text and "carbon_intensity_national" in text


def test_a_page_of_another_form_is_refused_and_not_passed_on_open() -> None:
    for page in ("", "<html><body>", "<head><title>x</title></head>", "<html><script>1</script>"):
        with pytest.raises(UsageError):
            dbt_docs.closed(page)


def test_a_dbt_that_fails_leaves_the_older_page(tmp_path: Path) -> None:
    (tmp_path / "dbt_docs").mkdir()
    (tmp_path / "dbt_docs/index.html").write_text("older")
    nowhere = Database("127.0.0.1", 9, "nobody", "nothing", None)
    with pytest.raises(Exception, match=r".+"):
        dbt_docs.generate(nowhere, tmp_path)
    assert [each.read_text() for each in (tmp_path / "dbt_docs").iterdir()] == ["older"]
