"""What a Prefect server has of our work pool, page by page. The server may be somebody else's, and serve other teams too."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import DeploymentSort, FlowRunSort

from flows.prefect_server import POOL

PAGE = 200
OURS = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
HOLDS_SLOT = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
T = TypeVar("T")


def every(read: Callable[..., Sequence[T]], **filters: Any) -> list[T]:
    """All that the server has of something, however many pages that takes."""
    found: list[T] = []
    while page := read(**filters, limit=PAGE, offset=len(found)):
        found += page
        if len(page) < PAGE:
            break
    return found


def deployments(client: SyncPrefectClient) -> list[DeploymentResponse]:
    """The deployments of our work pool, by name."""
    return every(client.read_deployments, work_pool_filter=OURS, sort=DeploymentSort.NAME_ASC)


def scheduled_deployments(client: SyncPrefectClient) -> list[DeploymentResponse]:
    """Those that a schedule starts: neither they nor all of their schedules are paused."""
    return [
        deployment
        for deployment in deployments(client)
        if not deployment.paused and any(schedule.active for schedule in deployment.schedules)
    ]


def runs_with_a_slot(client: SyncPrefectClient) -> list[FlowRun]:
    """Runs that count against a limit. Of every pool: a run that a command started by itself has none."""
    holds = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(HOLDS_SLOT))))
    return every(client.read_flow_runs, flow_run_filter=holds, sort=FlowRunSort.ID_DESC)
