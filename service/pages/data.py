"""`/data`: tables and columns with their descriptions, downloads, how to use the API and MCP, licences."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from service.access import Service
from service.pages import freshness, grid
from service.pages.clock import Clock
from service.pages.rendering import page
from service.problems import Problem
from service.routes.series import file_of
from service.series.asked import series_of, understand
from service.series.files import ENDINGS, Format
from service.tenancy import connected
from warehouse.licences import LICENCES

MOST_DAYS = 31
"""A download without a token: a month of a series; all of it is at /series with one"""
MOST_ROWS = 200_000

_TABLES = """
select
    relname as name, case relkind when 'v' then 'view' else 'table' end as kind, obj_description(oid, 'pg_class') as description
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') and has_table_privilege(oid, 'select')
    and obj_description(oid, 'pg_class') is not null
order by relname
"""
_COLUMNS = """
select
    attrelid::regclass::text as relation, attname as name, format_type(atttypid, atttypmod) as type,
    coalesce(col_description(attrelid, attnum), '') as description
from pg_attribute
where attrelid = to_regclass(format('public.%%I', %s::text)) and attnum > 0 and not attisdropped
order by attnum
"""


async def answer(state: Service, clock: Clock, table: str | None, host: str) -> HTMLResponse:
    """The page; with a table, its columns."""
    now = datetime.now(UTC)
    outlook = await state.outlooks.now()
    async with connected(state.public) as connection:
        tables = await grid.rows(connection, _TABLES)
        if table is not None and table not in {one["name"] for one in tables}:
            raise Problem(404, "query.table: there is no table or view of this name")
        columns = await grid.rows(connection, _COLUMNS, [table]) if table is not None else []
    series = await state.summaries.now()
    return page(
        "data.html",
        path="/data",
        clock=clock,
        notice=state.settings.service_notice,
        state={"table": table},
        now=now,
        fresh=freshness.of(outlook, now),
        title=table or "Tables, downloads and licences",
        tables=tables,
        table=table,
        columns=columns,
        series=series,
        days=MOST_DAYS,
        host=host,
        licences=_licences(),
    )


def _licences() -> list[dict[str, Any]]:
    names = {
        "carbon_intensity": "Carbon Intensity API",
        "neso": "NESO",
        "elexon": "Elexon",
        "beckn": "Beckn",
        "regions": "Licence areas",
    }
    return [{"source": names.get(slug, slug), "licence": licence} for slug, licence in LICENCES.items()]


async def download(request: Request, state: Service, name: str, form: Format) -> Response:
    """The last 31 days of a series and what is known of the coming ones, as a file; of a series without periods, all of it."""
    series = series_of(name)
    now = datetime.now(UTC)
    start = now - timedelta(days=MOST_DAYS) if series.has_periods else None
    asked = understand(
        series, now=now, start=start, end=None, region_ids=None, as_of=None, horizon=None, resolution="half-hour",
        cursor=None, limit=MOST_ROWS,
    )  # fmt: skip
    said = {"from": asked.start, "to": asked.end, "format": form, "limit": asked.limit}
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return await file_of(request, state.files, asked, said, form, headers, request.headers.get("if-none-match"))


def format_of(ending: str) -> Format:
    """The format of a file's name. Raises Problem 404."""
    for form, known in ENDINGS.items():
        if known == ending and form in ("csv", "parquet"):
            return form
    raise Problem(404, "there is no such file: downloads end in csv or parquet")
