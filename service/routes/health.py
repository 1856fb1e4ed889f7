"""Routes for machines that watch: alive, ready, figures. They tell nothing of any operator and need no token."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from fastapi import APIRouter, Response

from service import ages, signals
from service.access import Service, State
from service.metrics import CONTENT_TYPE
from service.models.health import Alive, Ready
from warehouse.counts import duration

router = APIRouter(tags=["health"])

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Who watches is answered however many others ask"""
DATABASE_SECONDS, SHARES_SECONDS = 1.5, 0.3
"""Who watches is answered within two seconds, whatever the database does."""


@router.get("/healthz", response_model=Alive)
async def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=Ready,
    response_model_exclude_unset=True,
    responses={503: {"model": Ready, "description": "Not ready, and why."}},
)
async def ready(state: State, response: Response) -> dict[str, Any]:
    """The database responds and there is a real forecast that is not too old; otherwise 503, with the reason.

    Synthetic values do not count: when every value is synthetic, the service still responds but is not ready.
    """
    try:
        outlook = await state.outlooks.now(within=DATABASE_SECONDS)
    except (psycopg.Error, TimeoutError):
        response.status_code = 503
        return {"status": "not ready", "reason": "the database cannot be used, or the tables are not built"}
    data = ages.of(outlook, datetime.now(UTC))
    reason = not_ready(data, 3600 * state.settings.service_ready_age_hours)
    if reason is not None:
        response.status_code = 503
        return {"status": "not ready", "reason": reason, "data": data}
    return {"status": "ready", "data": data}


def not_ready(data: dict[str, Any], most_seconds: float) -> str | None:
    """Why the data cannot be relied on; None where it can."""
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


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(state: State) -> Response:
    """Figures for Prometheus: of this service, and of the grid as signals for schedulers (docs/integrations.md).

    Kept for a second: however many ask, they are written once.
    """
    return await state.figures.get("", lambda: _figures(state))


async def _figures(state: Service) -> Response:
    now = datetime.now(UTC)
    try:
        outlook = await state.outlooks.now(within=DATABASE_SECONDS)
        data = ages.of(outlook, now)
        state.metrics.data(data["age_seconds"], data["synthetic_share"], data["synthetic_age_seconds"])
        state.metrics.grid(signals.families(outlook, await state.renewables.now(SHARES_SECONDS), now))
    except (psycopg.Error, TimeoutError):
        state.metrics.data(None, None, None)
        state.metrics.grid(())
    return Response(state.metrics.text(), media_type=CONTENT_TYPE)
