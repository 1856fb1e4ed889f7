"""Which runs the sweep takes for dead: a run that waits for its worker has a while, one that runs has its process."""

import socket
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from flows.automations import PENDING_FOR
from flows.stale_runs import is_dead

NOW = datetime.now(UTC)
NOBODY: frozenset[str] = frozenset()
HERE, ELSEWHERE = f"{socket.gethostname()}:4194304", "another-machine:17"


def run(state: StateType, age: timedelta, process: str | None = None) -> FlowRun:
    """A run that has been in this state for so long."""
    return FlowRun(
        flow_id=uuid.uuid4(), state_type=state, infrastructure_pid=process, state=State(type=state, timestamp=NOW - age)
    )


@pytest.mark.parametrize(
    ("state", "age", "process", "may_start", "expected"),
    [
        (StateType.PENDING, PENDING_FOR / 2, None, True, False),
        (StateType.PENDING, PENDING_FOR * 2, None, True, True),
        (StateType.PENDING, timedelta(0), None, False, True),
        (StateType.PENDING, PENDING_FOR * 2, HERE, True, True),
        (StateType.PENDING, PENDING_FOR * 2, ELSEWHERE, False, False),
        (StateType.RUNNING, timedelta(days=1), None, True, False),
        (StateType.RUNNING, timedelta(0), None, False, True),
        (StateType.RUNNING, timedelta(0), HERE, True, True),
        (StateType.RUNNING, timedelta(days=1), ELSEWHERE, False, False),
        (StateType.CANCELLING, timedelta(0), HERE, True, True),
        (StateType.CANCELLING, timedelta(0), ELSEWHERE, True, False),
    ],
)
def test_a_run_without_a_process_is_dead_unless_a_worker_may_still_start_it(
    state: StateType, age: timedelta, process: str | None, may_start: bool, expected: bool
) -> None:
    assert is_dead(run(state, age, process), NOBODY, NOW, may_start=may_start) is expected


def test_a_run_that_a_process_of_this_machine_works_for_lives() -> None:
    here = run(StateType.RUNNING, timedelta(days=1), HERE)
    assert not is_dead(here, frozenset({str(here.id)}), NOW, may_start=False)
