"""`/when`: its bars are the answer of the API, its commands do the same, and what is synthetic looks so."""

import html
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from energy.commands.parser import parser

from service.pages.clock import Clock
from tests.service.conftest import Api, instant
from tests.service.pages.reading import HTML

BAR = re.compile(r'<rect class="(bar[^"]*)"')


def page(api: Api, query: str) -> str:
    """The page's HTML."""
    return str(api.client.get(f"/when?{query}", headers=HTML).text)


def commands(text: str) -> list[str]:
    """The commands of a page."""
    return [html.unescape(one) for one in re.findall(r"<pre[^>]*><code>(.*?)</code>", text, re.S)]


def looked_up(api: Api, text: str) -> dict[str, Any]:
    """What the API answers to the page's curl: its first window."""
    (curl,) = [one for one in commands(text) if one.startswith("curl")]
    hours = re.search(r"\+(\d+) hours", curl)
    assert hours
    deadline = f"{datetime.now(UTC) + timedelta(hours=int(hours[1])):%Y-%m-%dT%H:%M:%SZ}"
    path = re.sub(r"\$\(.*?\)", deadline, re.findall(r"(/windows/best\?.*)\"", curl)[0])
    (window,) = api.get(path)["windows"]
    return dict(window)


@pytest.mark.parametrize(
    "query",
    [
        "hours=2&within=30&place=Leeds",
        "hours=3&within=40",
        "hours=2&within=20&place=scotland",
        "hours=6&within=48&place=5&split=true",
        "hours=2&within=40&place=13&by=cost",
        "hours=2&within=40&place=13&by=both",
    ],
)
def test_the_page_and_its_curl_give_one_answer(api: Api, query: str) -> None:
    api.price()
    for _ in range(3):  # a half-hour may begin in between
        text = page(api, query)
        found = looked_up(api, text)
        if looked_up(api, page(api, query)) == found:
            break
    assert f"in <strong>{found['region_name']}</strong>" in text
    assert f"{found['mean_gco2_kwh']:,.0f} gCO₂/kWh" in text
    starts = instant(found["starts_at"])
    assert starts <= datetime.now(UTC) or re.search(rf"Start at <strong>[^<]*{local(starts)}", text)
    chunks = found.get("chunks") or [found]
    half_hours = sum((instant(one["ends_at"]) - instant(one["starts_at"])) / timedelta(minutes=30) for one in chunks)
    chosen = sum("chosen" in look for look in BAR.findall(text))
    assert half_hours <= chosen <= half_hours + len(chunks), "a run that starts at once has a part of one more"


def local(at: datetime) -> str:
    """As the page's clock shows it."""
    return Clock().time(at)


@pytest.mark.parametrize(
    ("now", "then", "words"), [(50, 20, "and £30.00 less"), (50, 70, "but £20.00 more"), (10, -20, "and £30.00 less")]
)
def test_a_saving_is_against_the_same_length_at_once(api: Api, now: int, then: int, words: str) -> None:
    starts = "date_bin('30 minutes', now(), '2000-01-01 00:00Z')"
    clean = f"start >= {starts} + interval '10 hours' and start < {starts} + interval '12 hours'"
    value = f"case when {clean} then 150 else 200 end"
    api.query(f"update carbon_intensity_regional set forecast_gco2_kwh = {value.replace('start ', 'period_start ')}")
    api.query(
        "update intermediate.int_carbon_intensity__captures as capture set forecasts_gco2_kwh = ("
        f"select array_agg({value} order by n) from generate_series(1, cardinality(capture.forecasts_gco2_kwh)) as n "
        "cross join lateral (select capture.first_period_start + (n - 1) * interval '30 minutes') as at (start))"
    )
    later = f"period_start >= {starts} + interval '9 hours'"
    api.price()
    api.query(f"update wholesale_prices set price_gbp_mwh = case when {later} then {then} else {now} end")
    text = re.sub(r"\s+", " ", page(api, "hours=2&within=24&place=13"))
    assert "150 gCO₂/kWh" in text
    said = re.findall(r"That is .*? \(200 g\)[^(<]*", text)
    assert [one.strip() for one in said] == [
        f"That is 25 % less carbon than starting there now (200 g), {words} per MWh."
    ]


def test_the_client_is_given_what_the_page_was_asked(api: Api) -> None:
    for query, regions, split in (
        ("hours=6&within=48&place=5&split=true", {5}, True),
        ("hours=2&within=20&place=scotland", {1, 2}, False),
        ("hours=2&within=20", set(range(1, 15)), False),
    ):
        text = page(api, query)
        (energy,) = [one for one in commands(text) if one.startswith("energy")]
        given = parser().parse_args(shlex.split(energy)[1:])
        asked = dict(pair.split("=") for pair in query.split("&"))
        assert given.hours == float(asked["hours"]) and given.deadline == f"{asked['within']}h"
        assert given.region in regions and given.split is split
        assert given.region == looked_up(api, text)["region_id"], query


@pytest.mark.parametrize("by", ["cost", "both"])
def test_what_the_client_cannot_do_is_not_called_the_same(api: Api, by: str) -> None:
    text = page(api, f"hours=2&within=20&place=13&by={by}")
    (only,) = commands(text)
    assert only.startswith("curl") and "decides by carbon alone" in text


@pytest.mark.parametrize(
    ("query", "synthetic", "is_marked"),
    [
        ("by=carbon", (), False),
        ("by=carbon", ("carbon_intensity_regional", "intermediate.int_carbon_intensity__captures"), True),
        ("by=carbon", ("wholesale_prices",), False),
        ("by=cost", ("wholesale_prices",), True),
        ("by=cost", ("carbon_intensity_regional", "intermediate.int_carbon_intensity__captures"), False),
    ],
)
def test_bars_are_marked_if_what_they_show_is_synthetic(
    api: Api, query: str, synthetic: tuple[str, ...], is_marked: bool
) -> None:
    api.price()
    for table in synthetic:
        api.query(f"update {table} set is_synthetic = true")
    text = page(api, f"hours=2&within=20&place=13&{query}")
    looks = set(BAR.findall(text))
    assert looks == ({"bar synthetic", "bar chosen synthetic"} if is_marked else {"bar", "bar chosen"})
    assert ("chosen, and synthetic</span>" in text) is is_marked
    if "wholesale_prices" in synthetic:
        assert re.search(r"<td>[\d.,−]+ synthetic", text), "the price's cell says so, whatever the bars show"
