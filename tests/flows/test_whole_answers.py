"""An answer that is empty, short or full of holes is not taken for all that there is, in a backfill too."""

import json
from datetime import UTC, datetime

import pytest

from flows.session import session
from flows.steps import publish
from pipelines.catalogue import DATASETS
from tests.emulator import Emulator
from tests.energy import Energy, contents
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample
from warehouse.periods import HALF_HOUR, Window, floor, iso

DATASTORE = "datastore_search_sql"
PROVENANCE = ("payload_id", "fetched_at", "updated_at")
EMPTY = {
    "neso__eac_results": ("2024-05-01", "flexibility_prices"),
    "neso__demand_forecast_day_ahead": ("2022-05-01", "demand_forecast_national"),
    "neso__demand_forecast_cardinal": ("2022-05-01", "demand_forecast_national"),
}
START = datetime(2024, 5, 1, tzinfo=UTC)


def requests(emulator: Emulator) -> int:
    return sum(DATASTORE in path for _, path in emulator.requests)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", EMPTY)
def test_an_empty_answer_does_not_make_a_backfill_complete(energy: Energy, emulator: Emulator, dataset: str) -> None:
    day, table = EMPTY[dataset]
    own = "select count(*) from ops.fetches where dataset = %s"  # while it has nothing, what defers to it is requested too
    emulator.fault("empty", DATASTORE, times=1)
    energy.backfill(day, day, dataset)
    energy.backfill(day, day, dataset)
    assert energy.value(own, dataset) == 2
    assert energy.value(
        f"select count(*) filter (where not is_synthetic) > 5 and not bool_or(is_synthetic) from {table}"
    )
    energy.backfill(day, day, dataset)
    assert energy.value(own, dataset) == 2, "what is whole is not requested again"


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["neso__eac_results", "neso__demand_forecast_cardinal"])
def test_a_short_first_answer_does_not_make_a_backfill_complete(
    energy: Energy, emulator: Emulator, dataset: str
) -> None:
    start, table = EMPTY[dataset]
    end = start.replace("-01", "-02")
    emulator.fault("short_horizon", DATASTORE, times=1)
    energy.backfill(start, end, dataset)
    assert "it lacks " in energy.output and "taken for a file that is being loaded" in energy.output
    short = contents(energy, without=PROVENANCE)[table]
    energy.backfill(start, end, dataset)
    assert requests(emulator) == 2
    full = contents(energy, without=PROVENANCE)[table]
    assert 0 < len(short) < len(full)
    assert set(short) <= set(full), "what is published of a short answer is as it is in the whole one"
    energy.backfill(start, end, dataset)
    assert requests(emulator) == 2, "what is whole is not requested again"


# `short_horizon` cuts the end of a file off, so the days asked for are the last of their year.
LAST = ("2022-12-30", "2022-12-31")
OF_THE_LAST = "from demand_actual_national where settlement_date between '2022-12-30' and '2022-12-31'"


def age(energy: Energy, hours: int) -> None:
    """What has landed came so many hours sooner."""
    energy.query(f"update staging.neso__demand_history_payloads set fetched_at = fetched_at - interval '{hours} hours'")


@pytest.mark.slow
def test_a_short_first_answer_of_a_file_is_not_remembered(energy: Energy, emulator: Emulator) -> None:
    energy.set(HTTP_ATTEMPTS="1")
    emulator.fault("short_horizon", DATASTORE, times=1)
    emulator.fault("500", "/demand/outturn", times=1)  # else the second source has it
    energy.backfill(*LAST, "neso__demand_history")
    assert energy.value(f"select count(*) filter (where is_synthetic) {OF_THE_LAST}") > 0
    assert "it has holes: taken for a file that is being loaded" in str(energy.query("select detail from ops.fetches"))
    energy.backfill(*LAST, "neso__demand_history")
    assert requests(emulator) == 2
    assert energy.query(f"select is_synthetic, count(*) {OF_THE_LAST} group by 1") == [(False, 96)]
    energy.backfill(*LAST, "neso__demand_history")
    assert requests(emulator) == 2, "what is whole is not requested again"


