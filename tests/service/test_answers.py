"""How answers are spelled, in all of them: instants in Z, a region's name beside its number.

That a null cost has its reason is shown in `test_costs.py`, over a grid in which costs are null.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.prices import guess
from service.answers import spell, spelled
from tests.service.conftest import Api, instant

OFFSET = re.compile(r"^\d{4}-\d\d-\d\dT.*[+-]\d\d:?\d\d$")
CONTEXTS = [f"/agents/{agent}/context" for agent in ("energy", "compute", "head")]


def within(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of an answer, with its path."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from within(one, f"{path}.{key}")


def answers(api: Api) -> dict[str, Any]:
    """An answer of every kind, after a task that was placed, one that waits, and one that is done."""
    api.operator("House", is_default=True)
    placed = api.submit(power_kw=1)
    waiting = api.submit(carbon_cap_gco2_kwh=0, power_kw=1)
    api.submit(power_kw=1, duration_minutes=30, region_ids=[7, 13])
    one = f"/workloads/{placed['workload_id']}"
    found = {"placed": placed, "waiting": waiting, "again": api.client.post(f"{one}/placement").json()}
    for path in (*CONTEXTS, "/regions/opportunities", "/windows/best", "/workloads", one, f"{one}/decision", "/readyz"):
        found[path] = api.get(path)
    found["running"] = api.client.patch(one, json={"status": "running"}).json()
    return found


def test_every_answer_spells_instants_regions_and_ages_the_one_way(api: Api) -> None:
    regions = instants = 0
    for name, whole in answers(api).items():
        for path, value in within(whole):
            if isinstance(value, str):
                assert not OFFSET.match(value), f"{name}{path}: {value}"
                instants += value.endswith("Z") and value[:2] == "20"
            if isinstance(value, dict):
                for key in [key for key in value if key.endswith("region_id")]:
                    beside = value.get(f"{key.removesuffix('id')}name", "")
                    assert beside or value[key] in (None, []) or path == ".asked", f"{name}{path}.{key} has no name"
                    regions += bool(beside)
                if "age_seconds" in value:
                    assert value["age_seconds"] is None or value["age_in_words"]
    assert regions > 100 and instants > 100


def test_a_region_has_its_name_beside_it_alone_or_in_a_list() -> None:
    names = {3: "North West England", 13: "London"}
    assert spell({"region_id": [3, 13]}, names)["region_name"] == ["North West England", "London"]
    assert spell({"region_ids": (13,)}, names)["region_names"] == ["London"]
    assert spell({"best_region_id": 3, "region_ids": None}, names) == {
        "best_region_id": 3, "best_region_name": "North West England", "region_ids": None, "region_names": None,
    }  # fmt: skip


def test_a_waiting_task_says_how_it_gets_a_place(api: Api) -> None:
    waiting = api.submit(carbon_cap_gco2_kwh=0)
    assert waiting["status"] == "pending" and "POST /workloads/" in waiting["next_step"]
    assert api.get(f"/workloads/{waiting['workload_id']}")["next_step"] == waiting["next_step"]
    assert api.submit()["next_step"] is None


def test_alternatives_are_in_another_region_or_a_run_length_apart(api: Api) -> None:
    found = api.submit(power_kw=1, duration_minutes=120)
    options = [found["placement"], *found["alternatives"]]
    assert len(options) == 3
    assert not any(option["venue_name"].startswith("region ") for option in options)
    for number, one in enumerate(options):
        for other in options[:number]:
            apart = abs(instant(one["starts_at"]) - instant(other["starts_at"]))
            assert one["region_id"] != other["region_id"] or apart >= timedelta(hours=2)


def test_beyond_the_auction_the_cost_is_null_with_a_reason_and_a_marked_estimate(api: Api) -> None:
    api.price()
    api.query(
        "delete from wholesale_prices where period_start > now() - interval '20 days' and period_start < now() - interval '2 days'"
    )
    api.query(
        "insert into wholesale_prices select (jsonb_populate_record(null::wholesale_prices, to_jsonb(p) || jsonb_build_object("
        "'period_start', p.period_start - n * interval '1 day', 'period_end', p.period_end - n * interval '1 day', "
        "'price_gbp_mwh', 60, 'updated_at', now() - interval '1 hour'))).* "
        "from wholesale_prices as p, generate_series(2, 9) as n where market = 'n2ex_day_ahead' "
        "and p.period_start between now() - interval '24 hours' and now() on conflict do nothing"
    )
    api.query("delete from wholesale_prices where period_start > now() + interval '1 hour'")
    api.query("update wholesale_prices set price_gbp_mwh = 60, is_synthetic = false where market = 'n2ex_day_ahead'")
    later = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    placed = api.submit(power_kw=10, duration_minutes=60, earliest_start=later)["placement"]
    assert placed["cost_gbp"] is placed["mean_price_gbp_mwh"] is None
    assert "day-ahead auction's prices end at " in placed["cost_unknown_because"]
    assert placed["cost_estimate_gbp"] == pytest.approx(0.6) and placed["cost_estimate_error_gbp"] == pytest.approx(0)
    assert "one day before" in placed["estimate_basis"]
    window = api.get("/windows/best", params={"earliest": later, "duration_minutes": 60})["windows"][0]
    assert window["mean_price_gbp_mwh"] is None and window["price_unknown_because"]
    assert window["price_estimate_gbp_mwh"] == pytest.approx(60)


@given(st.lists(st.floats(-50, 500), min_size=480, max_size=480), st.integers(0, 96))
def test_an_estimate_is_a_past_price_and_its_error_is_measured(values: list[float], known_ahead: int) -> None:
    first = 1_800_000_000 // 1800 * 1800
    prices = {first + (n - 384) * 1800: value for n, value in enumerate(values[: 384 + known_ahead])}
    found = guess(prices, prices, first, 96)
    off = [abs(prices[t] - prices[t - 86_400]) for t in prices if t < first and t - 86_400 in prices]
    for at in range(96):
        start = first + 1800 * at
        if start in prices:
            assert (found.values[at], found.errors[at]) == (prices[start], 0)
        elif start - 86_400 in prices:
            assert found.values[at] == prices[start - 86_400]
            assert found.errors[at] == pytest.approx(sum(off) / len(off))


def test_without_history_there_is_no_estimate_and_without_enough_of_it_no_error() -> None:
    nothing = guess({}, {}, 0, 4)
    assert str(nothing.values.tolist()) == str(nothing.errors.tolist()) == "[nan, nan, nan, nan]"
    few = guess({-86_400: 50.0}, {-86_400: 50.0}, 0, 1)
    assert few.values[0] == 50 and str(few.errors[0]) == "nan"


@given(st.datetimes(timezones=st.builds(lambda h: timezone(timedelta(hours=h)), st.integers(-12, 12))))
def test_an_instant_has_one_spelling_wherever_it_comes_from(at: datetime) -> None:
    try:
        utc = at.astimezone(UTC)
    except OverflowError:
        return
    text = spell({"starts_at": at.isoformat(), "x": at}, {})
    assert text["starts_at"] == text["x"] == spelled(at) and text["x"].endswith("Z")
    assert datetime.fromisoformat(text["x"]) == utc
