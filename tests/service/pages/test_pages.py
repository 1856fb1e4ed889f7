"""Pages over databases in every state: whole, empty, half-empty, old, synthetic, hostile; and addresses that are none."""

import re

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.pages import freshness
from service.pages.rendering import ASSETS, HEADERS, HERE
from service.settings import ServiceSettings
from tests.service.conftest import Api
from tests.service.pages.reading import HTML, PAGES, make_old, make_synthetic, meter_demand, remove_region, see, tile
from warehouse.database import Database

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&{{7*7}}"


def test_a_page_loads_its_own_files_alone_and_holds_no_script_or_style(api: Api) -> None:
    for path in PAGES:
        seen = see(api, path)
        assert seen.title and seen.tags.count("h1") == 1, path
        assert seen.loads and all(re.fullmatch(r"/assets/[0-9a-f]{12}/[a-z.]+", address) for address in seen.loads)
        assert not seen.inline, path
        assert not [one for one in seen.attributes if one[1] == "style" or one[1].startswith("on")], path
        policy = api.client.get(path, headers=HTML).headers["content-security-policy"]
        assert policy == HEADERS["Content-Security-Policy"]
        assert "unsafe" not in policy and policy.startswith("default-src 'none'")


def test_its_files_are_kept_for_as_long_as_they_are_the_same(api: Api) -> None:
    for address in see(api, "/").loads:
        answer = api.client.get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"].startswith(ASSETS[address.rpartition("/")[2]])
        assert api.client.get(address.replace("/assets/", "/assets/0")).headers["cache-control"] == "no-cache"
    assert api.client.get("/assets/x/base.html").status_code == 404


def test_a_live_page_says_so_and_its_title_begins_with_the_figures(api: Api) -> None:
    seen = see(api, "/")
    assert "Live Every value is real" in seen.text
    assert re.match(r"\d+ g · \d+ % renewable", seen.title)


def test_an_old_database_says_so_in_the_sentence_and_the_title(api: Api) -> None:
    make_old(api)
    for path in ("/", "/regions/13", "/when", "/trust"):
        seen = see(api, path)
        assert seen.title.startswith("OLD, 5 hours · "), path
        assert "Not live" in seen.text and "These figures are old" in seen.text, path
        assert not [one for one in seen.attributes if one[1] == "data-fetched-at"]
    sentence = re.search(r'<h1 class="sentence">(.*?)</h1>', api.client.get("/", headers=HTML).text)
    assert sentence and sentence[1].startswith("By figures that are 5 hours old: Great Britain ")


def test_a_synthetic_database_says_so_everywhere(api: Api) -> None:
    meter_demand(api)
    make_synthetic(api)
    for path in ("/", "/regions/13", "/when", "/trust"):
        seen = see(api, path)
        assert seen.title.startswith("SYNTHETIC · "), path
        assert "EVERY VALUE IS SYNTHETIC" in seen.text, path
    html = api.client.get("/", headers=HTML).text
    assert html.count('class="tile synthetic"') == 4
    assert 'class="stretch synthetic"' in html and "100 % synthetic" in html


@pytest.mark.parametrize(
    ("condition", "now", "best"),
    [
        ("true", "(these figures are synthetic; nothing real is known)", "; by a synthetic forecast, the "),
        (
            "period_start > now() - interval '3 hours'",
            "(these figures are synthetic; the newest real half-hour ended ",
            "; by a synthetic forecast, the ",
        ),
        ("period_start > now() + interval '24 hours'", None, "; by a forecast that is partly synthetic, the "),
        ("false", None, "; the "),
    ],
)
def test_the_first_sentence_says_when_what_it_says_is_synthetic(
    api: Api, condition: str, now: str | None, best: str
) -> None:
    for table in ("carbon_intensity_national", "generation_mix_national"):
        api.query(f"update {table} set is_synthetic = {condition}")
    sentence = re.search(r'<h1 class="sentence">(.*?)</h1>', api.client.get("/", headers=HTML).text)
    assert sentence and best in sentence[1], sentence
    assert (now or "Great Britain") in sentence[1] and ("synthetic" in sentence[1].split(";")[0]) is (now is not None)


def test_pages_of_an_empty_database_say_that_nothing_is_known(database: Database) -> None:
    with TestClient(create(database, ServiceSettings())) as client:
        for path in PAGES:
            answer = client.get(path, headers=HTML)
            assert answer.status_code == 200, (path, answer.text)
            assert "NO DATA" in answer.text and "None" not in re.sub(r"<[^>]+>", "", answer.text), path
        front = client.get("/", headers=HTML).text
        assert "Nothing is known of the grid yet; no forecast says when" in front
        assert tile(front, "Carbon intensity") == "–" and tile(front, "Price") == "–"


def test_half_of_the_tables_are_enough_for_half_of_the_page(api: Api) -> None:
    for table in ("generation_mix_national", "demand_actual_national", "demand_forecast_national", "wholesale_prices"):
        api.query(f"delete from {table}")
    html = api.client.get("/", headers=HTML).text
    assert tile(html, "Renewables") == tile(html, "Demand") == tile(html, "Price") == "–"
    assert tile(html, "Carbon intensity") != "–"
    assert re.search(r"Great Britain emits \d+ g of CO₂ per kWh", html)


