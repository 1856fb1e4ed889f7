"""What Prefect believes of runs whose process died: without help it shows them as running for ever."""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from typing import cast

import httpx
from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.states import Crashed

from flows.settings import FlowSettings
from warehouse.ledger import CrashedRun

AUTOMATION = "End runs that no longer give a sign of life"
HEARTBEAT_SECONDS = 30
SILENT_FOR = timedelta(seconds=4 * HEARTBEAT_SECONDS)


def crash_in_prefect(run: CrashedRun) -> None:
    """Let the Prefect server know that this run died, if one tracked it."""
    if run.prefect_flow_run_id is None or not FlowSettings().prefect_api_url:
        return

    async def end() -> None:
        async with get_client() as client:
            try:
                flow_run = await client.read_flow_run(run.prefect_flow_run_id)  # type: ignore[arg-type]
            except ObjectNotFound:
                return
            if flow_run.state and not flow_run.state.is_final():
                state: State[None] = Crashed(message="its process died; the watch found it")
                await client.set_flow_run_state(flow_run.id, state=state, force=True)

    try:
        asyncio.run(end())
    except (httpx.HTTPError, PrefectException, RuntimeError, OSError) as error:
        print(f"Prefect could not be told of it ({type(error).__name__}); its automation ends the run", file=sys.stderr)


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
