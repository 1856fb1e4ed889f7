"""The page at `/`: whether the data can be trusted today, for a person to look at."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.access import State
from service.tenancy import connected

router = APIRouter(tags=["page"])

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_COVERAGE = """
select
    dataset, max(settlement_date) as newest_day, sum(half_hours_expected)::bigint as expected,
    sum(half_hours_present)::bigint as present, sum(half_hours_synthetic)::bigint as synthetic
from data_coverage
where settlement_date between current_date - 7 and current_date - 1
group by dataset
order by dataset
"""


@router.get("/", response_class=HTMLResponse)
async def page(state: State) -> HTMLResponse:
    """The grid now, the regions, and the last seven days of every table."""
    async with connected(state.heavy) as connection:
        status = await (await connection.execute("select * from national_grid_status")).fetchone()
        regions = await (
            await connection.execute("select * from regional_opportunities order by rank, region_id")
        ).fetchall()
        coverage = await (await connection.execute(_COVERAGE)).fetchall()
    outlook = await state.outlooks.now()
    now = datetime.now(UTC)
    text = _TEMPLATES.get_template("page.html").render(
        now=now, status=status, regions=regions, coverage=coverage, data=outlook.age(now)
    )
    return HTMLResponse(text)
