"""With the extra energy-client[prefect]: a run of your own Prefect deployment, scheduled for the right moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from energy.api import Api
from energy.clock import Clock
from energy.functions import log
from energy.job import Job
from energy.settings import Settings
from energy.spans import deadline as instant_of
from energy.turn import Turn

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


def schedule_when_clean(
    deployment: str,
    *,
    hours: float,
    deadline: str | timedelta | datetime = "24h",
    place: str | None = None,
    parameters: dict[str, Any] | None = None,
    strict: bool = False,
) -> FlowRun:
    """Create a run of `flow/deployment` in Prefect, scheduled for the moment that the service gives; now without the service.

    The run has the tag `energy:<workload id>`. It stays where it is scheduled: a service that dispatches to this same Prefect
    (`run` of a task) also moves it. Raises ValueError, what Prefect raises, and Trouble only if `strict`.
    """
    from prefect.deployments import run_deployment

    settings, clock = Settings.read(), Clock()
    now = clock.now()
    job = Job(
        words=f"Run {deployment}",
        length=timedelta(hours=hours),
        submitted_at=now,
        deadline=instant_of(deadline, now),
        place=place or settings.place,
    )
    turn = Turn(Api(settings), job, clock=clock, say=log.warning, is_strict=strict)
    turn.submit()
    run = run_deployment(
        name=deployment,
        parameters=parameters,
        scheduled_time=turn.starts_at,
        timeout=0,
        tags=[f"energy:{turn.workload_id}"] if turn.workload_id else None,
    )
    return cast("FlowRun", run)  # a coroutine only where an event loop runs
