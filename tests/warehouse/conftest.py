"""Schema `app` in two databases: one with our roles, and one whose user owns it and no more, as on a hosted PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.warehouse.app_rows import KINDS, made
from warehouse.database import Database


@pytest.fixture(scope="module", params=KINDS)
def app(request: pytest.FixtureRequest, server: Database) -> Iterator[Database]:
    with made(server, request.param) as database:
        yield database


@pytest.fixture
def db(app: Database) -> Iterator[psycopg.Connection]:
    """A transaction that is undone afterwards."""
    with app.connect() as connection, connection.transaction(force_rollback=True):
        yield connection
