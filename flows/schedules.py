"""Scheduled runs: which one of each deployment comes next, and which are left over from a time when nothing ran."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort

PAGE = 200
SKIPPED = "Skipped"


def unscheduled(seconds: float) -> list[str]:
    """The deployments with an active schedule that have no run to come, after waiting so long for Prefect to plan them."""
    deadline = time.monotonic() + seconds
    with get_client(sync_client=True) as client:
        while missing := [d.name for d in _scheduled(client) if next_run(client, d.id) is None]:
            if time.monotonic() > deadline:
                break
            time.sleep(1)
    return missing


def skip_late_runs() -> int:
    """Cancel the scheduled runs that are late, except the newest of each deployment; returns how many.

    A run of a schedule asks for everything that the ones before it would have asked for, so that one is enough.
    """
    skipped = 0
    with get_client(sync_client=True) as client:
        for deployment in _scheduled(client):
            late = [run for run in _late(client, deployment.id) if run.auto_scheduled]
            for run in late[1:]:
                state: State[None] = State(
                    type=StateType.CANCELLED,
                    name=SKIPPED,
                    message="It was due while nothing ran; a later run does its work.",
                )
                client.set_flow_run_state(run.id, state=state, force=True)
                skipped += 1
    return skipped


def next_run(client: SyncPrefectClient, deployment_id: UUID) -> FlowRun | None:
    """The next run to come of a deployment."""
    return next(iter(_runs(client, deployment_id, StateType.SCHEDULED, after=datetime.now(UTC), limit=1)), None)


def last_run(client: SyncPrefectClient, deployment_id: UUID) -> FlowRun | None:
    """The newest run of a deployment that has begun."""
    begun = (StateType.RUNNING, StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
    return next(iter(_runs(client, deployment_id, *begun, newest_first=True, limit=1)), None)


def _scheduled(client: SyncPrefectClient) -> list[DeploymentResponse]:
    return [
        deployment
        for deployment in client.read_deployments(limit=PAGE)
        if not deployment.paused and any(schedule.active for schedule in deployment.schedules)
    ]


def _late(client: SyncPrefectClient, deployment_id: UUID) -> Sequence[FlowRun]:
    """Newest first."""
    return _runs(client, deployment_id, StateType.SCHEDULED, before=datetime.now(UTC), newest_first=True)


def _runs(
    client: SyncPrefectClient,
    deployment_id: UUID,
    *states: StateType,
    after: datetime | None = None,
    before: datetime | None = None,
    newest_first: bool = False,
    limit: int = PAGE,
) -> Sequence[FlowRun]:
    return client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id])),
        flow_run_filter=FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
            expected_start_time=FlowRunFilterExpectedStartTime(after_=after, before_=before),
        ),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC if newest_first else FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=limit,
    )
