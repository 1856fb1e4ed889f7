"""Routes for machines that watch: alive, ready, figures. They tell nothing of any operator and need no token."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from fastapi import APIRouter, Response

from service.access import State
from service.metrics import CONTENT_TYPE
from warehouse.counts import duration

router = APIRouter(tags=["health"])

DATABASE_SECONDS = 1.5
"""Who watches is answered within two seconds, whatever the database does."""


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(state: State, response: Response) -> dict[str, Any]:
    """The database responds and there is a real forecast that is not too old; otherwise 503, with the reason.

    Synthetic values do not count: when every value is synthetic, the service still responds but is not ready.
    """
    try:
        outlook = await state.outlooks.now(within=DATABASE_SECONDS)
    except (psycopg.Error, TimeoutError):
        response.status_code = 503
        return {"status": "not ready", "reason": "the database cannot be used, or the tables are not built"}
    data = outlook.age(datetime.now(UTC))
    reason = _not_ready(data, 3600 * state.settings.service_ready_age_hours)
    if reason is not None:
        response.status_code = 503
        return {"status": "not ready", "reason": reason, "data": data}
    return {"status": "ready", "data": data}


def _not_ready(data: dict[str, Any], most_seconds: float) -> str | None:
    if data["synthetic_share"] is None:
        return "there is no forecast"
    if data["age_seconds"] is None:
        return "there is no real forecast: every value is synthetic"
    if data["synthetic_share"] == 1:
        return f"every value is synthetic; the newest real forecast is {data['age_in_words']} old"
    if data["age_seconds"] > most_seconds:
        most = duration(timedelta(seconds=most_seconds))
        return f"the newest real forecast is {data['age_in_words']} old; more than {most} is not ready"
    return None


@router.get("/metrics", response_class=Response)
async def metrics(state: State) -> Response:
    """Figures for Prometheus."""
    try:
        data = (await state.outlooks.now(within=DATABASE_SECONDS)).age(datetime.now(UTC))
        state.metrics.data(data["age_seconds"], data["synthetic_share"], data["synthetic_age_seconds"])
    except (psycopg.Error, TimeoutError):
        state.metrics.data(None, None, None)
    return Response(state.metrics.text(), media_type=CONTENT_TYPE)
