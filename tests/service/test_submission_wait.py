"""How long a submission waits while others read, submit in masses and take steps: as long as is said, whatever is in its way."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.group_commit import MOST
from service.settings import ServiceSettings
from service.tenancy import WRITES
from tests.service.conftest import TOKEN
from warehouse.database import Database

WAIT_SECONDS = 1.0
MASSES, ALONE = 10, 8
READS = ("/workloads", "/windows/best", "/regions/opportunities", "/agents/energy/context?limit=1")
TASK = {"request": "Train a model", "power_kw": 0.01, "duration_minutes": 30}


@dataclass(frozen=True)
class Waited:
    """A response, and how long it took."""

    answer: httpx.Response
    seconds: float


@pytest.fixture
def client(grid: Database) -> Iterator[TestClient]:
    """The service with a short wait for submissions."""
    tokens.register(grid, TOKEN, label="tests")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create(grid, ServiceSettings(service_wait_seconds=WAIT_SECONDS)), headers=headers) as client:
        yield client


def timed(send: Callable[[], httpx.Response]) -> Waited:
    begun = time.monotonic()
    answer = send()
    return Waited(answer, time.monotonic() - begun)


def mixed(crowd: ThreadPoolExecutor, client: TestClient) -> tuple[list[Future[Waited]], list[Future[Waited]]]:
    """Submissions in masses and alone, between reads of every cost, all at once: the submissions, and the reads."""
    mass = {"tasks": [TASK] * MOST}
    submissions = [crowd.submit(timed, lambda: client.post("/submit_tasks", json=mass)) for _ in range(MASSES)]
    reads = [crowd.submit(timed, lambda path=path: client.get(path)) for path in READS * 3]  # type: ignore[misc]
    submissions += [crowd.submit(timed, lambda: client.post("/submit_task", json=TASK)) for _ in range(ALONE)]
    return submissions, reads


def kept(answer: httpx.Response) -> int:
    """How many workloads a response says were made."""
    if answer.status_code == 503:
        assert answer.headers["retry-after"]
        return 0
    if answer.status_code == 201:
        return 1
    assert answer.status_code == 200, answer.text
    return sum(result["status"] == 201 for result in answer.json()["results"])


@pytest.mark.slow
@pytest.mark.parametrize("is_stuck", [True, False])
def test_a_submission_is_answered_within_its_wait_and_its_transaction_whatever_goes_on(
    client: TestClient, grid: Database, is_stuck: bool
) -> None:
    assert client.post("/submit_task", json=TASK).status_code == 201
    with grid.connect(autocommit=False) as other, ThreadPoolExecutor(MASSES + ALONE + 3 * len(READS)) as crowd:
        if is_stuck:  # each transaction that begins waits for this lock until it is given up
            other.execute("select app.lock_capacity()")
        submitting, reading = mixed(crowd, client)
        submissions = [one.result() for one in submitting]
        reads = [one.result() for one in reading]
    bound = WAIT_SECONDS + WRITES.total_seconds
    assert max(one.seconds for one in submissions) <= bound
    refused = [one for one in submissions if one.answer.status_code == 503]
    if is_stuck:
        assert len(refused) == len(submissions)
        queued = [one for one in refused if "in the queue of submissions" in one.answer.json()["detail"]]
        assert len(queued) > len(refused) / 2, "those that no transaction took do not wait for those that one did"
        assert min(one.seconds for one in queued) >= WAIT_SECONDS, "nobody is refused before its time"
    assert {one.answer.status_code for one in reads} <= {200, 503}
    made = sum(kept(one.answer) for one in submissions)
    with grid.connect() as connection:
        assert connection.execute("select count(*) from app.compute_workloads").fetchone() == (1 + made,)
    assert is_stuck or made
