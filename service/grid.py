"""Routes of the grid: regional opportunities and the best windows. Open to every caller with a token: no operator's rows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.access import Authorized, State
from service.answers import answer
from service.outlook import Outlook
from service.prices import BASIS
from service.problems import Problem
from service.shapes import Instant
from service.tenancy import connected

router = APIRouter(tags=["grid"])

Region = Annotated[int, Query(ge=1, le=14)]


@router.get("/regions/opportunities")
async def opportunities(state: State, _caller: Authorized) -> dict[str, Any]:
    """The fourteen licence areas now, and the cleanest 1, 2, 4 and 8 hours in each in the next 48."""
    async with connected(state.pool) as connection:
        cursor = await connection.execute("select * from regional_opportunities order by rank, region_id")
        rows = await cursor.fetchall()
    outlook = await state.outlooks.now()
    return answer(outlook, {"regions": [with_prices(row, outlook) for row in rows]})


def with_prices(row: dict[str, Any], outlook: Outlook) -> dict[str, Any]:
    """A row of `regional_opportunities`; where the best start has no price yet, why, and an estimate of that half-hour's."""
    told = dict(row)
    for hours in (1, 2, 4, 8):
        start = row[f"best_{hours}h_start"]
        if start is not None and row[f"best_{hours}h_price_gbp_mwh"] is None:
            told |= no_price(f"best_{hours}h_", outlook, start, timedelta(minutes=30))
    return told


def no_price(prefix: str, outlook: Outlook, starts_at: datetime, length: timedelta) -> dict[str, Any]:
    """Why a run has no price, and the marked estimate, under names that begin with a prefix."""
    unknown = outlook.unknown_price(starts_at, length)
    estimate, error = (None if (v := unknown[f"{n}_gbp_mwh"]) is None else round(v, 3) for n in ("estimate", "error"))
    return {
        f"{prefix}price_unknown_because": unknown["because"],
        f"{prefix}price_estimate_gbp_mwh": estimate,
        f"{prefix}price_estimate_error_gbp_mwh": error,
        f"{prefix}estimate_basis": None if estimate is None else BASIS,
    }


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
    """The best windows for a run of this length, best first.

    `score` is in GBP/MWh, as in the SQL function best_windows(): weight x value of carbon x mean intensity + (1 - weight) x price.
    """
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
    async with connected(state.heavy) as connection:
        cursor = await connection.execute(
            "select rank, region_id, starts_at, ends_at, mean_gco2_kwh, mean_price_gbp_mwh, score, "
            "synthetic_share from best_windows(%s, %s, %s, %s::smallint[], %s) order by rank limit %s",
            [timedelta(minutes=duration_minutes), earliest, deadline, region_id, json.dumps(weights), limit],
        )
        found = await cursor.fetchall()
    outlook = await state.outlooks.now()
    length = timedelta(minutes=duration_minutes)
    windows = [
        {**row, **(no_price("", outlook, row["starts_at"], length) if row["mean_price_gbp_mwh"] is None else {})}
        for row in found
    ]
    why_none = "no window of this length lies within the forecast"
    if carbon_to_cost_weight < 1:
        why_none += " and has a day-ahead price for each half-hour"
    asked = {
        "duration_minutes": duration_minutes, "earliest": earliest, "deadline": deadline, "region_id": region_id,
        "carbon_to_cost_weight": carbon_to_cost_weight, "limit": limit,
    }  # fmt: skip
    return answer(outlook, {"windows": windows, "why_none": None if found else why_none}, asked=asked, now=now)
