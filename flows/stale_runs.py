"""Runs that Prefect still believes in although their process died, and the slots that they hold."""

import os
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import httpx
import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import PrefectException
from prefect.states import Crashed

from flows.automations import PENDING_FOR, SILENT_FOR
from flows.prefect_api import PrefectApi
from flows.prefect_server import POOL
from flows.work_pool import deployments, every, runs_with_a_slot
from warehouse import ledger
from warehouse.database import Database, Role
from warehouse.printed import out

SECOND_LOOK_SECONDS = 2


def sweep(database: Database, api: PrefectApi | None, *, has_worker: bool = True) -> list[ledger.CrashedRun]:
    """End the runs whose process is gone, in the ledger and in Prefect; returns those that were ended in the ledger now.

    `has_worker=False` says that no worker of this stack runs, so that no run of this machine is about to start.
    """
    ended = ledger.end_crashed_runs(database)
    if api:
        try:
            with api.connected():
                _end_in_prefect(database, has_worker)
        except (httpx.HTTPError, PrefectException, RuntimeError, OSError) as error:
            words = f"Prefect at {api.url} could not be reached ({type(error).__name__}); its automation ends dead runs"
            out(words, file=sys.stderr)
    return ended


def _end_in_prefect(database: Database, has_worker: bool) -> None:
    with get_client(sync_client=True) as client:
        runs = runs_with_a_slot(client)
        statuses = _ledger_statuses(database, [run.id for run in runs])
        runs = [
            run for run in runs if run.id in statuses or run.work_pool_name == POOL
        ]  # the server may serve others too
        here, now = _flow_runs_of_this_machine(), datetime.now(UTC)
        others = not has_worker and _other_workers(client, now)
        for run in runs:
            status = statuses.get(run.id)
            if status == "crashed" or (
                status is None and not _is_hidden(run) and is_dead(run, here, now, may_start=has_worker or bool(others))
            ):
                state: State[None] = Crashed(message="Its process died; the sweep found it.")
                client.set_flow_run_state(run.id, state=state, force=True)
        _free_slots(client)


def is_dead(run: FlowRun, here: frozenset[str], now: datetime, *, may_start: bool) -> bool:
    """Whether a run that is not in the ledger has no process. Runs of other machines are left to their heartbeats."""
    host = (run.infrastructure_pid or "").rpartition(":")[0]
    if str(run.id) in here or (host and host != socket.gethostname()):
        return False
    if run.state_type == StateType.PENDING and not host:
        since = run.state.timestamp if run.state else now
        return not may_start or now - since > PENDING_FOR
    return bool(host) or not may_start


def _is_hidden(run: FlowRun) -> bool:
    """Whether the run's process exists and belongs to another user, so that nobody can tell what it works for."""
    host, _, pid = (run.infrastructure_pid or "").rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        psutil.Process(int(pid)).environ()
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return False


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


def _other_workers(client: SyncPrefectClient, now: datetime) -> list[str]:
    """Workers of our pool that were heard of lately and are not of this machine."""
    found = []
    for worker in every(client.read_workers_for_work_pool, work_pool_name=POOL):
        is_ours = worker.name.startswith(f"{socket.gethostname()}-")
        heard = worker.last_heartbeat_time
        if not is_ours and heard and now - heard < SILENT_FOR:
            found.append(worker.name)
    return found


def _free_slots(client: SyncPrefectClient) -> None:
    """Give back slots of deployments that no run holds. Looks twice: a run may end, and another begin, in between."""
    if _leaked_slots(client):
        time.sleep(SECOND_LOOK_SECONDS)
        for name, held in (_leaked_slots(client)).items():
            client.update_global_concurrency_limit(
                name=name, concurrency_limit=GlobalConcurrencyLimitUpdate(active_slots=held)
            )


def _leaked_slots(client: SyncPrefectClient) -> dict[str, int]:
    """Limits that count more runs than there are: name of the limit -> runs."""
    limits = {
        deployment.id: deployment.global_concurrency_limit
        for deployment in deployments(client)
        if deployment.global_concurrency_limit
    }
    held = Counter(_deployments_of(runs_with_a_slot(client)))
    return {
        limit.name: held[deployment_id]
        for deployment_id, limit in limits.items()
        if limit.active_slots > held[deployment_id]
    }


def _deployments_of(runs: Iterable[FlowRun]) -> Iterable[UUID]:
    return (run.deployment_id for run in runs if run.deployment_id)
