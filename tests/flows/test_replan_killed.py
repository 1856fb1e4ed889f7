"""Re-planning in processes that are killed (SIGKILL) at any moment: no place is lost, none given twice, nothing started moves."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from flows.replan import BUSY
from tests import commands
from tests.energy import FAST
from tests.flows import killing
from tests.service.conftest import Api, api  # noqa: F401

pytestmark = pytest.mark.slow

KILLS = 20
WORKLOADS, STARTED = 36, 3
RACK_KW = 40
PLACES = """
select workload.workload_id::text, placement.placement_id::text
from app.compute_workloads as workload
inner join app.workload_placements as placement on workload.placement_id = placement.placement_id
where placement.released_at is null and workload.status in ('scheduled', 'running')
"""
WITHOUT = """
select count(*) from app.compute_workloads as workload
left join app.workload_placements as placement
    on workload.placement_id = placement.placement_id and placement.released_at is null
where workload.status in ('scheduled', 'running') and placement.placement_id is null
"""
TWICE = """
select count(*) from (
    select workload_id from app.workload_placements where released_at is null group by workload_id having count(*) > 1
) as twice
"""
MOST_AT_ONCE = """
select max((
    select sum(other.power_kw)
    from app.placement_steps as other inner join app.workload_placements as booked using (placement_id)
    where booked.released_at is null and booked.venue = placement.venue
    and other.starts_at <= step.starts_at and other.ends_at > step.starts_at
))
from app.placement_steps as step inner join app.workload_placements as placement using (placement_id)
where placement.released_at is null
"""
AT_WORK = "select count(*), count(backend_xid) from pg_stat_activity where application_name = 'energy replan'"
REPLACED = "select count(*) from app.workload_placements where reason = 'replanned' and released_at is null"


@pytest.fixture
def full(api: Api, session_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Api:  # noqa: F811
    """A rack that is full at its best hours; some work has started, some has no place. Processes find this database."""
    settings = {"REPLAN_GAIN_GBP": "0", "REPLAN_GAIN_PCT": "0", "DATA_DIR": str(session_dir)}
    for name, value in {**FAST, **settings, "DATABASE_URL": api.database.address()}.items():
        monkeypatch.setenv(name, value)
    api.asset(api.operator("House", is_default=True), kw=RACK_KW)
    for number in range(WORKLOADS):
        submit(api, number)
    api.query(
        "update app.compute_workloads set status = 'running', actual_start = now() where workload_id in "
        "(select workload_id from app.compute_workloads where status = 'scheduled' order by created_at limit %s)",
        STARTED,
    )
    commands.import_all()
    return api


def submit(service: Api, number: int) -> None:
    """One more, of another size than the one before."""
    service.submit(f"Train {number}", power_kw=8 + number % 9, duration_minutes=120 + 60 * (number % 5))


def make_room(service: Api, number: int) -> None:
    """Two that have a place are cancelled, one comes: there is something to gain."""
    rows = service.query(
        "select workload_id::text from app.compute_workloads where status = 'scheduled' order by created_at limit 2"
    )
    for (workload,) in rows:
        assert service.client.patch(f"/workloads/{workload}", json={"status": "cancelled"}).status_code == 200
    submit(service, number)


def ended(service: Api) -> None:
    """The server has seen that the process is gone."""
    until = time.monotonic() + 30
    while service.query(AT_WORK)[0][0]:
        assert time.monotonic() < until, "the server goes on with the work of a dead process"
        time.sleep(0.02)


@contextmanager
def stopped_halfway(service: Api) -> Iterator[BaseProcess]:
    """A plan that has given up old places and waits to write the new ones, for as long as the block lasts."""
    with service.database.connect(autocommit=False) as connection:
        connection.execute("lock table app.placement_chunks in exclusive mode")
        process = commands.start("flows.replan")
        until = time.monotonic() + 120
        while service.query(AT_WORK + " and wait_event_type = 'Lock'") != [(1, 1)]:
            assert process.is_alive() and time.monotonic() < until, "it writes no new place"
            time.sleep(0.02)
        try:
            yield process
        finally:
            connection.rollback()


class Invariants:
    """What held before a plan, and must hold after it, whatever became of it."""

    def __init__(self, service: Api) -> None:
        self._service, self.places = service, dict(service.query(PLACES))
        self._started = dict(service.query(PLACES + " and workload.status = 'running'"))
        assert len(self._started) == STARTED

    def check(self) -> bool:
        """Whether the plan was made; fails if anything is broken."""
        ended(self._service)
        query = self._service.query
        now = dict(query(PLACES))
        assert self.places.keys() <= now.keys() and query(WITHOUT) == [(0,)], "who had a place has one"
        assert self._started.items() <= now.items(), "what has started is where it was"
        assert query(TWICE) == [(0,)], "nobody has two places"
        assert query(MOST_AT_ONCE)[0][0] <= RACK_KW + 1e-6, "no capacity is given twice"
        return now != self.places


def test_killed_at_twenty_moments_nobody_loses_a_place(full: Api) -> None:
    took = killing.seconds("flows.replan")
    killed = 0
    for number, moment in enumerate(killing.moments(16, KILLS)):
        make_room(full, WORKLOADS + number)
        held = Invariants(full)
        (was_at_work,) = killing.killed_at(iter([moment]), took, "flows.replan")
        killed += was_at_work
        held.check()
    assert killed >= KILLS / 2, "most plans were killed before their end"
    held = Invariants(full)
    killing.seconds("flows.replan")
    held.check()
    assert full.query(REPLACED)[0][0] > 0, "a plan that is not killed moves something"


def test_killed_within_its_transaction_the_old_plan_stays(full: Api) -> None:
    for number in range(5):
        make_room(full, WORKLOADS + number)
        held = Invariants(full)
        with stopped_halfway(full) as process:
            assert dict(full.query(PLACES)) == held.places, "others see the old plan meanwhile"
            time.sleep(0.05 * number)
            process.kill()
            process.join()
        assert not held.check(), "nothing of the plan is left"
    killing.seconds("flows.replan")
    assert held.check(), "the next one is made"


def test_of_two_processes_one_is_skipped(full: Api) -> None:
    make_room(full, WORKLOADS)
    held = Invariants(full)
    with stopped_halfway(full) as process:
        other = commands.run("flows.replan")
        assert other.returncode == 0 and BUSY in other.stdout + other.stderr
        assert process.is_alive()
    process.join()
    assert process.exitcode == 0
    assert held.check(), "the first one's plan is made"
