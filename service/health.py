"""Routes for machines that watch: alive, ready, figures. They tell nothing of any operator and need no token."""

from datetime import UTC, datetime
from typing import Any

import psycopg
from fastapi import APIRouter, Response
from psycopg_pool import PoolTimeout

from service.access import State
from service.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(state: State, response: Response) -> dict[str, Any]:
    """The database answers and there is a forecast to decide by; 503 where not."""
    try:
        outlook = await state.outlooks.now()
    except (psycopg.Error, PoolTimeout):
        response.status_code = 503
        return {"status": "not ready", "reason": "the database cannot be used, or the tables are not built"}
    data = outlook.age(datetime.now(UTC))
    if outlook.fetched_at is None:
        response.status_code = 503
        return {"status": "not ready", "reason": "there is no forecast", "data": data}
    return {"status": "ready", "data": data}


@router.get("/metrics", response_class=Response)
async def metrics(state: State) -> Response:
    """Figures for Prometheus."""
    try:
        data = (await state.outlooks.now()).age(datetime.now(UTC))
        state.metrics.data(data["age_seconds"], data["synthetic_share"])
    except (psycopg.Error, PoolTimeout):
        state.metrics.data(None, None)
    return Response(state.metrics.text(), media_type=CONTENT_TYPE)
