"""Placed work that missed its time, as after hours in which nothing ran: what becomes of it, here and in Prefect."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from flows.dispatch import dispatch_all
from flows.replan import replan_all
from flows.workload_runs import NOT_TO_RUN, tags
from flows.workload_step import OPEN_TO_WORKLOADS, PLACE_PASSED
from tests.flows.prefect_under_test import Server
from tests.service.conftest import Api, api  # noqa: F401
from warehouse.settings import DecisionSettings

pytest_plugins = ["tests.flows.prefect_under_test"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("work pool")]


@pytest.fixture
def job(server_of_others: Server) -> tuple[Server, str]:
    """The server, and a deployment of it that workloads may name."""
    server_of_others.deployment("job", schedule=None, tags=[OPEN_TO_WORKLOADS])
    return server_of_others, "flow-job/job"


def submit(api: Api, deployment: str) -> str:  # noqa: F811
    """A task of an hour that begins in two hours; its id."""
    begins = datetime.now(UTC) + timedelta(hours=2)
    body: dict[str, Any] = {
        "power_kw": 1, "duration_minutes": 60, "is_deferrable": False, "earliest_start": begins.isoformat(),
        "deadline": (begins + timedelta(hours=20)).isoformat(), "run": {"deployment": deployment, "parameters": {}},
    }  # fmt: skip
    answer = api.submit(**body)
    assert answer["status"] == "scheduled"
    return str(answer["workload_id"])


def runs_of(server: Server, workload_id: str) -> list[dict[str, Any]]:
    found = server.post("flow_runs/filter", {"flow_runs": {"tags": {"all_": [f"workload:{workload_id}"]}}})
    return sorted(found, key=lambda run: str(run["created"]))


def hours_pass(api: Api, server: Server, workload_id: str, place: float, deadline: float = 0) -> None:  # noqa: F811
    """Have the place of a workload, its run and its deadline lie so many hours further back."""
    with api.database.connect() as connection:
        for table in ("workload_placements", "compute_workloads"):
            connection.execute(f"alter table app.{table} disable trigger user")
        moved = {"place": place, "deadline": deadline, "workload_id": workload_id}
        connection.execute(
            "update app.workload_placements set starts_at = starts_at - %(place)s * interval '1 hour', "
            "ends_at = ends_at - %(place)s * interval '1 hour' where workload_id = %(workload_id)s",
            moved,
        )
        connection.execute(
            "update app.compute_workloads set earliest_start = earliest_start - %(place)s * interval '1 hour', "
            "deadline = deadline - %(deadline)s * interval '1 hour' where workload_id = %(workload_id)s",
            moved,
        )
        for table in ("workload_placements", "compute_workloads"):
            connection.execute(f"alter table app.{table} enable trigger user")
    for run in runs_of(server, workload_id):
        due = datetime.fromisoformat(run["next_scheduled_start_time"]) - timedelta(hours=place)
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}}
        server.post(f"flow_runs/{run['id']}/set_state", {"state": state, "force": True})


def test_past_its_deadline_a_workload_is_cancelled_and_says_why(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    placed_late, never_created = submit(api, deployment), submit(api, deployment)
    api.client.patch(f"/workloads/{never_created}", json={"status": "pending"}).raise_for_status()
    assert dispatch_all(api.database).done["created"] == 1
    hours_pass(api, server, placed_late, place=30, deadline=30)
    assert dispatch_all(api.database).done == {"cancelled": 1, "run cancelled": 1}
    ended = api.get(f"/workloads/{placed_late}")
    assert (ended["status"], ended["failed_because"]) == ("cancelled", "its deadline passed before it began")
    assert [(run["state"]["type"], run["state"]["message"]) for run in runs_of(server, placed_late)] == [
        ("CANCELLED", NOT_TO_RUN)
    ]
    assert dispatch_all(api.database).done == {}


def test_past_its_place_a_workload_waits_for_the_next_plan_and_runs_there(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    workload_id = submit(api, deployment)
    dispatch_all(api.database)
    hours_pass(api, server, workload_id, place=4)
    assert dispatch_all(api.database).done == {"given back to be placed again": 1, "run cancelled": 1}
    waiting = api.get(f"/workloads/{workload_id}")
    assert (waiting["status"], waiting["unplaced_because"]) == ("pending", PLACE_PASSED)
    assert api.query("select flow_run_id from app.compute_workloads") == [(None,)], "nothing has it any more"
    (planned,) = replan_all(api.database, DecisionSettings())
    assert planned.placed == 1
    assert dispatch_all(api.database).done == {"created": 1}
    old, new = runs_of(server, workload_id)
    assert (old["state"]["type"], new["state"]["type"]) == ("CANCELLED", "SCHEDULED")
    assert datetime.fromisoformat(new["next_scheduled_start_time"]) > datetime.now(UTC) - timedelta(minutes=1)


def test_within_its_place_a_late_workload_still_starts(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    workload_id = submit(api, deployment)
    dispatch_all(api.database)
    hours_pass(api, server, workload_id, place=2.25)
    assert dispatch_all(api.database).done == {}
    assert [run["state"]["type"] for run in runs_of(server, workload_id)] == ["SCHEDULED"]


def test_a_late_run_whose_place_has_moved_waits_for_it(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    workload_id = submit(api, deployment)
    dispatch_all(api.database)
    (run,) = runs_of(server, workload_id)
    late = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": late}}
    server.post(f"flow_runs/{run['id']}/set_state", {"state": state, "force": True})
    assert dispatch_all(api.database).done == {"moved": 1}
    (moved,) = runs_of(server, workload_id)
    assert moved["next_scheduled_start_time"] == run["next_scheduled_start_time"] > late
    assert dispatch_all(api.database).done == {}, "it is moved once"


def test_runs_of_another_database_on_the_same_server_are_left_alone(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, _ = job
    deployment = server.deployment("job of others", schedule=None)
    wanted = {"state": {"type": "SCHEDULED"}, "tags": tags(uuid4()), "parameters": {}}
    run = server.post(f"deployments/{deployment}/create_flow_run", wanted)
    assert dispatch_all(api.database).done == {}
    assert server.get(f"flow_runs/{run['id']}")["state"]["type"] == "SCHEDULED"
