"""Of two responses with the same half-hour, the one that the upstream issued later counts, not the one that was fetched later."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.session import session
from flows.steps import publish
from pipelines.catalogue import DATASETS
from tests.energy import Energy
from tests.flows.test_door_and_sql import land
from tests.pipelines.hostile import Sample
from warehouse.periods import HALF_HOUR, Window, floor, iso

NOW = datetime.now(UTC).replace(microsecond=0)
START = floor(NOW) - timedelta(hours=4)
COMING = floor(NOW) + timedelta(hours=4)


def row(dataset: str, value: int, issued: datetime) -> dict[str, Any]:
    """A row as Elexon sends it."""
    return {
        "elexon__demand_outturn": {
            "startTime": iso(START), "publishTime": iso(issued), "initialDemandOutturn": value,
            "initialTransmissionSystemDemandOutturn": value,
        },
        "elexon__system_prices": {"startTime": iso(START), "createdDateTime": iso(issued), "systemSellPrice": value},
        "elexon__demand_forecast": {"startTime": iso(COMING), "publishTime": iso(issued), "nationalDemand": value},
        "elexon__demand_forecast_zonal": {
            "startTime": iso(COMING), "publishTime": iso(issued), "boundary": "B1", "transmissionSystemDemand": value,
        },
    }[dataset]  # fmt: skip


KEPT = {
    "elexon__demand_outturn": "select national_demand_mw from demand_actual_national",
    "elexon__system_prices": "select price_gbp_mwh from wholesale_prices",
    "elexon__demand_forecast": "select national_demand_mw from demand_forecast_national",
    "elexon__demand_forecast_zonal": "select demand_mw from demand_regional",
}


def send(
    energy: Energy, dataset: str, value: int, *, issued: datetime, fetched: datetime, origin: str = "live"
) -> None:
    """Land a response of one row that was fetched at an instant."""
    sample = Sample(DATASETS[dataset], Window(START, COMING + HALF_HOUR), None)
    (payload_id,) = land(energy, sample, {"": json.dumps({"data": [row(dataset, value, issued)]}).encode()})
    energy.query(
        f"update staging.{dataset}_payloads set fetched_at = %s, origin = %s where payload_id = %s",
        *(fetched, origin, payload_id),
    )


def publish_all() -> None:
    with session("refresh", {}) as this:
        assert not publish(this).failures


def before(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.slow
@pytest.mark.parametrize("is_at_once", [True, False])
@pytest.mark.parametrize("comes_last", ["older", "newer"])
def test_an_older_response_that_comes_later_changes_nothing(energy: Energy, is_at_once: bool, comes_last: str) -> None:
    """A proxy may send what it has kept; the same row wins whatever the order."""
    for dataset in KEPT:
        send(energy, dataset, 3_001, issued=before(60), fetched=before(20 if comes_last == "older" else 50))
        if not is_at_once and comes_last == "newer":
            publish_all()
        send(energy, dataset, 3_002, issued=before(55), fetched=before(40))
        if not is_at_once:
            publish_all()
    publish_all()
    assert {dataset: energy.query(kept) for dataset, kept in KEPT.items()} == {dataset: [(3_002,)] for dataset in KEPT}


@pytest.mark.slow
def test_a_time_of_issue_that_lies_ahead_keeps_no_later_row_out(energy: Energy) -> None:
    for dataset in KEPT:
        send(energy, dataset, 3_001, issued=NOW + timedelta(days=900), fetched=before(50))
    publish_all()
    for dataset in KEPT:
        send(energy, dataset, 3_002, issued=before(40), fetched=before(20))
    publish_all()
    assert {dataset: energy.query(kept) for dataset, kept in KEPT.items()} == {dataset: [(3_002,)] for dataset in KEPT}


@pytest.mark.slow
def test_a_synthetic_row_gives_way_to_a_real_one_however_late_it_was_issued(energy: Energy) -> None:
    for dataset in KEPT:
        send(energy, dataset, 3_001, issued=before(10), fetched=before(10), origin="synthetic")
    publish_all()
    for dataset in KEPT:
        send(energy, dataset, 3_002, issued=before(60), fetched=before(50))
    publish_all()
    for dataset in KEPT:
        send(energy, dataset, 3_003, issued=before(5), fetched=before(5), origin="synthetic")
    publish_all()
    assert {dataset: energy.query(kept) for dataset, kept in KEPT.items()} == {dataset: [(3_002,)] for dataset in KEPT}
