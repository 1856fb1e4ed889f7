"""What the quality gate held back is requested again, although the upstream says that its file has not changed."""

import pytest

from pipelines.neso import resources
from tests.emulator import Emulator
from tests.energy import Energy

DATASTORE = "datastore_search_sql"
FORTNIGHT = "neso__demand_forecast_2_14d"
BACKFILLED = {
    "neso__demand_history": ("demand_actual_national", resources.DEMAND_HISTORY[2024]),
    "neso__demand_forecast_day_ahead": ("demand_forecast_national", resources.DAY_AHEAD),
    "neso__eac_results": ("flexibility_prices", resources.EAC_ARCHIVES[2024]),
}


def requests(emulator: Emulator, resource: resources.Resource) -> int:
    return sum(DATASTORE in path and resource.id in path for _, path in emulator.requests)


def real(energy: Energy, table: str) -> int:
    return int(energy.value(f"select count(*) from {table} where not is_synthetic"))


@pytest.mark.slow
@pytest.mark.parametrize("dataset", BACKFILLED)
def test_a_backfill_requests_again_what_was_held_and_publishes_it(
    energy: Energy, emulator: Emulator, dataset: str
) -> None:
    table, resource = BACKFILLED[dataset]
    days = ("2024-05-01", "2024-05-02")
    energy.set(ELEXON_URL="http://127.0.0.1:9")  # nor does it stand in
    emulator.fault("absurd", f"%22{resource.id}%22", times=1)
    assert energy.backfill(*days, dataset)["failures"], "it is held back"
    own = f"{table} where payload_id in (select payload_id from staging.{dataset}_payloads where origin = 'live')"
    assert energy.value(f"select count(*) from {own}") == 0
    assert not energy.backfill(*days, dataset)["failures"]
    assert (requests(emulator, resource), energy.value(f"select count(*) from {own}") > 10) == (2, True)
    energy.backfill(*days, dataset)
    assert requests(emulator, resource) == 2, "what is good is not requested again"


@pytest.mark.slow
def test_a_bad_file_of_today_is_published_once_it_is_good(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("absurd", f"%22{resources.TWO_TO_14_DAYS_AHEAD.id}%22", times=1)
    assert energy.refresh(FORTNIGHT)["failures"]
    assert not energy.refresh(FORTNIGHT)["failures"]
    assert "not requested again" not in energy.output
    assert real(energy, "demand_forecast_national") > 48
