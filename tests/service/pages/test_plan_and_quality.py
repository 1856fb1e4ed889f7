"""`/plan` and `/quality`: the figures of the database, for those who may see them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.pages.clock import Clock
from service.settings import ServiceSettings
from tests.flows.settling import HOUR, Past
from tests.service.conftest import Api
from tests.service.pages.reading import HTML, see
from tests.service.pages.test_pages import HOSTILE
from warehouse.database import Database
from warehouse.periods import floor

PATHS = ("/plan", "/quality")


@pytest.fixture
def worked(api: Api) -> tuple[Api, str, str]:
    """A workload to come, and one that ran yesterday and has its receipt."""
    coming = api.submit("Train a model", power_kw=10, duration_minutes=120)["workload_id"]
    with api.database.connect() as connection:
        past = Past(api.database, connection)
        begins = floor(datetime.now(UTC)) - timedelta(hours=30)
        ran = past.workload(begins, request=HOSTILE)
        past.place(ran, (begins + 4 * HOUR, begins + 6 * HOUR))
        past.run(ran, begins + 4 * HOUR, begins + 6 * HOUR)
        past.settle()
    return api, coming, str(ran)


def test_the_plan_shows_what_runs_and_what_came_of_it(worked: tuple[Api, str, str]) -> None:
    api, coming, ran = worked
    html = api.client.get("/plan", headers=HTML).text
    assert "1 workload placed and to come, 0 running, 0 without a place" in html
    assert html.count('class="run scheduled"') == 1 and "Train a model" in html
    ((kg,),) = api.query("select realised_carbon_kg::float8 from app.receipts")
    assert re.search(rf'<td class="n">{kg:.3f}<td', html), "the receipt's figure"
    assert "<script>alert" not in html and "<img" not in html and not see(api, "/plan").inline
    one = see(api, f"/plan?workload={ran}")
    assert "Its receipt Preliminary" in one.text and f"{kg:.3f} kg of CO₂" in one.text
    assert "Who said what" in see(api, f"/plan?workload={coming}").text
    assert "there is no workload" in see(api, "/plan?workload=00000000-0000-0000-0000-000000000000", 404).text
    assert not [one for one in see(api, "/plan").attributes if one[1] == "style" or one[1].startswith("on")]


def test_of_a_workload_in_chunks_the_page_says_when_each_really_ran(api: Api) -> None:
    with api.database.connect() as connection:
        past = Past(api.database, connection)
        day = floor(datetime.now(UTC)) - timedelta(hours=11)
        this = past.workload(day, request="Train", minutes=240, hours=10, is_interruptible=True, max_chunks=2)
        past.place(this, (day + HOUR, day + 3 * HOUR), (day + 5 * HOUR, day + 7 * HOUR))
        past.run_in_pieces(this, day + HOUR, day + 8 * HOUR, (1, 1.5, 3.25), day=day)
    html = api.client.get(f"/plan?workload={this}", headers=HTML).text
    table = html.split('<table id="chunks">')[1].split("</table>")[0]
    first, second = table.split("<tbody>")[1].split("<tr>")[1:]
    clock = Clock()
    for hours in (1, 3, 1.5, 3.25):
        assert clock.moment(day + hours * HOUR) in first
    assert clock.moment(day + 5 * HOUR) in second and second.count("not reported") == 2
    lanes = re.findall(r'<rect class="run completed"[^>]* width="([0-9.]+)%"', html)
    ran, placed = (float(width) for width in lanes)
    assert ran / placed == pytest.approx(1.75 / 2, rel=0.01), "the first as it ran, the other as it was placed"
    single = see(api, f"/plan?workload={api.submit('Train a model', power_kw=10, duration_minutes=60)['workload_id']}")
    assert "Its chunks" not in single.text


def test_a_workload_says_what_each_constraint_cost(api: Api) -> None:
    api.query(  # the north is clean, and the task may not run there
        "update intermediate.int_carbon_intensity__captures as c set forecasts_gco2_kwh = "
        "array_fill(1::smallint, array[cardinality(c.forecasts_gco2_kwh)]) where region_id = 1"
    )
    task = api.submit("Train a model", power_kw=10, duration_minutes=120, region_ids=[13])
    html = api.client.get(f"/plan?workload={task['workload_id']}", headers=HTML).text
    table = html.split('<table id="constraints">')[1].split("</table>")[0]
    assert table.count('<tr><th scope="row">') == len(task["constraints"]) > 0
    for one in task["constraints"]:
        assert one["in_words"] in table and f'<td class="n">{one["would_save"]["carbon_kg"]:,.3f}' in table
    waiting = api.submit("Train another", carbon_cap_gco2_kwh=0)["workload_id"]
    assert "Not known: it has had no place." in see(api, f"/plan?workload={waiting}").text


def test_a_move_says_from_where_to_where_and_why_and_capacity_how_much_is_taken(api: Api) -> None:
    with api.database.connect() as connection:
        past = Past(api.database, connection)
        begins = floor(datetime.now(UTC)) + 2 * HOUR
        this = past.workload(begins, request="Render a film")
        first = past.place(this, (begins, begins + 2 * HOUR))
        past.move(this, first, (begins + 4 * HOUR, begins + 6 * HOUR), gain_carbon_kg=1.25)
    text = see(api, "/plan").text
    assert "Nothing has been moved" not in text
    moved = text.split("Moved by a new plan")[1].split("Newest receipts")[0]
    assert re.search(r"Render a film\s*replanned", moved) and "1.250" in moved
    was, becomes = Clock().moment(begins), Clock().moment(begins + 4 * HOUR)
    assert moved.index(was) < moved.index(becomes)
    taken = text.split("Capacity that is taken")[1].split("Moved by a new plan")[0]
    assert re.search(r"10\.0\s*1,000\.0\s*1$", taken.strip()), "10 kW at once, of 1,000, 1 %"


def test_a_synthetic_part_of_the_curve_is_hatched(api: Api) -> None:
    assert "hatched" not in api.client.get("/plan", headers=HTML).text
    api.query(
        "update carbon_intensity_national set is_synthetic = true where period_start > now() + interval '6 hours'"
    )
    html = api.client.get("/plan", headers=HTML).text
    assert html.count('class="stretch synthetic"') == 1 and '<span class="key hatched">synthetic</span>' in html


def test_quality_shows_the_sums_of_the_views(worked: tuple[Api, str, str]) -> None:
    api, _, _ = worked
    seen = see(api, "/quality")
    ((saved, at_once),) = api.query("select saved_carbon_kg::float8, at_once_carbon_kg::float8 from savings_daily")
    assert "1 completed workload would have emitted" in seen.text
    assert f"{at_once:,.1f} kg of CO₂ at once" in seen.text
    assert f"{abs(saved):,.1f} kg {'less' if saved >= 0 else 'more'}, " in seen.text
    assert f"{saved:,.2f}".replace("-", "−") in seen.text and "never summed" in seen.text
    for policy, captured in api.query("select policy, captured_pct::float8 from decision_quality"):
        assert policy in seen.text and (captured is None or f"{captured:,.1f}".replace("-", "−") in seen.text)
    assert '<rect class="bar"' in api.client.get("/quality", headers=HTML).text


def test_they_are_for_a_token_or_for_this_machine(worked: tuple[Api, str, str]) -> None:
    api, coming, _ = worked
    anyone = {**HTML, "Authorization": ""}
    for path in PATHS:
        refused = api.client.get(path, headers=anyone)
        assert refused.status_code == 401 and "This page needs a token" in refused.text
    api.operator("Another")
    other = api.client.get("/plan", headers={**HTML, **api.token("Another")}).text
    assert "0 workloads placed and to come" in other and "Train a model" not in other
    assert api.client.get(f"/plan?workload={coming}", headers={**HTML, **api.token("Another")}).status_code == 404
    assert "Train a model" in api.client.get("/plan", headers=HTML).text, "what one saw is kept for nobody else"


@pytest.mark.parametrize(
    ("host", "client", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("localhost", "127.0.0.1", 200),
        ("evil.example", "127.0.0.1", 401),
        ("127.0.0.1", "10.0.0.7", 401),
    ],
)
def test_without_a_token_an_embedded_database_is_shown_on_its_own_machine_alone(
    database: Database, host: str, client: str, status: int
) -> None:
    with TestClient(create(database, ServiceSettings()), base_url=f"http://{host}", client=(client, 1)) as browser:
        for path in PATHS:
            answer = browser.get(path, headers=HTML)
            assert answer.status_code == (status if database.is_embedded else 401)
            if answer.status_code == 200:
                assert "None" not in re.sub(r"<[^>]+>", "", answer.text).replace("None yet", "").replace("None.", "")


@pytest.mark.parametrize(
    ("headers", "proxies"),
    [
        ({"Forwarded": "for=203.0.113.9"}, ""),
        ({"X-Forwarded-For": "203.0.113.9"}, ""),
        ({"X-Forwarded-Proto": "https"}, ""),
        ({"X-Real-IP": "203.0.113.9"}, ""),
        ({"Via": "1.1 proxy"}, ""),
        ({}, "10.0.0.1"),
    ],
)
def test_behind_a_proxy_on_the_same_machine_they_need_a_token(
    database: Database, headers: dict[str, str], proxies: str
) -> None:
    settings = ServiceSettings(service_proxy_addresses=proxies)
    with TestClient(create(database, settings), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as browser:
        for path in PATHS:
            assert browser.get(path, headers={**HTML, **headers}).status_code == 401
