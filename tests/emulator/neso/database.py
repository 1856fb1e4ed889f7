"""The database behind the datastore: made on first use, one table a resource, filled when it is first asked for."""

import atexit
import csv
import io
import os
import secrets
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import psycopg
from psycopg import sql

from tests.emulator.neso.errors import Unavailable
from tests.emulator.neso.table import Table
from tests.emulator.neso.tables import Tables
from warehouse.database import Database

NULL = "\\N"
CHUNK = 5_000


class Filled:
    """Tables as of now, in a database that is ours alone."""

    def __init__(self, tables: Tables, server: Database | Callable[[], Database] | None):
        self._tables = tables
        self._server = server
        self._database: Database | None = None
        self._versions: dict[str, Hashable] = {}
        self._lock = threading.RLock()

    def connect(self, resource_ids: Iterable[str]) -> psycopg.Connection:
        """A connection that may only read, once these tables are as they should be."""
        connection = self.fill(resource_ids).connect(autocommit=False, name="neso-datastore")
        connection.read_only = True
        return connection

    def fill(self, resource_ids: Iterable[str]) -> Database:
        """Make these tables as they should be, which takes seconds for the largest, and say where they are."""
        with self._lock:
            database = self._made()
            wanted = sorted(set(resource_ids))
            stale = [one for one in wanted if self._versions.get(one) != self._tables.version(one)]
            if stale:
                with database.connect() as connection:
                    for resource_id in stale:
                        self._fill(connection, resource_id)
            return database

    def _made(self) -> Database:
        if self._database is None:
            server = self._server() if callable(self._server) else self._server
            if server is None:
                raise Unavailable
            name = f"energy_emulator_{os.getpid()}_{secrets.token_hex(4)}"
            with server.connect() as connection:
                connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
            self._server, self._database = server, replace(server, name=name)
            atexit.register(self.close)
        return self._database

    def _fill(self, connection: psycopg.Connection, resource_id: str) -> None:
        version = self._tables.version(resource_id)
        name = sql.Identifier(resource_id)
        with connection.transaction():
            connection.execute(sql.SQL("drop table if exists {}").format(name))
            if version is not None:
                _load(connection, name, self._tables.table(resource_id))
        if version is None:
            self._versions.pop(resource_id, None)
        else:
            self._versions[resource_id] = version

    def close(self) -> None:
        """Drop the database."""
        with self._lock, suppress(Exception):
            database, self._database, self._versions = self._database, None, {}
            if database and isinstance(self._server, Database):
                with self._server.connect() as connection:
                    connection.execute(
                        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database.name))
                    )
        atexit.unregister(self.close)


def _load(connection: psycopg.Connection, name: sql.Identifier, table: Table) -> None:
    """Rows are numbered in the order of the file and stored in no order at all."""
    defined = [sql.SQL("{} {}").format(sql.Identifier(key), sql.SQL(kind)) for key, kind in table.columns.items()]
    names = sql.SQL(", ").join([sql.Identifier("_id"), *(sql.Identifier(key) for key in table.columns)])
    words = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(key)) for key in table.columns)
    connection.execute(
        sql.SQL("create table {} (_id serial primary key, _full_text tsvector, {})").format(
            name, sql.SQL(", ").join(defined)
        )
    )
    connection.execute(sql.SQL("create temporary table staged (_id int4, {})").format(sql.SQL(", ").join(defined)))
    copy = sql.SQL("copy staged ({}) from stdin (format csv, null '\\N')").format(names)
    with connection.cursor() as cursor, cursor.copy(copy) as stream:
        numbered = enumerate(table.rows, start=1)
        while chunk := list(islice(numbered, CHUNK)):
            stream.write(_csv(chunk))
    connection.execute(
        sql.SQL(
            "insert into {} (_full_text, {}) select to_tsvector('simple', concat_ws(' ', {})), {} from staged "
            "order by hashint4(_id)"
        ).format(name, names, words, names)
    )
    connection.execute("drop table staged")


def _csv(rows: Sequence[tuple[int, Sequence[object]]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([number, *(NULL if value is None else value for value in row)] for number, row in rows)
    return buffer.getvalue()
