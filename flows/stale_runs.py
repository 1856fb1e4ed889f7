"""What Prefect believes of runs whose process died: without help it shows them as running for ever."""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from typing import cast

import httpx
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import State, StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Crashed

from warehouse import ledger
from warehouse.database import Database, Role

AUTOMATION = "End runs that no longer give a sign of life"
HEARTBEAT_SECONDS = 30
SILENT_FOR = timedelta(seconds=4 * HEARTBEAT_SECONDS)


def sweep(database: Database, api: str | None) -> list[ledger.CrashedRun]:
    """End the runs whose process is gone, in the ledger and at the Prefect server of `api`; returns those ended now."""
    ended = ledger.end_crashed_runs(database)
    if api:
        try:
            with temporary_settings({PREFECT_API_URL: api}):
                asyncio.run(_end_in_prefect(database))
        except (httpx.HTTPError, PrefectException, RuntimeError, OSError) as error:
            words = f"Prefect at {api} could not be told ({type(error).__name__}); its automation ends the run"
            print(words, file=sys.stderr)
    return ended


async def _end_in_prefect(database: Database) -> None:
    """Whoever found them dead: it may have been the next run, which has other things to do."""
    under_way = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.CANCELLING]))
    )
    async with get_client() as client:
        runs = [flow_run.id for flow_run in await client.read_flow_runs(flow_run_filter=under_way)]
        with database.connect(role=Role.LOADER) as connection:
            dead = connection.execute(
                "select prefect_flow_run_id from ops.runs where prefect_flow_run_id = any(%s) and status = 'crashed'",
                [runs],
            ).fetchall()
        for (flow_run_id,) in dead:
            state: State[None] = Crashed(message="Its process died; the sweep found it.")
            await client.set_flow_run_state(flow_run_id, state=state, force=True)


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
