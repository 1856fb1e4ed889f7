"""What each agent reads before it speaks: the grid, the patterns of work and the limits, the whole."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.access import Authorized, Service, State
from service.answers import answer
from service.grid import no_price, with_prices
from service.tenancy import Connection, speaking_for

router = APIRouter(prefix="/agents", tags=["agents"])

Limit = Annotated[int, Query(ge=1, le=500, description="Most rows of each history.")]

MOST_WAITING = 20
"""Waiting workloads in a context, whatever `limit` says: those whose deadlines come first"""

_GRID = {
    "grid_status": "select * from national_grid_status",
    "regional_opportunities": "select * from regional_opportunities order by rank, region_id",
    "compute_windows": "select * from latest_compute_windows order by window_id",
    "prices": (
        "select market, period_start, period_end, price_gbp_mwh, is_synthetic, fetched_at from wholesale_prices "
        "where period_start > now() - interval '24 hours' order by market, period_start"
    ),
    "forecast_24h": "select * from carbon_intensity_forecast_24h order by region_id, period_start",
}
_PATTERNS = """
select
    workload_type, extract(hour from earliest_start at time zone 'UTC')::integer as hour_utc, count(*) as workloads,
    avg(energy_kwh) as mean_energy_kwh, avg(power_kw) as mean_power_kw,
    avg(duration_minutes) as mean_duration_minutes,
    count(*) filter (where is_deferrable) as deferrable
from app.compute_workloads
where created_at > now() - interval '90 days'
group by 1, 2
order by 1, 2
"""
_PREFERENCES = "select user_id, role, preferences from app.users order by created_at desc limit %s"
_ASSETS = """
select
    asset.asset_id, asset.operator_id, asset.name, asset.region_id, asset.zone_id, asset.rated_power_kw,
    asset.max_deferral_minutes, asset.carbon_cap_gco2_kwh, asset.is_active,
    coalesce((
        select sum(placement.power_kw) from app.workload_placements as placement
        where placement.asset_id = asset.asset_id and placement.released_at is null
            and placement.starts_at <= now() and placement.ends_at > now()
    ), 0) as taken_now_kw
from app.compute_assets as asset
order by asset.operator_id, asset.name
"""
_OPERATORS = "select * from operator_summary order by operator_name"
_USERS = "select * from user_workload_summary order by last_submitted_at desc nulls last, user_id limit %s"
_HISTORY = """
select
    workload_id, operator_id, user_id, workload_type, priority, status, energy_kwh, power_kw,
    duration_minutes, earliest_start, deadline, actual_start, actual_end, actual_carbon_kg,
    actual_cost_gbp, created_at
from app.compute_workloads
order by created_at desc
limit %s
"""
# The workloads are chosen first: each one costs two searches of the forecast, however few are asked for.
_OPPORTUNITIES = """
select *
from workload_opportunities
where workload_id = any(array(
    select workload_id
    from app.compute_workloads
    where status in ('pending', 'scheduled') and is_deferrable and deadline > now()
    order by deadline, workload_id
    limit %s
))
order by saving_against_soonest_kg desc nulls last, workload_id
"""
_NEGOTIATIONS = """
select negotiation_id, workload_id, attempt, round, agent, stance, proposals, reasons, known_at, created_at
from app.agent_negotiations
order by created_at desc, negotiation_id desc
limit %s
"""


@router.get("/energy/context")
async def energy(state: State, caller: Authorized) -> dict[str, Any]:
    """For the energy agent: grid status, regional opportunities, compute windows, prices, the forecast of 24 hours."""
    async with speaking_for(state.heavy, caller) as connection:
        context: dict[str, Any] = {name: await _rows(connection, query) for name, query in _GRID.items()}
    context["grid_status"] = context["grid_status"][0]
    return await _with_age(state, context)


@router.get("/compute/context")
async def compute(state: State, caller: Authorized, limit: Limit = 100) -> dict[str, Any]:
    """For the compute agent: patterns of past work, users' preferences, and what each operator can carry."""
    async with speaking_for(state.heavy, caller) as connection:
        context = {
            "workload_patterns": await _rows(connection, _PATTERNS),
            "preferences": await _rows(connection, _PREFERENCES, limit),
            "operators": await _rows(connection, _OPERATORS),
            "assets": await _rows(connection, _ASSETS),
            "waiting": await _rows(connection, _OPPORTUNITIES, min(limit, MOST_WAITING)),
        }
    return await _with_age(state, context, limit=limit)


@router.get("/head/context")
async def head(state: State, caller: Authorized, limit: Limit = 100) -> dict[str, Any]:
    """For the head agent: the history of workloads, users and operators, and every negotiation."""
    async with speaking_for(state.heavy, caller) as connection:
        context = {
            "grid_status": (await _rows(connection, _GRID["grid_status"]))[0],
            "workload_history": await _rows(connection, _HISTORY, limit),
            "users": await _rows(connection, _USERS, limit),
            "operators": await _rows(connection, _OPERATORS),
            "negotiations": await _rows(connection, _NEGOTIATIONS, limit),
            "waiting": await _rows(connection, _OPPORTUNITIES, min(limit, MOST_WAITING)),
        }
    return await _with_age(state, context, limit=limit)


async def _rows(connection: Connection, query: str, *values: Any) -> list[dict[str, Any]]:
    return await (await connection.execute(query, values or None)).fetchall()


async def _with_age(state: Service, context: dict[str, Any], **asked: Any) -> dict[str, Any]:
    outlook = await state.outlooks.now()
    for row in context.get("waiting", ()):
        if row["best_start"] is not None and row["best_price_gbp_mwh"] is None:
            row |= no_price("best_", outlook, row["best_start"], row["best_end"] - row["best_start"])
    if "regional_opportunities" in context:
        context["regional_opportunities"] = [with_prices(row, outlook) for row in context["regional_opportunities"]]
    return answer(outlook, context, asked=asked or None)
