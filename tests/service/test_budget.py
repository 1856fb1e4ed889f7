"""What needs no token is bounded by what it costs, and a good token is let in whatever else is tried."""

import asyncio
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.budget import Budget, charged, charged_to
from service.fair import Line
from service.limits import WATCHES_PER_MINUTE
from service.look_ups import MOST_AT_ONCE, LookUps
from service.settings import ServiceSettings
from service.tenancy import TOKENS, pool
from tests.service.conftest import TOKEN, Api
from tests.service.series.test_files import YEAR
from warehouse.database import Database

END = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
EVERYWHERE = "&".join(f"location={region_id}" for region_id in range(1, 19))
OPEN = (
    "/", "/regions/{n}?hours=1&tz=Etc/GMT%2B{n}", "/when?hours={n}", "/when?hours={n}&split=true", "/trust?day=2000-01-{n:02}",
    "/data?tz=Etc/GMT%2B{n}", "/metrics", "/openapi.json", "/docs",
    f"/gsf/emissions/bylocations?{EVERYWHERE}&time={(END - timedelta(days=11)):%Y-%m-%d}&toTime={END:%Y-%m-%d}",
    "/gsf/emissions/forecasts/current?location={n}",
)  # fmt: skip


def works(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_request_is_charged_for_every_step_and_for_what_it_starts_not_for_waiting() -> None:
    budget = Budget(rate=0.001, most=0.0)

    async def task() -> None:
        works(0.05)

    async def work() -> str:
        works(0.05)
        await asyncio.sleep(0.3)
        works(0.05)
        await asyncio.ensure_future(charged(task()))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        return "done"

    assert asyncio.run(charged_to((budget,), work())) == "done"
    assert 0.14 < budget.wait_seconds() * 0.001 < 0.25


def test_a_budget_fills_up_again() -> None:
    budget = Budget(rate=10, most=1)
    budget.spend(3)
    assert 0.1 < budget.wait_seconds() <= 0.2
    time.sleep(0.25)
    assert budget.wait_seconds() == 0


def test_an_address_that_sends_much_waits_behind_itself() -> None:
    line: Line[int] = Line()
    for number in range(1000):
        line.put("much", number)
    line.put("little", 5000)
    assert line.take(2) == [0, 5000] and line.take(3) == [1, 2, 3]
    assert len(line.take(5000)) == 996 and line.take(1) == []


def test_tokens_that_are_tried_at_once_are_one_query_and_a_made_up_one_is_not_looked_up_again(grid: Database) -> None:
    good = tokens.make(grid, operator=None, label="good")

    async def look_up() -> list[bool]:
        connections = pool(grid, TOKENS)
        async with connections:
            look_ups = LookUps(connections)
            made_up = [hashlib.sha256(str(n).encode()).digest() for n in range(2 * MOST_AT_ONCE)]
            flood = [asyncio.create_task(look_ups.find(one, "attacker")) for one in made_up]
            found = await look_ups.find(tokens.digest(good), "attacker")
            assert await asyncio.gather(*flood) == [None] * len(made_up)
            await connections.close()  # from here on nothing can be looked up
            assert await look_ups.find(made_up[-1]) is None
            return [found is not None]

    assert asyncio.run(look_up()) == [True]


@pytest.mark.slow
def test_a_good_token_is_let_in_while_its_own_address_sprays_made_up_ones(grid: Database) -> None:
    good = [tokens.make(grid, operator=None, label=f"good {n}") for n in range(5)]
    with TestClient(create(grid, ServiceSettings(service_requests_per_minute=50))) as client:
        ends = time.monotonic() + 6

        def spray(worker: int) -> int:
            sent = 0
            while time.monotonic() < ends:
                client.get("/workloads", headers={"Authorization": f"Bearer {worker} {sent}"})
                sent += 1
            return sent

        with ThreadPoolExecutor(8) as threads:
            sprayed = [threads.submit(spray, worker) for worker in range(8)]
            time.sleep(1)
            statuses = [
                client.get("/workloads", headers={"Authorization": f"Bearer {one}"}).status_code for one in good
            ]
            assert sum(one.result() for one in sprayed) > 100
    assert statuses == [200] * 5


def test_a_request_has_a_bounded_number_of_rows(api: Api) -> None:
    span = {"time": (END - timedelta(days=30)).isoformat(), "toTime": END.isoformat()}
    for path in ("/gsf/emissions/bylocations", "/gsf/emissions/bylocations/best"):
        refused = api.client.get(path, params={"location": [str(n) for n in range(1, 19)], **span})
        assert refused.status_code == 400 and "10,000 rows" in str(refused.json()["errors"])
        assert api.client.get(path, params={"location": ["1", "2", "3"], **span}).status_code in (200, 204)


def test_a_day_of_long_ago_reads_that_day_alone(api: Api) -> None:
    day = (END - timedelta(days=400)).date()
    api.query(
        "insert into carbon_intensity_national (select (jsonb_populate_record(null::carbon_intensity_national, to_jsonb(one) || "
        "jsonb_build_object('period_start', start, 'period_end', start + interval '30 minutes'))).* "
        "from (select * from carbon_intensity_national limit 1) as one, "
        "generate_series(%s::date + interval '2 hours', %s::date + interval '4 hours', interval '30 minutes') as start)",
        day, day,
    )  # fmt: skip
    page = api.client.get("/trust", params={"day": str(day), "dataset": "carbon_intensity_national"})
    assert page.status_code in (200, 404)
    old = api.client.get("/trust", params={"day": "2000-01-01"})
    plain = api.client.get("/trust")
    assert (old.status_code, plain.status_code) == (200, 200)
    assert old.text.count("<rect") == plain.text.count("<rect"), "the page shows the last days whatever day is named"


@pytest.mark.slow
def test_figures_are_written_once_a_second_and_who_watches_too_much_is_refused(grid: Database) -> None:
    with TestClient(create(grid, ServiceSettings(service_requests_per_minute=1))) as client:
        answers = [client.get("/metrics") for _ in range(100)]
        assert {one.status_code for one in answers} == {200}
        assert len({one.content for one in answers}) <= 5, "each names the requests before it"
        statuses = [client.get("/healthz").status_code for _ in range(WATCHES_PER_MINUTE)]
    assert statuses[-1] == 429 and statuses.count(429) <= 100


@pytest.mark.slow
def test_an_address_that_takes_the_processor_without_end_is_asked_to_wait(api: Api) -> None:
    api.query(YEAR)
    path = f"/gsf/emissions/bylocations?{EVERYWHERE}&time=2024-01-01&toTime=2024-01-12"
    ends = time.monotonic() + 60
    while (answer := api.client.get(path, headers={"Authorization": ""})).status_code == 200:
        assert time.monotonic() < ends, "it goes on for ever"
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) < 60
    assert api.client.get("/workloads").status_code == 200
    assert api.client.get("/readyz", headers={"Authorization": ""}).status_code == 200


@pytest.mark.slow
def test_whoever_asks_for_open_routes_without_end_keeps_no_token_waiting(served: httpx.Client, grid: Database) -> None:
    tokens.register(grid, TOKEN, label="tests")
    waited: list[float] = []

    def ask() -> float:
        begun = time.monotonic()
        assert served.get("/workloads").status_code == 200
        return time.monotonic() - begun

    quiet = max(ask() for _ in range(20))
    for template in OPEN:
        ends = time.monotonic() + 3

        def flood(worker: int, template: str = template, ends: float = ends) -> list[int]:
            found: list[int] = []
            with httpx.Client(base_url=served.base_url, timeout=60) as client:
                while time.monotonic() < ends:
                    found.append(client.get(template.format(n=(worker + len(found)) % 12 + 1)).status_code)
            return found

        with ThreadPoolExecutor(20) as threads:
            running = [threads.submit(flood, worker) for worker in range(20)]
            while time.monotonic() < ends:
                waited.append(ask())
            statuses = [status for one in running for status in one.result()]
        assert set(statuses) <= {200, 204, 400, 429, 503}, (template, set(statuses))
    assert sorted(waited)[int(0.98 * len(waited))] < 1 + 20 * quiet
