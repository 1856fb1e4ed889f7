"""Routes of the grid: regional opportunities and the best windows. Open to every caller with a token: no operator's rows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.access import Authorized, State
from service.problems import Problem
from service.shapes import Instant

router = APIRouter(tags=["grid"])

Region = Annotated[int, Query(ge=1, le=14)]


@router.get("/regions/opportunities")
async def opportunities(state: State, _caller: Authorized) -> dict[str, Any]:
    """The fourteen licence areas now, and the cleanest 1, 2, 4 and 8 hours in each in the next 48."""
    async with state.pool.connection() as connection:
        cursor = await connection.execute(
            "select *, extract(epoch from data_age) as data_age_seconds from regional_opportunities "
            "order by rank, region_id"
        )
        rows = await cursor.fetchall()
    for row in rows:
        del row["data_age"]
    outlook = await state.outlooks.now()
    return {"regions": rows, "data": outlook.age(datetime.now(UTC))}


@router.get("/windows/best")
async def best_windows(
    state: State,
    _caller: Authorized,
    duration_minutes: Annotated[int, Query(ge=1, le=10_080)] = 240,
    earliest: Annotated[Instant | None, Query()] = None,
    deadline: Annotated[Instant | None, Query()] = None,
    region_id: Annotated[list[Region] | None, Query(max_length=14)] = None,
    carbon_to_cost_weight: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> dict[str, Any]:
    """The best windows for a run of this length, best first. `score` is in GBP/MWh."""
    now = datetime.now(UTC)
    earliest = earliest or now
    deadline = deadline or earliest + timedelta(hours=48)
    if deadline < earliest + timedelta(minutes=duration_minutes):
        raise Problem(
            422, "the deadline is before the soonest end; give a later deadline or a shorter duration_minutes"
        )
    if deadline - earliest > timedelta(days=31):
        raise Problem(422, "deadline and earliest are more than 31 days apart; ask for less at a time")
    weights = {
        "carbon": carbon_to_cost_weight * state.settings.carbon_value_gbp_tonne / 1000,
        "price": 1 - carbon_to_cost_weight,
    }
    async with state.pool.connection() as connection:
        cursor = await connection.execute(
            "select rank, region_id, starts_at, ends_at, mean_gco2_kwh, mean_price_gbp_mwh, score, "
            "synthetic_share from best_windows(%s, %s, %s, %s::smallint[], %s) order by rank limit %s",
            [timedelta(minutes=duration_minutes), earliest, deadline, region_id, json.dumps(weights), limit],
        )
        found = await cursor.fetchall()
    outlook = await state.outlooks.now()
    return {
        "windows": found,
        "why_none": None if found else "no window of this length lies within the forecast" + (
            "" if carbon_to_cost_weight == 1 else " and has a day-ahead price for each half-hour"
        ),
        "data": outlook.age(now),
    }  # fmt: skip
