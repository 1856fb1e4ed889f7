"""Routes of the grid: regional opportunities and the best windows. Open to every caller with a token: no operator's rows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import ValidationError

from placement.outlook import Outlook
from placement.prices import BASIS
from service import windows
from service.access import Authorized, State
from service.answers import answer
from service.aside import WINDOWS
from service.models.grid import BestWindows, Opportunities
from service.problems import Problem
from service.shapes import Instant, Interruptible
from service.tenancy import connected
from service.where import InAreas, Where
from warehouse.periods import HALF_HOUR

router = APIRouter(tags=["grid"])


@router.get("/regions/opportunities", response_model=Opportunities, response_model_exclude_unset=True)
async def opportunities(state: State, _caller: Authorized, where: InAreas) -> dict[str, Any]:
    """The fourteen licence areas now, or those that are named, and the cleanest 1, 2, 4 and 8 hours in each in the next 48.

    `rank` is among all fourteen.
    """
    async with connected(state.pool) as connection:
        cursor = await connection.execute("select * from regional_opportunities order by rank, region_id")
        rows = await cursor.fetchall()
    outlook = await state.outlooks.now()
    wanted = [row for row in rows if where.region_ids is None or row["region_id"] in where.region_ids]
    body = {"places": where.as_json(), "regions": [with_prices(row, outlook) for row in wanted]}
    return answer(outlook, body, asked=where.asked)


def with_prices(row: dict[str, Any], outlook: Outlook) -> dict[str, Any]:
    """A row of `regional_opportunities`; where the best start has no price yet, why, and an estimate of that half-hour's."""
    priced = dict(row)
    for hours in (1, 2, 4, 8):
        start = row[f"best_{hours}h_start"]
        if start is not None and row[f"best_{hours}h_price_gbp_mwh"] is None:
            priced |= no_price(f"best_{hours}h_", outlook, start, HALF_HOUR)
    return priced


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


async def _chunks(
    is_interruptible: bool | None = None,
    max_chunks: Annotated[int | None, Query(ge=1, le=48)] = None,
    min_chunk_minutes: Annotated[int | None, Query(ge=1, le=10_080)] = None,
    resume_overhead_minutes: Annotated[int | None, Query(ge=0, le=1440)] = None,
) -> Interruptible:
    try:
        return Interruptible(
            is_interruptible=is_interruptible,
            max_chunks=max_chunks,
            min_chunk_minutes=min_chunk_minutes,
            resume_overhead_minutes=resume_overhead_minutes,
        )
    except ValidationError as error:
        raise Problem(422, f"query: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


@router.get("/windows/best", response_model=BestWindows, response_model_exclude_unset=True)
async def best_windows(
    state: State,
    _caller: Authorized,
    where: InAreas,
    chunks: Annotated[Interruptible, Depends(_chunks)],
    duration_minutes: Annotated[int, Query(ge=1, le=10_080)] = 240,
    earliest: Annotated[Instant | None, Query()] = None,
    deadline: Annotated[Instant | None, Query()] = None,
    carbon_to_cost_weight: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 1,
    power_profile_kw: Annotated[
        list[Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)]] | None,
        Query(max_length=336, description="Power in each half-hour of the run, kW; constant where left out."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> dict[str, Any]:
    """The best windows for a run of this length, best first; in chunks too, if it may be interrupted.

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
    asked = {
        "duration_minutes": duration_minutes, "earliest": earliest, "deadline": deadline, **where.asked,
        "carbon_to_cost_weight": carbon_to_cost_weight, **chunks.model_dump(), "power_profile_kw": power_profile_kw,
        "limit": limit,
    }  # fmt: skip
    if chunks.is_interruptible or power_profile_kw is not None:
        outlook = await state.outlooks.now()
        task = windows.task_of(
            chunks, minutes=duration_minutes, earliest=earliest, deadline=deadline, weight=carbon_to_cost_weight,
            regions=where.region_ids, profile_kw=power_profile_kw,
        )  # fmt: skip
        value = state.settings.carbon_value_gbp_tonne / 1000
        rows = await WINDOWS(windows.find, task, outlook, limit, carbon_value_gbp_kg=value)
        return _answer(outlook, rows, where, asked, now)
    weights = {
        "carbon": carbon_to_cost_weight * state.settings.carbon_value_gbp_tonne / 1000,
        "price": 1 - carbon_to_cost_weight,
    }
    regions = None if where.region_ids is None else list(where.region_ids)
    async with connected(state.heavy) as connection:
        cursor = await connection.execute(
            "select rank, region_id, starts_at, ends_at, mean_gco2_kwh, mean_price_gbp_mwh, score, "
            "synthetic_share from best_windows(%s, %s, %s, %s::smallint[], %s) order by rank limit %s",
            [timedelta(minutes=duration_minutes), earliest, deadline, regions, json.dumps(weights), limit],
        )
        found = await cursor.fetchall()
    outlook = await state.outlooks.now()
    return _answer(outlook, found, where, asked, now)


def _answer(
    outlook: Outlook, found: list[dict[str, Any]], where: Where, asked: dict[str, Any], now: datetime
) -> dict[str, Any]:
    windows_found = [
        {
            **row,
            **(
                no_price("", outlook, row["starts_at"], row["ends_at"] - row["starts_at"])
                if row["mean_price_gbp_mwh"] is None
                else {}
            ),
        }
        for row in found
    ]
    why_none = "no window of this length lies within the forecast"
    if asked["carbon_to_cost_weight"] < 1:
        why_none += " and has a day-ahead price for each half-hour"
    body = {"places": where.as_json(), "windows": windows_found, "why_none": None if found else why_none}
    return answer(outlook, body, asked=asked, now=now)
