"""Scheduled runs: which one of each deployment comes next, and which are left over from a time when nothing ran."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
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
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Scheduled

from flows.work_pool import every, scheduled_deployments

SKIPPED = "Skipped"
NO_SLOT = "Deployment concurrency limit reached."
"""Prefect's message of a run that it cancelled because another one held the slot of its deployment"""


def unscheduled(seconds: float) -> list[str]:
    """The deployments with an active schedule that have no run to come, after waiting so long for Prefect to plan them."""
    deadline = time.monotonic() + seconds
    with get_client(sync_client=True) as client:
        while missing := [d.name for d in scheduled_deployments(client) if next_run(client, d.id) is None]:
            if time.monotonic() > deadline:
                break
            time.sleep(1)
    return missing


def skip_late_runs() -> int:
    """Cancel the scheduled runs that are late, except the newest of each deployment; returns how many.

    A run of a schedule requests everything that the ones before it would have requested, so that one is enough. A run that
    died holds the slot of its deployment until the sweep. Meanwhile Prefect's server cancels what is late: the newest of
    these is due again.
    """
    skipped = 0
    with get_client(sync_client=True) as client:
        for deployment in scheduled_deployments(client):
            late = [run for run in _late(client, deployment.id) if run.auto_scheduled]
            cancelled = _cancelled_for_a_slot(client, deployment.id)
            if cancelled and not (late and _starts(late[0]) > _starts(cancelled)):
                again: State[None] = Scheduled(scheduled_time=cancelled.expected_start_time)
                client.set_flow_run_state(cancelled.id, state=again, force=True)
                late = [cancelled, *late]
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
    wanted = _runs(deployment_id, StateType.SCHEDULED, after=datetime.now(UTC))
    return next(iter(client.read_flow_runs(**wanted, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=1)), None)


def last_run(client: SyncPrefectClient, deployment_id: UUID) -> FlowRun | None:
    """The newest run of a deployment that has begun."""
    wanted = _runs(deployment_id, StateType.RUNNING, StateType.COMPLETED, StateType.FAILED, StateType.CRASHED)
    return next(iter(client.read_flow_runs(**wanted, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1)), None)


def _cancelled_for_a_slot(client: SyncPrefectClient, deployment_id: UUID) -> FlowRun | None:
    """The newest run that was due, if Prefect cancelled it for want of a slot and no run has begun since."""
    wanted = _runs(deployment_id, StateType.CANCELLED, before=datetime.now(UTC))
    due = client.read_flow_runs(**wanted, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1)
    if not due or not due[0].auto_scheduled or not due[0].state or due[0].state.message != NO_SLOT:
        return None
    live = client.read_flow_runs(**_runs(deployment_id, StateType.PENDING, StateType.RUNNING), limit=1)
    begun = last_run(client, deployment_id)
    has_begun_since = begun and begun.start_time and begun.start_time > due[0].state.timestamp
    return None if live or has_begun_since else due[0]


def _starts(run: FlowRun) -> datetime:
    return run.expected_start_time or datetime.min.replace(tzinfo=UTC)


def _late(client: SyncPrefectClient, deployment_id: UUID) -> Sequence[FlowRun]:
    """Newest first."""
    wanted = _runs(deployment_id, StateType.SCHEDULED, before=datetime.now(UTC))
    return every(client.read_flow_runs, **wanted, sort=FlowRunSort.EXPECTED_START_TIME_DESC)


def _runs(
    deployment_id: UUID, *states: StateType, after: datetime | None = None, before: datetime | None = None
) -> dict[str, Any]:
    """The filters for the runs of a deployment in these states, and of this time."""
    return {
        "deployment_filter": DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id])),
        "flow_run_filter": FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
            expected_start_time=FlowRunFilterExpectedStartTime(after_=after, before_=before),
        ),
    }
