"""At the end of a response a coming half-hour has one neighbour: that one and the response before decide. NULL is no shield."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.session import session
from flows.steps import publish
from pipelines.catalogue import DATASETS
from tests.dbt_project.test_commands import dbt
from tests.dbt_project.test_isolated import flagged, put
from tests.dbt_project.test_staging import mix
from tests.energy import Energy
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample
from warehouse.periods import HALF_HOUR, Window, floor, iso

NOW = datetime.now(UTC)
THIS = floor(NOW)
CAPTURED = "select period_start from carbon_intensity_vintages where is_isolated and known_at = %s"


def put_at(energy: Energy, fetched_at: datetime, bodies: Mapping[str, Any], *datasets: str) -> None:
    """Land responses that came at an instant, and publish them."""
    for dataset, body in bodies.items():
        starts = [datetime.fromisoformat(row["from"]) for row in body["data"]]
        sample = Sample(DATASETS[dataset], Window(min(starts), max(starts) + HALF_HOUR), None)
        (payload_id,) = land(energy, sample, {"": json.dumps(body).encode()})
        energy.query(
            f"update staging.{dataset}_payloads set fetched_at = %s where payload_id = %s", fetched_at, payload_id
        )


def publish_all() -> None:
    with session("refresh", {}) as this:
        assert not publish(this).failures


def national(values: Sequence[int | None], first: datetime = THIS) -> dict[str, Any]:
    return {
        "carbon_intensity__national": {
            "data": [
                {
                    "from": iso(first + n * HALF_HOUR), "to": iso(first + (n + 1) * HALF_HOUR),
                    "intensity": {"forecast": value, "actual": None, "index": None},
                }
                for n, value in enumerate(values)
            ]
        }
    }  # fmt: skip


def regional(values: Sequence[int], shares: str, first: datetime = THIS) -> dict[str, Any]:
    """London's values, and 200 g everywhere else."""
    return {
        "carbon_intensity__regional": {
            "data": [
                {
                    "from": iso(first + n * HALF_HOUR), "to": iso(first + (n + 1) * HALF_HOUR),
                    "regions": [
                        {
                            "regionid": region, "shortname": "", "intensity": {"forecast": value if region == 13 else 200},
                            "generationmix": json.loads(shares),
                        }
                        for region in range(1, 19)
                    ],
                }
                for n, value in enumerate(values)
            ]
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([200, 5], {1}),
        ([200, 284], {1}),
        ([200, 5, 8], {1, 2}),
        ([200, 5, 8, 6], set()),  # three in a row are weather
        ([200, 151], set()),
        ([200, None, 5, 6, 200, 200, 200], {2, 3}),
        ([200, None, 200, 200, 200], set()),
        ([200, None, 5, None, 200, 200, 200], {2}),  # nothing beside it: nobody knows
    ],
)
def test_at_an_end_a_coming_half_hour_is_compared_with_its_one_neighbour(
    energy: Energy, values: Sequence[int | None], places: set[int]
) -> None:
    """After three half-hours that have been, with which a response begins; nothing rests on those."""
    put(energy, {THIS + n * HALF_HOUR: value for n, value in enumerate([200, 200, 200, *values], start=-3)})
    wanted = {THIS + n * HALF_HOUR for n in places}
    assert flagged(energy) == wanted
    assert {row[0] for row in energy.query("select period_start from carbon_intensity_vintages where is_isolated")} == (
        wanted
    )


def test_a_response_that_begins_with_what_is_to_come_has_two_ends(energy: Energy) -> None:
    put(energy, {THIS + n * HALF_HOUR: value for n, value in enumerate([5, 200, 200, 200])})
    assert flagged(energy) == {THIS}


@pytest.mark.slow
@pytest.mark.parametrize("is_at_once", [False, True])
def test_the_response_before_confirms_what_it_held_too(energy: Energy, is_at_once: bool) -> None:
    first = NOW - timedelta(minutes=40)
    same_issue, next_issue = first + timedelta(minutes=5), first + timedelta(minutes=35)
    responses = [(first, [200, 200, 200, 20]), (same_issue, [200, 200, 200, 21]), (next_issue, [200, 200, 200, 20, 19])]
    for fetched_at, values in responses:
        put_at(energy, fetched_at, national(values))
        if not is_at_once:
            publish_all()
    if is_at_once:
        publish_all()
    found = {at: {row[0] for row in energy.query(CAPTURED, at)} for at, _ in responses}
    assert found == {
        first: {THIS + 3 * HALF_HOUR},
        same_issue: {THIS + 3 * HALF_HOUR},  # of five minutes later: the same forecast, which confirms nothing
        next_issue: {THIS + 4 * HALF_HOUR},
    }
    assert flagged(energy) == {THIS + 4 * HALF_HOUR}
    dbt(energy, "run", "--full-refresh", "-s", "int_carbon_intensity__captures", "carbon_intensity_national")
    assert found == {at: {row[0] for row in energy.query(CAPTURED, at)} for at, _ in responses}
    assert flagged(energy) == {THIS + 4 * HALF_HOUR}


@pytest.mark.slow
def test_the_response_before_contradicts_too(energy: Energy) -> None:
    put_at(energy, NOW - timedelta(minutes=40), national([200, 200, 200, 190, 190]))
    put_at(energy, NOW, national([200, 200, 200, 5, 6]))
    publish_all()
    assert flagged(energy) == {THIS + 3 * HALF_HOUR, THIS + 4 * HALF_HOUR}


@pytest.mark.slow
def test_no_ranking_is_won_by_the_last_half_hour_of_a_response(energy: Energy) -> None:
    on_imports = mix(0).replace("gas", "other fuel").replace("imports", "gas").replace("other fuel", "imports")
    put_at(energy, NOW, regional([200] * 30 + [5], on_imports))
    publish_all()
    best = "select distinct mean_gco2_kwh from best_windows('30 minutes', now(), now() + interval '1 day')"
    assert energy.query(best) == [(200,)]
    known = (
        "select forecast_gco2_kwh from carbon_intensity_as_of(now(), 13::smallint) order by period_start desc limit 2"
    )
    assert energy.query(known) == [(None,), (200,)]


@pytest.mark.slow
def test_a_value_that_is_null_because_it_is_impossible_does_not_shield_the_one_beside_it(energy: Energy) -> None:
    on_gas = mix(0)
    put_at(energy, NOW, regional([300, 300, 300, 201, 0, 300, 300, 300], on_gas))
    publish_all()
    rows = energy.query(
        "select forecast_gco2_kwh, is_isolated from carbon_intensity_regional where region_id = 13 order by period_start"
    )
    assert rows == [*[(300, False)] * 3, (201, True), (None, False), *[(300, False)] * 3]
    vintages = "select forecast_gco2_kwh, is_isolated from carbon_intensity_vintages where region_id = 13 order by period_start"
    assert energy.query(vintages) == [row for row in rows if row[0] is not None]
