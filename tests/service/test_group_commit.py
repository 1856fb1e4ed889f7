"""Tasks that arrive together are written together: each as if it were alone."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.group_commit import MOST, GroupCommit, NotTaken
from tests.service.conftest import Api
from tests.service.test_concurrency import MOST_TAKEN, at_once, submission, table
from tests.service.test_submission import on_the_hour

__all__ = ["table"]


class Writer:
    """Keeps what it is given; an item that is negative fails its whole batch, one that is odd is refused."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.batches: list[int] = []
        self.gate = asyncio.Event()
        self.waiting = False

    async def __call__(self, batch: Sequence[int]) -> list[int | Exception]:
        self.waiting = True
        await self.gate.wait()
        self.batches.append(len(batch))
        if any(item < 0 for item in batch):
            raise psycopg.errors.CheckViolation(f"negative: {min(batch)}")
        self.kept += [item for item in batch if item % 2 == 0]
        return [ValueError(str(item)) if item % 2 else item for item in batch]


async def put_all(items: list[int], turns: int = 0) -> tuple[Writer, list[Any]]:
    """Put them; each batch is prepared for so many turns of the loop before it is written."""
    writer = Writer()

    async def prepare(batch: Sequence[int]) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        if any(item < -1 for item in batch):
            raise psycopg.errors.DataError("one of them may be the cause")

    commit = GroupCommit[int, int](writer, prepare if turns else None)
    puts = [asyncio.create_task(commit.put(item, 60)) for item in items]
    await asyncio.sleep(0)
    writer.gate.set()
    return writer, await asyncio.gather(*puts, return_exceptions=True)


@given(st.lists(st.integers(-2, 50), max_size=150), st.integers(0, 3))
def test_each_meets_what_it_would_meet_alone(items: list[int], turns: int) -> None:
    writer, results = asyncio.run(put_all(items, turns))
    for item, result in zip(items, results, strict=True):
        if item < 0:
            assert isinstance(result, psycopg.errors.CheckViolation)
        elif item % 2:
            assert isinstance(result, ValueError) and str(result) == str(item)
        else:
            assert result == item
    assert writer.kept == [item for item in items if item >= 0 and item % 2 == 0], "in the order of arrival, once each"
    assert all(size <= MOST for size in writer.batches)


def test_items_that_are_sent_together_are_written_together_however_many() -> None:
    async def run() -> tuple[Writer, list[Any]]:
        writer = Writer()
        commit = GroupCommit[int, int](writer)
        alone = [asyncio.create_task(commit.put(n, 60)) for n in (2, 4)]
        together = asyncio.create_task(commit.put_all([6, 7, *range(8, 300, 2)], 60))
        await asyncio.sleep(0)
        writer.gate.set()
        assert await asyncio.gather(*alone) == [2, 4]
        return writer, await together

    writer, results = asyncio.run(run())
    assert writer.batches == [2, 148] and isinstance(results[1], ValueError) and results[2:] == list(range(8, 300, 2))


def test_the_next_are_prepared_while_a_batch_is_being_written() -> None:
    async def run() -> tuple[Writer, list[list[int]]]:
        writer, prepared = Writer(), list[list[int]]()

        async def prepare(batch: Sequence[int]) -> None:
            prepared.append(list(batch))

        commit = GroupCommit[int, int](writer, prepare)
        first = asyncio.create_task(commit.put(2, 60))
        while not writer.waiting:
            await asyncio.sleep(0)
        others = [asyncio.create_task(commit.put(n, 60)) for n in (4, 6)]
        await asyncio.sleep(0)
        with pytest.raises(NotTaken):
            await commit.put(8, 0.01)
        assert writer.batches == [] and prepared == [[2], [4, 6, 8]]
        writer.gate.set()
        assert await asyncio.gather(first, *others) == [2, 4, 6]
        return writer, prepared

    writer, prepared = asyncio.run(run())
    assert writer.batches == [1, 2] and writer.kept == [2, 4, 6], (
        "what was given up is not written, though it was ready"
    )
    assert prepared == [[2], [4, 6, 8]]


def test_who_waits_for_nobody_is_taken_however_long_it_takes_to_prepare() -> None:
    async def run() -> int:
        writer, is_prepared = Writer(), asyncio.Event()
        writer.gate.set()

        async def prepare(batch: Sequence[int]) -> None:
            await is_prepared.wait()

        commit = GroupCommit[int, int](writer, prepare)
        alone = asyncio.create_task(commit.put(2, 0.01))
        await asyncio.sleep(0.05)
        is_prepared.set()
        return await alone

    assert asyncio.run(run()) == 2


def test_what_cannot_be_prepared_because_the_database_is_gone_is_not_written() -> None:
    async def run() -> tuple[Writer, list[Any]]:
        writer = Writer()
        writer.gate.set()
        is_gone = True

        async def prepare(batch: Sequence[int]) -> None:
            if is_gone:
                raise psycopg.OperationalError("gone")

        commit = GroupCommit[int, int](writer, prepare)
        met = await asyncio.gather(*(commit.put(n, 60) for n in (2, 4)), return_exceptions=True)
        is_gone = False
        return writer, [*met, await commit.put(6, 60)]

    writer, met = asyncio.run(run())
    assert [type(one) for one in met] == [psycopg.OperationalError, psycopg.OperationalError, int]
    assert writer.kept == [6]


