"""Times from the future, as a run leaves them whose clock was ahead: found, said, and put right.

Of two real values of a half-hour the one that was fetched last counts. One that bears a time to come would win until that time has
passed. Its time is set back to now, in the order in which such times were given; what is fetched from now on is newer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql
from rich.console import Console

from flows.run_log import say
from pipelines.catalogue import DATASETS
from warehouse.counts import count, duration
from warehouse.database import Database, Role, has_relation
from warehouse.errors import UsageError
from warehouse.locks import exclusive

TOLERATED = timedelta(minutes=5)
"""By so much clocks of two machines may differ."""
_TIMES = ("fetched_at", "known_at", "issued_at", "observed_at")
"""Columns that hold the time of a row's payload."""
_COLUMNS = """
select quote_ident(table_schema) || '.' || quote_ident(table_name), array_agg(column_name::text order by column_name)
from information_schema.columns join information_schema.tables using (table_schema, table_name)
where table_type = 'BASE TABLE' and table_schema in ('public', 'intermediate')
    and (column_name = any(%(times)s) or column_name in ('payload_id', 'updated_at'))
    and data_type in ('timestamp with time zone', 'uuid')
group by 1
having bool_or(column_name = 'payload_id') and bool_or(column_name = 'fetched_at')
order by 1
"""
_EARLY = """
create temporary table early (payload_id uuid primary key, was timestamptz not null, becomes timestamptz) on commit drop
"""
_LEDGER = {
    "ops.fetches": "fetched_at",
    "ops.payload_verdicts": "validated_at",
    "ops.quality_results": "checked_at",
    "intermediate.published_payloads": "published_at",
}


def agree(database: Database, now: datetime | None = None) -> None:
    """Raise UsageError if this machine's clock and the database's differ by more than TOLERATED."""
    with database.connect(role=Role.LOADER) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    off = (now or datetime.now(UTC)) - (row[0] if row else datetime.now(UTC))
    if abs(off) > TOLERATED:
        raise UsageError(
            f"The clock of this machine is {duration(abs(off))} {'ahead of' if off > timedelta(0) else 'behind'} the database's. "
            "Set the one that is wrong: what is fetched under a wrong time could not be compared with other values."
        )


def ahead(connection: psycopg.Connection) -> datetime | None:
    """The latest time in the future that a landed payload bears, if there is one."""
    landed = [slug for slug in DATASETS if has_relation(connection, f"staging.{slug}_payloads")]
    latest = [
        row[0]
        for slug in landed
        if (row := connection.execute(f"select max(fetched_at) from staging.{slug}_payloads").fetchone()) and row[0]
    ]
    row = connection.execute("select clock_timestamp()").fetchone()
    limit = (row[0] if row else datetime.now(UTC)) + TOLERATED
    return max((at for at in latest if at > limit), default=None)


def heal(database: Database) -> str | None:
    """Set times from the future to now, while nobody publishes; returns what was done, in words.

    Called before anything is fetched, so that what is fetched is newer.
    """
    with database.connect(role=Role.LOADER) as connection:
        if ahead(connection) is None:
            return None
    # each schema by the role that writes it; the payloads last, because by them it is found out whether this is done
    with (
        exclusive(database, "publish"),
        database.connect(role=Role.LOADER) as connection,
        database.connect(role=Role.TRANSFORMER) as transformer,
        connection.transaction(),
        transformer.transaction(),
    ):
        latest = ahead(connection)
        if latest is None:
            return None
        for each in (connection, transformer):
            each.execute(_EARLY)
        tables = [
            f"staging.{slug}_payloads" for slug in DATASETS if has_relation(connection, f"staging.{slug}_payloads")
        ]
        for table in tables:
            connection.execute(
                f"insert into early select payload_id, fetched_at from {table} where fetched_at > now() on conflict do nothing"
            )
        # a microsecond apart, so that the order stays in which they were given
        connection.execute(
            "update early set becomes = now() - place * interval '1 microsecond' from ("
            "select was, dense_rank() over (order by was desc) as place from early group by was) as order_of "
            "where order_of.was = early.was"
        )
        for table in tables:
            connection.execute(
                f"update {table} as row set fetched_at = becomes from early where row.payload_id = early.payload_id"
            )
            connection.execute(
                f"update {table} set request_params = request_params || jsonb_build_object('seen_at', now()) "
                "where (request_params ->> 'seen_at')::timestamptz > now()"
            )
        early = connection.execute("select payload_id, was, becomes from early").fetchall()
        with transformer.cursor() as cursor, cursor.copy("copy early from stdin") as copy:
            for row in early:
                copy.write_row(row)
        for table, columns in transformer.execute(_COLUMNS, {"times": list(_TIMES)}).fetchall():
            _set_back(transformer, table, columns)
        for table, column in _LEDGER.items():
            writer = transformer if table.startswith("intermediate.") else connection
            if has_relation(writer, table):
                writer.execute(f"update {table} set {column} = now() where {column} > now()")
    payloads = count(len(early), "payload")
    words = (
        f"{payloads} bore times up to {latest:%Y-%m-%d %H:%M}Z, which has not been: a clock was ahead. "
        "They now count as fetched before this run; what is fetched from now on replaces them."
    )
    say(words, console=Console(highlight=False), is_warning=True)
    return words


def _set_back(connection: psycopg.Connection, table: str, columns: Sequence[str]) -> None:
    changes: list[sql.Composable] = [
        sql.SQL("{0} = case when t.{0} = early.was then early.becomes else t.{0} end").format(sql.Identifier(column))
        for column in columns
        if column in _TIMES
    ]
    if "updated_at" in columns:
        changes.append(sql.SQL("updated_at = least(t.updated_at, now())"))
    connection.execute(
        sql.SQL("update {} as t set {} from early where t.payload_id = early.payload_id").format(
            sql.SQL(table),  # quoted above
            sql.SQL(", ").join(changes),
        )
    )
