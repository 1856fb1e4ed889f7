"""Work beside the requests goes on whatever a round meets, and ends when it is stopped."""

import asyncio
import logging

import psycopg
import pytest

from service.background import Background


async def _nothing() -> None:
    await asyncio.sleep(0)


def rounds(*outcomes: Exception | None) -> list[Exception | None]:
    """What each round met, until the last of them."""
    met: list[Exception | None] = []

    async def all_of_them() -> None:
        done = asyncio.Event()

        async def once() -> None:
            if len(met) == len(outcomes):
                done.set()
                return
            met.append(outcomes[len(met)])
            if (error := met[-1]) is not None:
                raise error

        background = Background(once, _nothing, waits="letters wait")
        background.start()
        async with asyncio.timeout(30):
            await done.wait()
        await background.stop()

    asyncio.run(all_of_them())
    return met


def test_an_outage_is_said_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    away = psycopg.OperationalError("no server")
    with caplog.at_level(logging.WARNING, logger="service"):
        assert len(rounds(away, away, TimeoutError(), None, away)) == 5
    assert [record.message for record in caplog.records] == [
        "letters wait: the database cannot be read (OperationalError)"
    ] * 2


def test_a_defect_ends_no_later_round(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="service"):
        assert len(rounds(ZeroDivisionError("one row"), None)) == 2
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_it_ends_though_a_library_swallows_the_cancellation() -> None:
    async def work() -> int:
        count, begun = 0, asyncio.Event()

        async def swallows() -> None:
            nonlocal count
            count += 1
            begun.set()
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                return

        background = Background(swallows, lambda: asyncio.sleep(600), waits="letters wait")
        background.start()
        async with asyncio.timeout(30):
            await begun.wait()
            await background.stop()
        return count

    assert asyncio.run(work()) == 1


def test_what_pauses_first_does_nothing_before_its_pause_is_over() -> None:
    async def work() -> list[str]:
        said, done = list[str](), asyncio.Event()

        async def once() -> None:
            said.append("round")
            done.set()

        async def pause() -> None:
            said.append("pause")
            await asyncio.sleep(0 if len(said) == 1 else 600)

        background = Background(once, pause, waits="letters wait")
        background.start(pause_first=True)
        async with asyncio.timeout(30):
            await done.wait()
        await background.stop()
        return said

    assert asyncio.run(work())[:2] == ["pause", "round"]
