"""Tools on the data itself: can it be trusted, where a value came from, which tables there are, and queries."""

import asyncio
from typing import Annotated, Any

import psycopg
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from service import coverage
from service.mcp.desk import READ_ONLY, Desk, in_words, origin
from service.mcp.reading import MOST_ROWS, STATEMENT_SECONDS, Reader
from service.mcp.results import Column, Coverage, Rows, Table, Tables, Traced, Trust
from service.mcp.strict_tools import Tools
from service.mcp.work_tools import plain
from service.routes import health
from service.tenancy import connected
from warehouse import trace
from warehouse.cut_off import cut_off
from warehouse.database import Database, Role
from warehouse.licences import LICENCES

EVERY = ("carbon_intensity", "neso", "elexon", "beckn")
_TABLES = """
select relname as name, case relkind when 'v' then 'view' else 'table' end as kind, obj_description(oid, 'pg_class') as description
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') and has_table_privilege(oid, 'select')
    and obj_description(oid, 'pg_class') is not null
order by relname
"""
_COLUMNS = """
select attname as name, format_type(atttypid, atttypmod) as type, col_description(attrelid, attnum) as description
from pg_attribute
where attrelid = to_regclass(format('public.%%I', %s::text)) and attnum > 0 and not attisdropped
order by attnum
"""


async def every_table(desk: Desk) -> list[dict[str, Any]]:
    """The described tables and views of schema public."""
    async with connected(desk.service.pool) as connection:
        return await (await connection.execute(_TABLES)).fetchall()


async def columns(desk: Desk, table: str) -> list[Column]:
    """The columns of a table of schema public, with their descriptions."""
    async with connected(desk.service.pool) as connection:
        return [Column(**row) for row in await (await connection.execute(_COLUMNS, [table])).fetchall()]


def add(tools: Tools, desk: Desk) -> None:
    """Register the tools."""
    reader = Reader(desk.database)

    @tools.tool(title="Can the data be trusted?", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def data_trust() -> Trust:
        """How old the newest real forecast is, how much is synthetic, and how complete each table was over the last seven days.
        Read-only. Ask it before deciding anything that matters: synthetic values are placeholders, never measurements.
        """
        async with connected(desk.service.heavy) as connection:
            rows = await (await connection.execute(coverage.LAST_WEEK)).fetchall()
            gaps = await (await connection.execute("select count(*) as gaps from data_gaps")).fetchone()
        age = await desk.age()
        not_ready = health.not_ready(age.model_dump(), 3600 * desk.service.settings.service_ready_age_hours)
        return Trust(
            is_ready=not_ready is None,
            in_words=age.in_words if not_ready is None else f"Not to be relied on: {not_ready}.",
            last_seven_days=[
                Coverage(
                    dataset=row["dataset"], newest_day=str(row["newest_day"]), half_hours_expected=row["expected"],
                    half_hours_present=row["present"], half_hours_synthetic=row["synthetic"],
                )
                for row in rows
            ],
            gaps=gaps["gaps"] if gaps else 0,
            data=age,
            origin=origin("data_coverage", "data_gaps", sources=EVERY),
        )  # fmt: skip

    @tools.tool(title="Where a value came from", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def trace_value(
        table: Annotated[
            str,
            Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="A clean table, such as carbon_intensity_regional."),
        ],
        key: Annotated[
            list[Annotated[str, Field(max_length=200)]],
            Field(
                min_length=1, max_length=6, description='Its primary key in order, such as ["13", "2026-11-26T09:00Z"].'
            ),
        ],
    ) -> Traced:
        """The row, the payload that it was read from (its records, request and time) and the checks that it passed. Read-only.
        Wrong keys are answered with the columns of the key.
        """
        found = await asyncio.to_thread(_trace, desk.database, table, key)
        payload, checks = found.get("payload", {}), found.get("checks", [])
        source = str(found.get("dataset") or "regions").split("__")[0]
        kind = payload.get("origin")
        return Traced(
            table=table, row=plain(found["row"]), dataset=found.get("dataset"), request_url=payload.get("request_url"),
            fetched_at=payload.get("fetched_at"), payload_origin=kind, records=plain(list(found.get("records", {}).values())),
            checks_met=sum(bool(one["success"]) for one in checks),
            checks_not_met=[one["description"] for one in checks if not one["success"]],
            in_words=found.get("note") or (
                "SYNTHETIC: generated here because the upstream gave nothing." if kind == "synthetic"
                else f"Read from {payload.get('request_url')} at {payload.get('fetched_at'):%Y-%m-%d %H:%M}Z."
            ),
            data=await desk.age(), origin=origin(table, sources=(source if source in LICENCES else "regions",)),
        )  # fmt: skip

    @tools.tool(title="Tables and columns", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def describe_tables(
        table: Annotated[
            str | None, Field(max_length=63, description="Its columns too; every table if left out.")
        ] = None,
    ) -> Tables:
        """The tables and views that `query` can read, with their grain, and the columns of one with units. Read-only."""
        rows = [row for row in await every_table(desk) if table in (None, row["name"])]
        if not rows:
            raise ToolError("there is no such table; describe_tables without a table lists them")
        found = [Table(**row, columns=await columns(desk, row["name"]) if table else []) for row in rows]
        return Tables(
            tables=found,
            data=await desk.age(),
            origin=origin(*(one.name for one in found), sources=EVERY),
        )

    @tools.tool(title="Query the data", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def query(
        sql: Annotated[
            str,
            Field(
                min_length=1,
                max_length=10_000,
                description="One SELECT over schema public (PostgreSQL).",
                examples=[
                    "select * from carbon_intensity_national where period_start <= now() order by 1 desc limit 5"
                ],
            ),
        ],
        limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Most rows.")] = 200,
    ) -> Rows:
        """Run one read-only SELECT over the tables and views of describe_tables. It can change nothing and sees no user or
        workload. Common functions only; stopped after a few seconds. Instants are UTC; rows say in is_synthetic whether
        they are real, in fetched_at how old they are.
        """
        names, rows, more = await reader.query(sql, limit)
        return Rows(
            columns=names, rows=rows, row_count=len(rows), is_truncated=more, data=await desk.age(),
            origin=origin(
                "schema public", sources=EVERY,
                note=f"the age is that of the newest forecast; columns fetched_at and is_synthetic tell of each row. "
                f"A query may take {STATEMENT_SECONDS} s",
            ),
        )  # fmt: skip


def _trace(database: Database, table: str, key: list[str]) -> dict[str, Any]:
    with (
        database.connect(role=Role.LOADER, name="energy-mcp trace") as connection,
        cut_off(connection, 4 * STATEMENT_SECONDS),
    ):
        connection.execute(f"set statement_timeout = '{STATEMENT_SECONDS}s'")
        connection.execute("set default_transaction_read_only = on")
        try:
            return trace.trace(connection, table, key)
        except psycopg.errors.InsufficientPrivilege:
            raise ToolError("this table is not one whose values can be traced") from None
