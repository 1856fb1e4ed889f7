"""Runs that Prefect still believes in although their process died, and the slots that they hold."""

import asyncio
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import httpx
import psutil
from prefect.automations import Automation
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import PrefectException
from prefect.states import Crashed

from flows.prefect_server import PrefectApi
from warehouse import ledger
from warehouse.database import Database, Role
from warehouse.printed import out

AUTOMATION = "End runs that no longer give a sign of life"
HEARTBEAT_SECONDS = 30
SILENT_FOR = timedelta(seconds=4 * HEARTBEAT_SECONDS)
PENDING_FOR = timedelta(minutes=5)
"""A run is pending while its process starts, which takes seconds. One that is pending for so long has no process."""
HOLDS_SLOT = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
PAGE = 200
SECOND_LOOK_SECONDS = 2


def sweep(database: Database, api: PrefectApi | None, *, has_worker: bool = True) -> list[ledger.CrashedRun]:
    """End the runs whose process is gone, in the ledger and in Prefect; returns those that were ended in the ledger now.

    `has_worker=False` says that no worker of this stack runs, so that no run of this machine is about to start.
    """
    ended = ledger.end_crashed_runs(database)
    if api:
        try:
            with api.connected():
                asyncio.run(_end_in_prefect(database, has_worker))
        except (httpx.HTTPError, PrefectException, RuntimeError, OSError) as error:
            words = f"Prefect at {api.url} could not be reached ({type(error).__name__}); its automation ends dead runs"
            out(words, file=sys.stderr)
    return ended


async def _end_in_prefect(database: Database, has_worker: bool) -> None:
    async with get_client() as client:
        runs = await _runs_with_a_slot(client)
        statuses = _ledger_statuses(database, [run.id for run in runs])
        here, now = _flow_runs_of_this_machine(), datetime.now(UTC)
        others = not has_worker and await _other_workers(client, now)
        for run in runs:
            status = statuses.get(run.id)
            if status == "crashed" or (
                status is None and _is_dead(run, here, now, may_start=has_worker or bool(others))
            ):
                state: State[None] = Crashed(message="Its process died; the sweep found it.")
                await client.set_flow_run_state(run.id, state=state, force=True)
        await _free_slots(client)


def _is_dead(run: FlowRun, here: frozenset[str], now: datetime, *, may_start: bool) -> bool:
    """Whether a run that is not in the ledger has no process. Runs of other machines are left to their heartbeats."""
    host = (run.infrastructure_pid or "").rpartition(":")[0]
    if str(run.id) in here or (host and host != socket.gethostname()):
        return False
    if run.state_type == StateType.PENDING and not host:
        since = run.state.timestamp if run.state else now
        return not may_start or now - since > PENDING_FOR
    return bool(host) or not may_start


async def _runs_with_a_slot(client: PrefectClient) -> list[FlowRun]:
    holds = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(HOLDS_SLOT))))
    runs: list[FlowRun] = []
    while len(page := await client.read_flow_runs(flow_run_filter=holds, limit=PAGE, offset=len(runs))) == PAGE:
        runs += page
    return runs + page


def _ledger_statuses(database: Database, run_ids: list[UUID]) -> dict[UUID, str]:
    with database.connect(role=Role.LOADER) as connection:
        rows = connection.execute(
            "select prefect_flow_run_id, status from ops.runs where prefect_flow_run_id = any(%s) order by started_at",
            [run_ids],
        )
        return dict(rows.fetchall())


def _flow_runs_of_this_machine() -> frozenset[str]:
    """The flow runs that processes of this machine work for, as far as this user may see."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid():
                found.add(process.environ().get("PREFECT__FLOW_RUN_ID", ""))
    return frozenset(found - {""})


async def _other_workers(client: PrefectClient, now: datetime) -> list[str]:
    """Workers, of any pool, that were heard of lately and are not of this machine."""
    found = []
    for pool in await client.read_work_pools():
        for worker in await client.read_workers_for_work_pool(pool.name):
            is_ours = worker.name.startswith(f"{socket.gethostname()}-")
            heard = worker.last_heartbeat_time
            if not is_ours and heard and now - heard < SILENT_FOR:
                found.append(worker.name)
    return found


async def _free_slots(client: PrefectClient) -> None:
    """Give back slots of deployments that no run holds. Looks twice: a run may end, and another begin, in between."""
    if await _leaked_slots(client):
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        for name, held in (await _leaked_slots(client)).items():
            await client.update_global_concurrency_limit(
                name=name, concurrency_limit=GlobalConcurrencyLimitUpdate(active_slots=held)
            )


async def _leaked_slots(client: PrefectClient) -> dict[str, int]:
    """Limits that count more runs than there are: name of the limit -> runs."""
    limits = {
        deployment.id: deployment.global_concurrency_limit
        for deployment in await client.read_deployments(limit=PAGE)
        if deployment.global_concurrency_limit
    }
    held = Counter(_deployments_of(await _runs_with_a_slot(client)))
    return {
        limit.name: held[deployment_id]
        for deployment_id, limit in limits.items()
        if limit.active_slots > held[deployment_id]
    }


def _deployments_of(runs: Iterable[FlowRun]) -> Iterable[UUID]:
    return (run.deployment_id for run in runs if run.deployment_id)


def keep_automation() -> None:
    """An automation of the Prefect server that ends runs which fall silent. Replaces the one that is there."""
    final = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
    wanted = Automation(
        name=AUTOMATION,
        description="A flow run that gave no heartbeat for two minutes is Crashed; the next run goes on where it stopped.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *final},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENT_FOR,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message="No sign of life for two minutes.")],
    )
    with suppress(ValueError):  # there was none
        cast(Automation, Automation.read(name=AUTOMATION)).delete()
    wanted.create()