def test_an_error_of_the_database_itself_is_everyone_s_and_met_once() -> None:
    met = []

    async def write(batch: Sequence[int]) -> list[int | Exception]:
        met.append(len(batch))
        raise psycopg.OperationalError("gone")

    async def run() -> list[Any]:
        commit = GroupCommit[int, int](write)
        return await asyncio.gather(*(commit.put(n, 60) for n in range(5)), return_exceptions=True)

    assert all(isinstance(result, psycopg.OperationalError) for result in asyncio.run(run()))
    assert met == [5]


def test_who_gives_up_before_a_batch_takes_it_leaves_nothing() -> None:
    async def run() -> Writer:
        writer = Writer()
        commit = GroupCommit[int, int](writer)
        first = asyncio.create_task(commit.put(2, 60))
        while not writer.waiting:
            await asyncio.sleep(0)
        with pytest.raises(NotTaken):
            await commit.put(4, 0.01)
        gone = asyncio.create_task(commit.put(6, 60))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        writer.gate.set()
        assert await first == 2 and await commit.put(8, 60) == 8
        return writer

    assert asyncio.run(run()).kept == [2, 8]


@pytest.mark.parametrize("turns", range(8))
def test_nothing_is_written_of_what_is_said_not_to_be_taken(turns: int) -> None:
    """Also where a batch takes an item in the turn of the loop in which its time is up."""

    async def run() -> tuple[Writer, object]:
        writer = Writer()
        commit = GroupCommit[int, int](writer)
        first = asyncio.create_task(commit.put(2, 60))
        while not writer.waiting:
            await asyncio.sleep(0)
        second = asyncio.create_task(commit.put(4, 0.02))
        await asyncio.sleep(0)
        writer.gate.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.03)  # the loop stands still, and its time is up
        await first
        (result,) = await asyncio.gather(second, return_exceptions=True)
        await asyncio.sleep(0.01)
        return writer, result

    writer, result = asyncio.run(run())
    assert (writer.kept, result) == ([2, 4], 4) or (writer.kept == [2] and isinstance(result, NotTaken))


def test_one_that_the_database_refuses_fails_alone(served: httpx.Client, table: Api) -> None:
    table.operator("House", is_default=True)
    table.query(
        "create function public.no_render() returns trigger language plpgsql as "
        "$$ begin if new.request = 'Render' then raise exception 'no' using errcode = 'check_violation'; end if; "
        "return new; end $$; "
        "create trigger no_render before insert on app.compute_workloads for each row execute function public.no_render()"
    )
    requests = [submission(f"key-{n}", request="Render" if n % 5 == 0 else "Train it") for n in range(30)]
    answers = at_once(served, requests)
    assert [answer.status_code for answer in answers] == [500 if n % 5 == 0 else 201 for n in range(30)]
    assert table.query("select count(*) from app.compute_workloads") == [(24,)]
    assert table.query("select count(*) from app.workload_placements") == [(24,)]


def test_those_that_are_refused_make_no_user(served: httpx.Client, table: Api) -> None:
    table.operator("House", is_default=True)
    unknown = "00000000-0000-0000-0000-000000000001"
    past = (on_the_hour() - timedelta(days=1)).isoformat()
    refused = [
        {"earliest_start": past},
        {"asset_id": unknown},
        {"duration_minutes": 60, "power_kw": 1, "energy_kwh": 9},
    ]
    requests = [submission(user_email=f"user{n}@example.com", **body) for n, body in enumerate([*refused, {}] * 5)]
    answers = at_once(served, requests)
    assert Counter(answer.status_code for answer in answers) == {422: 15, 201: 5}
    assert table.query("select count(*) from app.users") == [(5,)]


def test_operators_that_arrive_together_see_and_get_their_own(served: httpx.Client, table: Api) -> None:
    names = ("Lab", "Cloud", "House")
    ids = {name: table.operator(name, domains=(f"{name.lower()}.example.org",)) for name in names}
    assets = {name: table.asset(ids[name], kw=5) for name in names}
    headers = {name: table.token(name) for name in names}
    start = on_the_hour()
    within = {"earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=2)).isoformat()}
    body = {"request": "x", "power_kw": 1, "duration_minutes": 60, "user_email": "ada@example.com", **within}

    def send(name: str, number: int) -> Any:
        key = {"Idempotency-Key": f"key-{number}"}
        return lambda client: client.post("/submit_task", json=body, headers={**headers[name], **key})

    answers = at_once(served, [send(name, n) for n in range(12) for name in names])
    by_name = {name: [answer.json() for answer in answers[n::3]] for n, name in enumerate(names)}
    for name, bodies in by_name.items():
        assert {answer["operator_id"] for answer in bodies} == {ids[name]}
        assert Counter(answer["status"] for answer in bodies) == {"scheduled": 10, "pending": 2}, (
            "room for ten in two hours"
        )
        placed = {answer["placement"]["venue"] for answer in bodies if answer["placement"]}
        assert placed == {f"asset:{assets[name]}"}
        assert len({answer["user"]["user_id"] for answer in bodies}) == 1
    assert table.query("select count(*) from app.users") == [(3,)]
    assert table.query(MOST_TAKEN)[0][0] == 5
