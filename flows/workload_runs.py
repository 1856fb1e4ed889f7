"""The runs of workloads in Prefect: known by their tags, whatever deployment they are of."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Cancelling

from flows.work_pool import every

RUN_OF_WORKLOAD = "workload"
"""Tag of each run that `dispatch` makes; another one, `workload:<id>`, says of which"""
NOT_TO_RUN = "Its workload is not to run."
TAGS_AT_ONCE = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IS_OPEN = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED)


def tags(workload_id: UUID) -> list[str]:
    """By which a run of this workload is found again."""
    return [RUN_OF_WORKLOAD, f"{RUN_OF_WORKLOAD}:{workload_id}"]


def of(client: SyncPrefectClient, workload_ids: Sequence[UUID]) -> dict[UUID, list[FlowRun]]:
    """The runs that were made for these workloads, the oldest first."""
    wanted = [tags(workload_id)[1] for workload_id in workload_ids]
    found: dict[UUID, list[FlowRun]] = {}
    for first in range(0, len(wanted), TAGS_AT_ONCE):
        some = FlowRunFilter(tags=FlowRunFilterTags(any_=wanted[first : first + TAGS_AT_ONCE]))
        found |= _by_workload(client, some)
    return found


def open_runs(client: SyncPrefectClient) -> dict[UUID, list[FlowRun]]:
    """The runs of any workload that have not ended, the oldest first."""
    not_ended = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(IS_OPEN)))
    return _by_workload(client, FlowRunFilter(tags=FlowRunFilterTags(all_=[RUN_OF_WORKLOAD]), state=not_ended))


def cancel(client: SyncPrefectClient, run: FlowRun) -> None:
    """Cancel a run: one that has begun is asked to end, one that has not never begins."""
    is_begun = run.state_type in (StateType.RUNNING, StateType.PENDING)
    state: State[None] = Cancelling() if is_begun else Cancelled(message=NOT_TO_RUN)
    client.set_flow_run_state(run.id, state=state, force=not is_begun)


def is_cancelled_by_us(run: FlowRun) -> bool:
    """Whether a run that is cancelled was cancelled here, and by nobody else."""
    return run.state is not None and run.state.message == NOT_TO_RUN


def _by_workload(client: SyncPrefectClient, wanted: FlowRunFilter) -> dict[UUID, list[FlowRun]]:
    runs = every(client.read_flow_runs, flow_run_filter=wanted, sort=FlowRunSort.ID_DESC)
    found: dict[UUID, list[FlowRun]] = {}
    for run in sorted(runs, key=lambda run: (run.created or EPOCH, run.id)):
        if workload_id := _workload_of(run):
            found.setdefault(workload_id, []).append(run)
    return found


def _workload_of(run: FlowRun) -> UUID | None:
    for tag in run.tags:
        if tag.startswith(f"{RUN_OF_WORKLOAD}:"):
            with suppress(ValueError):  # a tag of somebody else's
                return UUID(tag.partition(":")[2])
    return None