@pytest.mark.slow
def test_what_has_had_holes_for_hours_has_no_more(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("short_horizon", DATASTORE)
    energy.backfill(*LAST, "neso__demand_history")
    energy.backfill(*LAST, "neso__demand_history")
    assert requests(emulator) == 2, "it may still be being loaded"
    age(energy, 7)
    for _ in range(2):
        energy.backfill(*LAST, "neso__demand_history")
    assert requests(emulator) == 3, "the version is known then, and its file is not read again"


@pytest.mark.slow
@pytest.mark.parametrize("fallback", ["on", "off"])
def test_what_the_first_source_has_not_is_asked_of_the_second(
    energy: Energy, emulator: Emulator, fallback: str
) -> None:
    energy.set(SYNTHETIC_FALLBACK=fallback, HTTP_ATTEMPTS="1")
    emulator.fault("short_horizon", DATASTORE)
    emulator.fault("500", "/demand/outturn")  # at first the second is away too
    energy.backfill(*LAST, "demand_actual_national")
    assert energy.query(f"select distinct source {OF_THE_LAST} and not is_synthetic") == [("neso",)]
    age(energy, 7)
    emulator.reset()
    emulator.fault("short_horizon", DATASTORE)
    for _ in range(2):  # the second time the first source says that nothing has changed
        energy.backfill(*LAST, "demand_actual_national")
        found = energy.query(f"select source, is_synthetic, count(*) > 1 {OF_THE_LAST} group by 1, 2 order by 1")
        assert found == [("elexon", False, True), ("neso", False, True)]
        assert energy.value(f"select count(*) {OF_THE_LAST}") == 96


def publish_rows(energy: Energy, slug: str, rows: list[dict[str, object]]) -> None:
    window = Window(START, START + 2 * HALF_HOUR)
    land(energy, Sample(DATASETS[slug], window, None), {"": json.dumps({"data": rows}).encode()})
    with session("refresh", {}) as this:
        assert not publish(this).failures


SETTLED = {"settlementDate": "2024-05-01", "settlementPeriod": 3, "startTime": iso(START)}
TWICE = {
    "elexon__system_prices": (
        {
            "createdDateTime": "2024-05-01T0{}:00:00Z",
            "systemSellPrice": "{}",
            "systemBuyPrice": "{}",
            "netImbalanceVolume": 1,
        },
        "select price_gbp_mwh from wholesale_prices where market = 'system_price'",
    ),
    "elexon__demand_forecast": (
        {
            "publishTime": "2024-04-30T0{}:00:00Z",
            "boundary": "N",
            "nationalDemand": "{}",
            "transmissionSystemDemand": "{}",
        },
        "select national_demand_mw from demand_forecast_national",
    ),
    "elexon__demand_forecast_zonal": (
        {
            "publishTime": "2024-04-30T0{}:00:00Z",
            "boundary": "B1",
            "nationalDemand": None,
            "transmissionSystemDemand": "{}",
        },
        "select demand_mw from demand_regional where area_type = 'zone'",
    ),
    "elexon__demand_outturn": (
        {
            "publishTime": "2024-05-01T0{}:00:00Z",
            "initialDemandOutturn": "{}",
            "initialTransmissionSystemDemandOutturn": "{}",
        },
        "select national_demand_mw from demand_actual_national",
    ),
}


@pytest.mark.parametrize("slug", TWICE)
@pytest.mark.parametrize("is_turned", [False, True])
def test_of_two_rows_for_a_half_hour_the_later_one_counts(energy: Energy, slug: str, is_turned: bool) -> None:
    """Not the larger, whatever their order."""
    template, query = TWICE[slug]
    rows = [
        {
            **SETTLED,
            **{
                name: value if value is None or "{}" not in str(value) else
                (value.format(hour) if "0{}" in value else demand)
                for name, value in template.items()
            },
        }
        for hour, demand in ((2, 40_00), (3, 30_00))
    ]  # fmt: skip
    publish_rows(energy, slug, rows[::-1] if is_turned else rows)
    assert energy.query(query) == [(30_00,)]


def test_the_later_one_is_what_was_known_of_a_half_hour_to_come(energy: Energy) -> None:
    start = floor(datetime.now(UTC)) + 6 * HALF_HOUR
    template, _ = TWICE["elexon__demand_forecast"]
    issued = {"publishTime": iso(start - 40 * HALF_HOUR), "startTime": iso(start)}
    rows = [
        {**SETTLED, **template, **issued, "nationalDemand": 40_00, "transmissionSystemDemand": 40_00},
        {**SETTLED, **template, **issued, "publishTime": iso(start - 39 * HALF_HOUR), "nationalDemand": 30_00,
         "transmissionSystemDemand": 30_00},
    ]  # fmt: skip
    window = Window(start, start + HALF_HOUR)
    sample = Sample(DATASETS["elexon__demand_forecast"], window, None)
    land(energy, sample, {"": json.dumps({"data": rows}).encode()})
    with session("refresh", {}) as this:
        assert not publish(this).failures
    assert energy.query("select national_demand_mw from demand_forecast_vintages") == [(30_00,)]
