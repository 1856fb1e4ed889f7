"""What is to be done in Prefect for one workload: its run is created, moved, or its state taken over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Scheduled

from flows import workload_runs
from warehouse import known
from warehouse.plans import DEADLINE_PASSED

OPEN_TO_WORKLOADS = "workloads"
"""Tag of a deployment that tasks may name"""
FREEZE = timedelta(seconds=60)
"""A worker takes a run some seconds before its time: one that is due so soon, or was due just now, is not moved any more"""
MOVABLE = ("Scheduled", "Late")
"""States of a run that waits for its start; one that waits for its own retry, or for a slot, waits for something else"""
OF_PREFECT = (401, 403, 408, 429)
"""Refusals that say nothing of the workload: it is tried again"""
PLACE_PASSED = "its place passed before it began; the next plan places it again"
Rows = psycopg.Connection[dict[str, Any]]
ENDS = {StateType.COMPLETED: "completed", StateType.FAILED: "failed", StateType.CRASHED: "failed"}


@dataclass
class PlacedWorkload:
    """A workload that Prefect runs, as the database has it."""

    connection: Rows
    client: SyncPrefectClient
    row: dict[str, Any]

    def take_step(self, runs: Sequence[FlowRun]) -> list[str]:
        """What is to be done for it now is done; what that was."""
        living = [run for run in runs if run.state_type != StateType.CANCELLED]
        has_begun = self.row["status"] == "running" or any(not _is_ahead(run) for run in living)
        if not has_begun and (missed := self._missed()):
            return missed
        if not living:
            if any(not workload_runs.is_cancelled_by_us(run) for run in runs):
                return self._cancel("its run was cancelled in Prefect")
            if self.row["status"] == "running":
                return self._end("failed", datetime.now(UTC), "its run is no longer in Prefect")
            return self._create()
        run = living[0]
        if self.row["flow_run_id"] != run.id:  # a call was killed before it wrote so
            self._set("flow_run_id = %s", run.id)
        if _is_ahead(run):
            return self._move(run)
        steps = []
        if self.row["status"] == "scheduled" and (run.start_time or run.state_type in ENDS):
            steps += self._begin(run)
        if run.state_type in ENDS:
            said = (run.state.message if run.state else None) or run.state_name
            because = None if run.state_type == StateType.COMPLETED else said
            steps += self._end(ENDS[run.state_type], run.end_time or datetime.now(UTC), because)
        return steps

    def _missed(self) -> list[str]:
        """A workload that did not begin in its time, as when nothing ran, does not begin now: what becomes of it.

        Its run, if it has one, is cancelled with those that nobody wants any more.
        """
        if self.row["is_past_deadline"]:
            return self._cancel(DEADLINE_PASSED)
        if self.row["is_past_place"]:
            self._set("status = 'pending', unplaced_because = %s", PLACE_PASSED)
            return ["given back to be placed again"]
        return []

    def _create(self) -> list[str]:
        wanted = self.row["run"]
        try:
            deployment = self.client.read_deployment_by_name(wanted["deployment"])
            if OPEN_TO_WORKLOADS not in deployment.tags:
                return self._cancel(
                    f"the deployment {wanted['deployment']} is not open to workloads: it lacks that tag"
                )
            run = self.client.create_flow_run_from_deployment(
                deployment.id,
                parameters=wanted.get("parameters"),
                state=Scheduled(scheduled_time=self.row["starts_at"]),
                tags=[*deployment.tags, *workload_runs.tags(self.row["workload_id"])],
                idempotency_key=f"{self.row['workload_id']} {self.row['placement_id']}",
            )
        except ObjectNotFound:
            return self._cancel(f"there is no deployment {wanted['deployment']} in Prefect")
        except httpx.InvalidURL:
            return self._cancel(f"no deployment of Prefect can have the name {wanted['deployment']!r}")
        except PrefectHTTPStatusError as error:
            if error.response.status_code >= 500 or error.response.status_code in OF_PREFECT:
                raise
            return self._cancel(f"Prefect refuses the run: {detail(error)}")
        self._set("flow_run_id = %s", run.id)
        return ["created"]

    def _move(self, run: FlowRun) -> list[str]:
        if run.state_name not in MOVABLE:
            return []
        now = datetime.now(UTC)
        # the time that was expected at first stays in `expected_start_time`
        starts_at, planned = self.row["starts_at"], run.next_scheduled_start_time or run.expected_start_time or now
        if abs(starts_at - planned) < timedelta(seconds=1) or abs(planned - now) < FREEZE:
            return []
        state: State[None] = Scheduled(scheduled_time=starts_at, message="The plan has moved.")
        self.client.set_flow_run_state(run.id, state=state)
        return ["moved"]

    def _begin(self, run: FlowRun) -> list[str]:
        began = run.start_time or run.end_time or datetime.now(UTC)
        self.row |= {"status": "running", "actual_start": began}
        self._set("status = 'running', actual_start = %s, attempts = attempts + 1, flow_run_id = %s", began, run.id)
        return ["begun"]

    def _end(self, status: str, ended: datetime, because: str | None) -> list[str]:
        ended = max(ended, self.row["actual_start"])
        counted = None
        if status == "completed" and ended > self.row["actual_start"]:
            counted = self.connection.execute(
                known.EMITTED,
                {
                    "placement_id": self.row["placement_id"],
                    "region_id": self.row["region_id"],
                    "began": self.row["actual_start"],
                    "ended": ended,
                },
            ).fetchone()
        counted = counted or {"kg": None, "gbp": None}
        self._set(
            "status = %s, actual_end = %s, failed_because = %s, actual_carbon_kg = %s, actual_cost_gbp = %s",
            status, ended, because, counted["kg"], counted["gbp"],
        )  # fmt: skip
        return [status]

    def _cancel(self, because: str) -> list[str]:
        self._set("status = 'cancelled', failed_because = %s", because)
        return ["cancelled"]

    def _set(self, columns: str, *values: object) -> None:
        """Nothing if it is not what it was when it was read: the next call sees that."""
        self.connection.execute(
            f"update app.compute_workloads set {columns} where workload_id = %s and status in ('scheduled', 'running')",
            [*values, self.row["workload_id"]],
        )


def _is_ahead(run: FlowRun) -> bool:
    """Whether a run has not begun; one that waits for its own retry has."""
    return run.state_type == StateType.SCHEDULED and run.start_time is None


def detail(error: PrefectHTTPStatusError) -> str:
    """What Prefect says of a request that it refuses."""
    try:
        return str(error.response.json()["detail"])[:300]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.response.status_code}"
