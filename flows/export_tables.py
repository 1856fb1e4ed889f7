"""What `export` writes: the clean tables, and the captures of forecasts; which months each has, what shows that rows differ."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import psycopg
from psycopg import sql

from flows.dbt_runner import Dbt
from pipelines.catalogue import DATASETS
from warehouse.errors import UsageError
from warehouse.exports import ExportedColumn, ExportedTable, LicenceNote
from warehouse.licences import LICENCES

CAPTURES = "carbon_intensity_captures"
"""A view, but the only record of what was forecast when; maintenance removes old captures, their files stay."""
MONTH_COLUMNS = ("period_start", "delivery_start", "known_at", "observed_at")
"""The first of these that a table has says which month a row belongs to"""
UNTOUCHED = (
    "smallint",
    "integer",
    "bigint",
    "boolean",
    "text",
    "date",
    "timestamptz",
    "time",
    "smallint[]",
    "boolean[]",
)
"""Types that Parquet has; of the others, numbers become doubles and the rest text"""


@dataclass(frozen=True)
class Month:
    """A month of a table as the database has it now."""

    first: date | None
    """None: everything, of a table that is not kept by months"""
    rows: int
    fingerprint: str


@dataclass(frozen=True)
class Exportable:
    """A table that can be exported."""

    described: ExportedTable
    loses_rows: bool
    """Whether rows of it may go again, so that a file with more rows than the database is the better record"""

    @property
    def name(self) -> str:
        """Its name in schema `public`."""
        return self.described.table

    def query(self, month: date | None) -> str:
        """The rows of a month, in types that Parquet has, in the order of the key."""
        columns = [_in_parquet(column) for column in self.described.columns]
        keys = [sql.Identifier(name) for name in self.described.key]
        statement = sql.SQL("select {} from public.{} where {} order by {}").format(
            sql.SQL(", ").join(columns), sql.Identifier(self.name), self._within(month), sql.SQL(", ").join(keys)
        )
        return statement.as_string(None)

    def months(self, connection: psycopg.Connection, first: date | None, last: date | None) -> list[Month]:
        """The months that have rows, with a fingerprint that differs once any value of any row does."""
        column = self.described.month_column
        month = (
            sql.SQL("date_trunc('month', {} at time zone 'UTC')::date").format(sql.Identifier(column))
            if column
            else sql.SQL("null::date")
        )
        within = [
            sql.SQL("{} {} {}").format(sql.Identifier(column), sql.SQL(operator), sql.Literal(f"{bound}Z"))
            for operator, bound in ((">=", first), ("<", last and _next(last)))
            if column and bound
        ]
        statement = sql.SQL(
            "select {} as month, count(*), sum(hashtextextended(whole::text, 0)) from public.{} as whole where {} group by 1 "
            "order by 1"
        ).format(month, sql.Identifier(self.name), sql.SQL(" and ").join(within) if within else sql.SQL("true"))
        return [
            Month(of, rows, f"{rows}-{hashed}-{self.described.schema_version}")
            for of, rows, hashed in connection.execute(statement).fetchall()
        ]

    def _within(self, month: date | None) -> sql.Composable:
        column = self.described.month_column
        if month is None or column is None:
            return sql.SQL("true")
        return sql.SQL("{0} >= {1} and {0} < {2}").format(
            sql.Identifier(column), sql.Literal(f"{month}Z"), sql.Literal(f"{_next(month)}Z")
        )


def exportable(connection: psycopg.Connection, dbt: Dbt, wanted: Sequence[str]) -> list[Exportable]:
    """The tables of these names that are built; all of them without names. Raises UsageError that lists the known names."""
    facts = dbt.facts()
    nodes = {
        node.name: facts.datasets_of(node)
        for node in facts.manifest.nodes.values()
        if node.resource_type == "model"
        and node.schema == "public"
        and (node.config.materialized == "keyed_table" or node.name == CAPTURES)
    }
    names = " ".join(wanted).replace(",", " ").split()
    if unknown := [name for name in names if name not in nodes]:
        raise UsageError(f"There is no table {unknown[0]!r} to export. Known: {', '.join(sorted(nodes))}.")
    found = (_describe(connection, name, nodes[name]) for name in sorted(names or nodes))
    return [Exportable(table, loses_rows=table.table == CAPTURES) for table in found if table]


def _describe(connection: psycopg.Connection, name: str, datasets: Sequence[str]) -> ExportedTable | None:
    """None for a table that is not built yet."""
    row = connection.execute(
        "select to_regclass(%s)::oid, obj_description(to_regclass(%s))", [f"public.{name}"] * 2
    ).fetchone()
    if row is None or row[0] is None:
        return None
    columns = [
        ExportedColumn(name=column, type=_TYPES.get(kind, kind), description=description)
        for column, kind, description in connection.execute(
            "select attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum) from pg_attribute "
            "where attrelid = %s and attnum > 0 and not attisdropped order by attnum",
            [row[0]],
        )
    ]
    key = connection.execute(
        "select attname from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any(conkey) "
        "where contype = 'p' and conrelid = %s order by array_position(conkey, attnum)",
        [row[0]],
    ).fetchall()
    spelled = ",".join(f"{column.name} {column.type}" for column in columns)
    there = {column.name for column in columns}
    return ExportedTable(
        table=name,
        description=row[1],
        key=[column for (column,) in key] or ["region_id", "known_at", "first_period_start", "payload_id"],
        month_column=next((column for column in MONTH_COLUMNS if column in there), None),
        schema_version=hashlib.sha256(spelled.encode()).hexdigest()[:12],
        columns=columns,
        licences=_licences(name, datasets),
    )


_TYPES = {"timestamp with time zone": "timestamptz", "time without time zone": "time"}


def _licences(name: str, datasets: Sequence[str]) -> list[LicenceNote]:
    sources = dict.fromkeys(DATASETS[slug].source for slug in datasets)
    if name == CAPTURES:
        sources = dict.fromkeys(["carbon_intensity"])
    return [
        LicenceNote(source=source, licence=licence.name, url=licence.url, attribution=licence.attribution)
        for source in sources or ["regions"]
        for licence in [LICENCES[source]]
    ]


def _in_parquet(column: ExportedColumn) -> sql.Composable:
    name = sql.Identifier(column.name)
    if column.type in UNTOUCHED:
        return name
    return sql.SQL("{0}::{1} as {0}").format(name, sql.SQL("float8" if column.type.startswith("numeric") else "text"))


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
