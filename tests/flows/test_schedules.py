"""Schedules as a user leaves them: runs come by themselves; after hours without power one late run per source is enough."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from flows.schedules import NO_SLOT, SKIPPED
from tests.emulator import Emulator
from tests.flows.stack_under_test import FINAL, a_stack

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytestmark = pytest.mark.xdist_group("stack")

SCHEDULED = {
    "refresh-carbon-intensity",
    "refresh-elexon",
    "refresh-neso",
    "refresh-beckn",
    "discover-neso",
    "maintenance",
    "export",
    "dispatch",
    "settle",
}
EACH_MINUTE = {"schedule": {"interval": 60.0, "timezone": "UTC"}, "active": True}
A_SOURCE = "refresh-beckn"


@pytest.fixture(scope="module")
def scheduled(request: pytest.FixtureRequest, _emulator: Emulator) -> Iterator["Stack"]:
    """A stack of its own, up for the first time, with its schedules as they are."""
    _emulator.reset()
    with a_stack(_emulator.settings, request) as stack:
        stack.up(is_paused=False)
        yield stack


def test_every_scheduled_deployment_has_a_run_to_come(scheduled: "Stack") -> None:
    assert {name for name, found in scheduled.deployments().items() if found["schedules"]} == SCHEDULED
    now = datetime.now(UTC)
    for name in SCHEDULED:
        coming = [run for run in runs(scheduled, name, "SCHEDULED") if started_at(run) > now]
        assert coming and all(run["auto_scheduled"] for run in coming), name
    code, said = scheduled.run("flows.stack", "status")
    assert code == 0 and "NONE SCHEDULED" not in said, said


def test_a_run_comes_by_itself_and_completes(scheduled: "Stack") -> None:
    deployment = scheduled.deployments()[A_SOURCE]
    scheduled.post(f"deployments/{deployment['id']}/schedules", [EACH_MINUTE])
    run = first_to_end(scheduled, A_SOURCE)
    assert (run["auto_scheduled"], run["state"]["name"]) == (True, "Completed"), run["state"]
    assert scheduled.log_errors() == []


def test_after_hours_without_power_one_late_run_per_source_is_made_up_for(scheduled: "Stack") -> None:
    code, said = scheduled.run("flows.stack", "down")
    assert code == 0, said
    down_at = datetime.now(UTC)
    move_clock_by_two_hours(scheduled)
    up_at = datetime.now(UTC)
    words = scheduled.up(is_paused=False)
    assert "that came due while nothing ran" in words
    # dispatch comes each minute: several are late or cancelled by the time that this is looked at
    for name in SCHEDULED - {"dispatch"}:
        due = [run for run in runs(scheduled, name, *FINAL, "SCHEDULED", "PENDING", "RUNNING") if is_due(run, down_at)]
        given_up = [run for run in due if is_given_up(run)]
        made_up_for = [run for run in due if started_at(run) < up_at and not is_given_up(run)]
        assert len(made_up_for) <= 1, f"{name}: {in_words(made_up_for)}"
        if name.startswith("refresh-"):
            assert given_up, f"{name} was late by several runs: {in_words(due)}"
            newest = max(map(started_at, given_up))
            assert all(started_at(run) > newest for run in made_up_for), in_words(due)
            assert first_to_end(scheduled, name, after=newest)["state"]["name"] == "Completed"
    assert scheduled.log_errors() == []


def runs(stack: "Stack", deployment: str, *states: str) -> list[dict[str, Any]]:
    """The runs of a deployment in such states."""
    return list(
        stack.post(
            "flow_runs/filter",
            deployments={"name": {"any_": [deployment]}},
            flow_runs={"state": {"type": {"any_": list(states)}}},
            sort="EXPECTED_START_TIME_ASC",
        )
    )


def started_at(run: dict[str, Any]) -> datetime:
    """When it is, or was, to start."""
    return datetime.fromisoformat(run["expected_start_time"])


def is_due(run: dict[str, Any], down_at: datetime) -> bool:
    """Whether its schedule had it begin by now, and it had not begun before the stack went down."""
    had_begun = run["start_time"] and datetime.fromisoformat(run["start_time"]) < down_at
    return bool(run["auto_scheduled"] and started_at(run) <= datetime.now(UTC) and not had_begun)


def is_given_up(run: dict[str, Any]) -> bool:
    """Whether a later run does its work: we skipped it, or Prefect cancelled it because a dead run held the deployment's slot."""
    return run["state"]["name"] == SKIPPED or run["state"]["message"] == NO_SLOT


def in_words(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """When each was to start, and what became of it."""
    return [(run["expected_start_time"], run["state"]["name"], run["state"]["message"]) for run in found]


def first_to_end(
    stack: "Stack", deployment: str, seconds: float = 300, after: datetime | None = None
) -> dict[str, Any]:
    """The first run of a deployment to end, of those due after an instant; one that is cancelled does not count."""
    until = time.monotonic() + seconds
    while True:
        ended = runs(stack, deployment, "COMPLETED", "FAILED", "CRASHED")
        found = [run for run in ended if after is None or started_at(run) > after]
        if found:
            return found[0]
        assert time.monotonic() < until, stack.log("worker")[-3000:]
        time.sleep(1)


def move_clock_by_two_hours(stack: "Stack") -> None:
    """What Prefect has planned lies two hours further back, as it does after two hours without power."""
    if not stack.given:
        assert stack.run("warehouse", "up")[0] == 0
    records = stack.database.__class__(**{**vars(stack.database), "name": f"{stack.database.name}_prefect"})
    with records.connect() as connection:
        moved = connection.execute(
            "update flow_run set expected_start_time = expected_start_time - interval '2 hours', "
            "next_scheduled_start_time = next_scheduled_start_time - interval '2 hours', "
            "idempotency_key = idempotency_key || ' moved' where state_type = 'SCHEDULED'"
        )
        assert moved.rowcount
