"""On a Prefect server that others use too, what they have is neither read for ours nor changed."""

from datetime import UTC, datetime

import pytest

from flows.automations import AUTOMATIONS, keep_automations
from flows.prefect_server import POOL
from flows.schedules import skip_late_runs, unscheduled
from flows.work_pool import PAGE
from tests.flows.prefect_under_test import Server

pytest_plugins = ["tests.flows.prefect_under_test"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("work pool")]

THEIRS = "k8s-prod"
OVER = {"rrule": "DTSTART:20200101T000000\nRRULE:FREQ=DAILY;COUNT=1", "timezone": "UTC"}


@pytest.fixture(scope="module")
def shared(server_of_others: Server) -> tuple[Server, str, str]:
    """A deployment of ours and one of another team's: each was due in the last minutes and has not run."""
    server = server_of_others
    for number in range(PAGE):  # by name they all come before ours
        server.deployment(f"a-{number:03}", THEIRS, schedule=None)
    payroll, ours = server.deployment("payroll", THEIRS), server.deployment("refresh-beckn")
    for deployment in (payroll, ours):
        server.has_late_runs(deployment, minutes=5)
    return server, payroll, ours


def test_late_runs_of_another_team_are_left_alone(shared: tuple[Server, str, str]) -> None:
    server, payroll, ours = shared
    late = len(server.runs(ours, "Scheduled", "Late"))
    assert skip_late_runs() > 0
    assert server.runs(payroll, "Skipped") == []
    skipped = server.runs(ours, "Skipped")
    assert 3 <= len(skipped) < late
    newest = max(run["expected_start_time"] for run in skipped)
    assert any(run["expected_start_time"] > newest for run in server.runs(ours, "Scheduled", "Late"))


def test_a_deployment_of_theirs_without_a_run_to_come_is_not_our_failure(shared: tuple[Server, str, str]) -> None:
    server, _, ours = shared
    server.deployment("closed in 2020", THEIRS, schedule=OVER)
    server.post(f"deployments/{ours}/schedule", {"min_runs": 3})
    assert unscheduled(0) == []


def test_automations_end_runs_of_our_deployments_alone(shared: tuple[Server, str, str]) -> None:
    server, payroll, ours = shared
    for only_ours in (True, True, False):
        keep_automations(only_ours=only_ours)
        found = {one["name"]: one for one in server.post("automations/filter", {})}
        assert sorted(found) == sorted(AUTOMATIONS), "they replace those of before"
        for automation in found.values():
            related = automation["trigger"]["match_related"]
            if only_ours:
                assert related["prefect.resource.id"] == [f"prefect.deployment.{ours}"]
                assert payroll not in str(automation)
            else:
                assert related == {}


def test_of_late_runs_that_were_cancelled_for_a_dead_ones_slot_the_newest_is_due_again(
    shared: tuple[Server, str, str],
) -> None:
    """As the server does with all that is late, from its start until the sweep has freed the slot."""
    server, _, _ = shared
    ours = server.deployment("interrupted", POOL)
    server.has_late_runs(ours, 5)
    late = sorted(server.runs(ours, "Scheduled", "Late"), key=lambda run: run["expected_start_time"])
    due = [run for run in late if datetime.fromisoformat(run["expected_start_time"]) < datetime.now(UTC)]
    for run in due[-3:]:
        state = {"type": "CANCELLED", "name": "Cancelled", "message": "Deployment concurrency limit reached."}
        server.post(f"flow_runs/{run['id']}/set_state", {"state": state, "force": True})
    skip_late_runs()
    states = {run["id"]: server.get(f"flow_runs/{run['id']}")["state"]["name"] for run in due}
    assert states[due[-1]["id"]] in ("Scheduled", "Late")
    assert {states[run["id"]] for run in due[-3:-1]} == {"Cancelled"}
    assert {states[run["id"]] for run in due[:-3]} == {"Skipped"}
    state = {"type": "RUNNING", "name": "Running"}
    server.post(f"flow_runs/{due[-1]['id']}/set_state", {"state": state, "force": True})
    skip_late_runs()
    assert server.get(f"flow_runs/{due[-2]['id']}")["state"]["name"] == "Cancelled", "one run is enough"
