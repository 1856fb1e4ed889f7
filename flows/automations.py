"""Automations of the Prefect server: they end runs that fall silent or never begin, without anybody typing a command."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from prefect.automations import Automation
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from flows.work_pool import deployments

AUTOMATIONS = ("End runs that no longer give a sign of life", "End runs whose process never began")
HEARTBEAT_SECONDS = 30
SILENT_FOR = timedelta(seconds=4 * HEARTBEAT_SECONDS)
PENDING_FOR = timedelta(minutes=5)
"""A run is pending while its process starts, which takes seconds. One that is pending for so long has no process."""


def keep_automations(*, only_ours: bool) -> None:
    """Make the automations; they replace those that are there.

    Without the second, a run whose worker died before it began would keep its deployment's turn until somebody types `up`.
    On a server that others use too (`only_ours`), they end runs of our deployments and of no others.
    """
    final = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
    goes_on = {"prefect.flow-run.heartbeat", *final}
    silent, unbegun = AUTOMATIONS
    of = _deployment_ids() if only_ours else None
    for wanted in (
        _crashes(silent, {"prefect.flow-run.heartbeat"}, goes_on, SILENT_FOR, "No sign of life for two minutes.", of),
        _crashes(
            unbegun,
            {"prefect.flow-run.Pending"},
            {"prefect.flow-run.Running", *goes_on},
            PENDING_FOR,
            "Pending for five minutes: its process never began.",
            of,
        ),
    ):
        with suppress(ValueError):  # there was none
            cast(Automation, Automation.read(name=wanted.name)).delete()
        wanted.create()


def _deployment_ids() -> list[UUID]:
    with get_client(sync_client=True) as client:
        return [deployment.id for deployment in deployments(client)]


def _crashes(
    name: str, after: set[str], expect: set[str], within: timedelta, message: str, of: Sequence[UUID] | None
) -> Automation:
    """Runs of which nothing that is expected is heard within a time are Crashed; the next run goes on where they stopped.

    `of` names the deployments whose runs are meant: a heartbeat names its run's deployment, but not its work pool.
    """
    related: dict[str, Any] = {}
    if of is not None:
        ids = [f"prefect.deployment.{deployment_id}" for deployment_id in of]
        related = {"prefect.resource.role": "deployment", "prefect.resource.id": ids}
    return Automation(
        name=name,
        description=f"{message} The next run goes on where it stopped.",
        trigger=EventTrigger(
            after=after,
            expect=expect,
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=ResourceSpecification(related),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=within,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=message)],
    )