def test_a_region_that_is_missing_is_not_known_and_the_others_are(api: Api) -> None:
    remove_region(api, 13)
    html = api.client.get("/", headers=HTML).text
    row = re.search(r"London</a>(.*)", html)
    assert row and row[1].strip().startswith('<td class="n">–<td class="n">–<td>not known')
    assert re.search(r'class="area unknown" data-name="London"', html)
    assert html.count('class="area unknown"') == 1
    assert "not known now" in see(api, "/regions/13").title


def test_negative_prices_are_shown_as_they_are(api: Api) -> None:
    api.query("update wholesale_prices set price_gbp_mwh = -42.5")
    assert tile(api.client.get("/", headers=HTML).text, "Price") == "−42.50"
    html = api.client.get("/regions/13", headers=HTML).text
    assert '<line class="zero"' in html and ">−40</text>" in html


def test_hostile_names_are_text(api: Api) -> None:
    api.query("update regions set name = %s where region_id = 13", HOSTILE)
    api.query("update compute_windows set name = %s", HOSTILE)
    api.query("update ops.runs set flow = %s", HOSTILE)
    api.query(
        "insert into ops.payload_verdicts (payload_id, dataset, verdict, reason, run_id) "
        "select gen_random_uuid(), %s, 'held', %s, run_id from ops.runs limit 1",
        HOSTILE, HOSTILE,
    )  # fmt: skip
    region = api.query("select region_id from latest_compute_windows where region_id <= 14 limit 1")[0][0]
    for path in ("/", f"/regions/{region}", "/regions/13", "/trust", "/when?place=13"):
        html = api.client.get(path, headers=HTML).text
        assert "alert(1)" in html, path
        assert "<script>alert" not in html and "<img" not in html and "49" not in re.findall(r"&amp;(\S*)<", html), path
        assert not see(api, path).inline
    for asked in ("/when?place=%3Cscript%3Ealert(1)%3C/script%3E", "/?tz=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"):
        assert "<script>alert" not in api.client.get(asked, headers=HTML).text


def test_the_state_of_a_page_is_in_its_links(api: Api) -> None:
    links = {
        value for tag, name, value in see(api, "/regions/13?hours=2&tz=UTC").attributes if (tag, name) == ("a", "href")
    }
    assert {"/?tz=UTC", "/regions/1?hours=2&tz=UTC", "/regions/13?hours=8&tz=UTC", "/regions/13?hours=2"} <= links


@pytest.mark.parametrize(
    ("path", "status"),
    [("/regions/15", 422), ("/regions/x", 422), ("/regions/13?hours=3", 422), ("/?tz=Mars", 422), ("/data?table=x", 404),
     ("/?what=1", 422), ("/trust?dataset=x&day=2026-01-01", 404), ("/data/x.csv", 404), ("/data/price_day_ahead.exe", 404)],
)  # fmt: skip
def test_what_is_no_page_is_said_as_a_page_and_to_machines_as_a_problem(api: Api, path: str, status: int) -> None:
    assert "To the front page" in see(api, path, status).text
    problem = api.client.get(path, headers={"Accept": "application/json"})
    assert problem.status_code == status and problem.headers["content-type"] == "application/problem+json"


def test_when_finds_the_best_window_and_says_the_command(api: Api) -> None:
    seen = see(api, "/when?hours=2&within=30&place=Leeds")
    found = api.client.get("/windows/best?duration_minutes=120&region_id=5&limit=1").json()["windows"]
    assert found and "in Yorkshire" in seen.text and "duration_minutes=120" in seen.text
    assert "do not fit" in see(api, "/when?hours=12&within=6").text
    assert (
        "no region, postcode" in see(api, "/when?place=EX99 9XX9").text
        or "“EX99 9XX9”" in see(api, "/when?place=EX99 9XX9").text
    )


def test_downloads_are_files_without_a_token(api: Api) -> None:
    anyone = {"Authorization": ""}
    csv = api.client.get("/data/price_day_ahead.csv", headers=anyone)
    assert csv.status_code == 200 and csv.text.startswith("period_start") and csv.text.count("\n") > 48
    assert api.client.get("/data/forecast_skill.parquet", headers=anyone).content[:4] == b"PAR1"
    assert api.client.get("/series/price_day_ahead", headers=anyone).status_code == 401, "all of it needs a token"


def test_a_cell_leads_to_its_commands(api: Api) -> None:
    (day,) = api.query(
        "select max(settlement_date) from data_coverage where dataset = 'wholesale_prices/n2ex_day_ahead'"
    )[0]
    seen = see(api, f"/trust?dataset=wholesale_prices/n2ex_day_ahead&day={day}")
    assert f"make backfill FROM={day} TO={day} DATASETS=wholesale_prices" in seen.text
    assert 'make trace TABLE=wholesale_prices KEY="n2ex_day_ahead 20' in seen.text


def test_the_notice_of_a_demonstration_is_on_every_page(grid: Database) -> None:
    with TestClient(create(grid, ServiceSettings(service_notice="Not the grid <now>"))) as client:
        for path in PAGES:
            assert "Not the grid &lt;now&gt;" in client.get(path, headers=HTML).text


def test_the_script_and_the_service_call_the_same_age_old() -> None:
    script = (HERE / "assets" / "pages.js").read_text()
    written = re.search(r"OLD_AFTER_SECONDS = ([0-9* ]+);", script)
    assert written
    left, right = written[1].split("*")
    assert int(left) * int(right) == freshness.OLD_AFTER_SECONDS


def test_the_front_page_is_small(api: Api) -> None:
    assert len(api.client.get("/", headers=HTML).content) < 60_000
