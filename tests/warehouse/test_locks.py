"""Advisory locks: nobody waits for each other, nobody who is gone holds one, and two runs of a dataset take turns."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.energy import Energy, contents
from warehouse.database import Database
from warehouse.errors import LockTimeoutError
from warehouse.locks import exclusive, exclusive_all, is_held
from warehouse.settings import PROJECT_ROOT

NAMES = ("one", "two", "three")
HOLDER = """
import sys, time
from warehouse.server import resolve
from warehouse.errors import LockTimeoutError
from warehouse.locks import exclusive_all
with exclusive_all(resolve(), sys.argv[1:]):
    print("held", flush=True)
    time.sleep(600)
"""
DATASET = "carbon_intensity__national"


def python(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def soon(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it comes to be so."""
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)
    return is_so()


def test_names_in_any_order_do_not_deadlock_and_one_holds_them_at_a_time(database: Database) -> None:
    inside, most, rounds = 0, 0, 15
    together = threading.Barrier(3)

    def hold(order: tuple[str, ...]) -> int:
        nonlocal inside, most
        together.wait()
        for _ in range(rounds):
            with exclusive_all(database, order):
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1
        return rounds

    orders = [NAMES, NAMES[::-1], (*NAMES[1:], *NAMES)]  # the last names some twice
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(hold, order) for order in orders]
        assert [future.result(timeout=60) for future in done] == [rounds] * 3
    assert most == 1
    assert not any(is_held(database, name) for name in NAMES)


def test_of_several_locks_each_is_held_for_others_too(database: Database) -> None:
    entered = threading.Event()

    def enter() -> None:
        with exclusive(database, "two"):
            entered.set()

    with exclusive_all(database, NAMES):
        assert all(is_held(database, name) for name in NAMES)
        assert not is_held(database, "four")
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.5)
    assert entered.wait(10)
    other.join()
    assert not any(is_held(database, name) for name in NAMES)


def test_what_goes_wrong_inside_lets_go(database: Database) -> None:
    try:
        with exclusive_all(database, NAMES), exclusive(database, "four"):
            raise ArithmeticError
    except ArithmeticError:
        pass
    assert not any(is_held(database, name) for name in (*NAMES, "four"))


def test_a_killed_process_leaves_nothing_locked_nor_does_one_that_waited(energy: Energy) -> None:
    holder = python("-c", HOLDER, *NAMES)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    waiter = python("-c", HOLDER, *reversed(NAMES))
    waits = "select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted"
    try:
        assert soon(lambda: energy.value(waits))
        assert all(is_held(energy.database, name) for name in NAMES)
        waiter.send_signal(signal.SIGKILL)  # the server finds out when it is its turn
        holder.send_signal(signal.SIGKILL)
        assert (holder.wait(), waiter.wait()) == (-signal.SIGKILL, -signal.SIGKILL)
        for name in NAMES:
            assert soon(lambda name=name: not is_held(energy.database, name)), name
    finally:
        for process in (holder, waiter):
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_two_refreshes_of_a_dataset_at_once_leave_the_tables_of_one(energy: Energy) -> None:
    both = [python("-m", "flows.refresh", "--datasets", DATASET) for _ in range(2)]
    said = [process.communicate(timeout=400)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all("Every value is real" in output for output in said)
    assert energy.query("select status, count(*) from ops.runs group by status") == [("completed", 2)]
    assert energy.value("select count(*) from ops.fetches") == 2
    payloads = f"select count(*), count(distinct payload_id) from staging.{DATASET}_payloads"
    landed, distinct = energy.query(payloads)[0]
    assert landed == distinct == energy.value("select count(*) from ops.payload_verdicts where verdict = 'passed'")
    held = (
        "from pg_locks join pg_database on oid = database where locktype = 'advisory' and datname = current_database()"
    )
    assert soon(lambda: energy.value(f"select count(*) = 0 {held}"))

    volatile = ("payload_id", "fetched_at", "updated_at", "actual_gco2_kwh", "intensity_index")
    after_two = contents(energy, without=volatile)["carbon_intensity_national"]
    energy.query("truncate staging.carbon_intensity__national_payloads, carbon_intensity_national")
    energy.query("truncate intermediate.published_payloads, intermediate.int_carbon_intensity__captures")
    energy.refresh(DATASET)
    after_one = contents(energy, without=volatile)["carbon_intensity_national"]
    starts = {row[0] for row in after_two} & {row[0] for row in after_one}  # a half-hour may have begun in between
    assert len(starts) > 190
    assert [row for row in after_two if row[0] in starts] == [row for row in after_one if row[0] in starts]


def hold(database: Database, name: str) -> psycopg.Connection:
    """A stranger that holds the lock for as long as its connection is open."""
    stranger = database.connect(name="a stranger")
    stranger.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [name])
    return stranger


def test_a_wait_is_bounded_and_names_the_holder(energy: Energy) -> None:
    energy.set(LOCK_WAIT_SECONDS="0.5")
    with hold(energy.database, "publish") as stranger:
        who = f"process {stranger.info.backend_pid}, user {energy.database.user}, application a stranger"
        words = f"0.5 s .LOCK_WAIT_SECONDS.*'publish' is held by {who}"
        for take in (
            lambda: exclusive(energy.database, "publish"),
            lambda: exclusive_all(energy.database, ["publish", "a"]),
        ):
            with pytest.raises(LockTimeoutError, match=words), take():
                pass
        with exclusive(energy.database, "another"):
            pass
    with exclusive(energy.database, "publish"):
        pass


@pytest.mark.slow
def test_a_run_that_cannot_publish_says_who_is_in_its_way(energy: Energy) -> None:
    energy.set(LOCK_WAIT_SECONDS="12")
    with hold(energy.database, "publish") as stranger:
        run = python("-m", "flows.refresh", "--datasets", DATASET)
        said = run.communicate(timeout=200)[0]
        holder = f"process {stranger.info.backend_pid}, user {energy.database.user}, application a stranger"
    assert run.returncode == 1, said
    assert "Traceback" not in said, said
    assert f"waiting up to 12 s: the lock 'publish' is held by {holder}" in said
    assert f"Gave up after 12 s (LOCK_WAIT_SECONDS): the lock 'publish' is held by {holder}" in said
    assert energy.query("select status from ops.runs") == [("failed",)]
    assert energy.refresh(DATASET)["failures"] == [], "what had landed is published by the next run"
