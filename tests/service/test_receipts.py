"""`GET /workloads/{id}/receipt`: what it says, why there is none yet, and who sees it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from flows.settle import settle_all
from tests.flows.settling import HOUR, SETTINGS, Past
from tests.service.conftest import Api, instant
from tests.service.test_models import document, schema_of, unnamed
from warehouse.periods import floor

PATH = "/workloads/{workload_id}/receipt"
SUMS = (
    "select coalesce(sum(forecast_gco2_kwh), 0) / 2.0 * 10 / 1000 from carbon_intensity_regional "
    "where region_id = 13 and period_start >= %s and period_start < %s"
)


@pytest.fixture
def ran(api: Api) -> Iterator[tuple[Api, Past, str, datetime]]:
    """Yesterday two hours of 10 kW ran in London, four hours after they might have begun."""
    with api.database.connect() as connection:
        past = Past(api.database, connection)
        begins = floor(datetime.now(UTC)) - timedelta(hours=30)
        this = past.workload(begins, region_ids=None)
        past.place(this, (begins + 4 * HOUR, begins + 6 * HOUR))
        yield api, past, str(past.run(this, begins + 4 * HOUR, begins + 6 * HOUR)), begins


def test_a_receipt_says_what_came_and_how_to_read_it(ran: tuple[Api, Past, str, datetime]) -> None:
    api, past, this, begins = ran
    missing = api.get(f"/workloads/{this}/receipt", 404)
    assert "an actual of its half-hours is late" in missing["detail"] and missing["type"] == "/problems/not-found"
    assert instant(missing["expected_at"]) == begins + 56 * HOUR
    assert past.settle()["kept"] == 1
    found = api.get(f"/workloads/{this}/receipt")
    (((came,),), ((then,),)) = (api.query(SUMS, begins + at * HOUR, begins + (at + 2) * HOUR) for at in (4, 0))
    assert found["realised"]["carbon_kg"] == pytest.approx(float(came))
    assert found["at_once"]["carbon_kg"] == pytest.approx(float(then)) == found["at_once_here"]["carbon_kg"]
    by_time, by_place = found["savings"]["by_time"], found["savings"]["by_place"]
    assert by_time["carbon_kg"] == pytest.approx(float(then - came)) == found["savings"]["against_at_once"]["carbon_kg"]
    elsewhere = found["at_once_elsewhere"]["carbon_kg"]
    assert by_place["carbon_kg"] == pytest.approx(elsewhere - float(then))
    best = api.query(
        "select min(kg) from (select sum(forecast_gco2_kwh) over (partition by region_id order by period_start "
        "rows between current row and 3 following) / 2.0 * 10 / 1000 as kg, period_start from carbon_intensity_regional "
        "where region_id between 1 and 14 and period_start >= %s and period_start < %s) as one where period_start <= %s",
        begins, begins + 8 * HOUR, begins + 6 * HOUR,
    )[0][0]  # fmt: skip
    assert found["foresight"]["carbon_kg"] == pytest.approx(float(best), abs=1e-6)
    assert (found["is_final"], found["coverage"]["share"], found["notes"]) == (False, 1, [])
    assert found["promised"]["by_its_placement"] == {"carbon_kg": 2, "cost_gbp": 1}
    assert "attributional" in found["method"]["name"] and "never summed" in found["method"]["position"]
    assert found["method"]["based_on"]["intensity"]["payload_ids"] and len(found["method"]["references"]) == 4
    assert unnamed(found, schema_of(document(api), "get", PATH), document(api)) == []
    assert api.get(f"/workloads/{this}/receipt?version=1")["realised"] == found["realised"]
    assert "no version 2" in api.get(f"/workloads/{this}/receipt?version=2", 404)["detail"]
    api.get(f"/workloads/{this}/receipt?version=0", 422)
    api.operator("Another")
    other = api.client.get(f"/workloads/{this}/receipt", headers=api.token("Another"))
    assert other.status_code == 404 and "there is no workload" in other.json()["detail"], "it is another operator's"


def test_without_a_receipt_it_is_said_why_and_when_there_will_be_one(api: Api) -> None:
    placed = api.submit(power_kw=1, duration_minutes=30)
    said = api.get(f"/workloads/{placed['workload_id']}/receipt", 404)
    assert "there is no receipt yet: it is scheduled." in said["detail"]
    assert instant(said["expected_at"]) == instant(placed["placement"]["ends_at"]) + 2 * HOUR
    without = api.submit(power_kw=1, duration_minutes=30, carbon_cap_gco2_kwh=0)
    said = api.get(f"/workloads/{without['workload_id']}/receipt", 404)
    assert "it is pending, without a place" in said["detail"] and said["expected_at"] is None
    api.client.patch(f"/workloads/{without['workload_id']}", json={"status": "cancelled"})
    assert "nothing to settle" in api.get(f"/workloads/{without['workload_id']}/receipt", 404)["detail"]
    begun = api.submit(power_kw=1, duration_minutes=30, is_deferrable=False)["workload_id"]
    for status in ("running", "cancelled"):
        assert api.client.patch(f"/workloads/{begun}", json={"status": status}).status_code == 200
    ((given_back,),) = api.query("select released_at from app.workload_placements where workload_id = %s", begun)
    said = api.get(f"/workloads/{begun}/receipt", 404)
    assert "the actuals of its half-hours come first" in said["detail"]
    assert instant(said["expected_at"]) == given_back + 2 * HOUR, "it ended when it was cancelled"
    (settled,) = settle_all(api.database, SETTINGS)
    assert (settled.looked_at, settled.kept, settled.waiting) == (1, 0, 1)
    api.get("/workloads/00000000-0000-0000-0000-000000000000/receipt", 404)
