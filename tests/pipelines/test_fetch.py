"""What becomes of a window of a dataset: what an upstream refuses, answers for the future, or answers while it loads a file."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.admission import LARGEST_EXPONENT, LONGEST_NUMBER, admitted, require_storable
from pipelines.carbon_intensity import DATASETS
from pipelines.carbon_intensity.generation import GENERATION
from pipelines.carbon_intensity.generation import synthesize as synthesize_generation
from pipelines.catalogue import select
from pipelines.client import UpstreamClient
from pipelines.dataset import BodyRejected, Dataset, FetchRequest
from pipelines.fetch import Fetched, fetch
from pipelines.neso import resources
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.periods import HALF_HOUR, Window, floor

NOW = datetime.now(UTC)
LAST_OF_2023 = datetime(2023, 12, 31, 23, 30, tzinfo=UTC)
every_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)


def fetched(emulator: Emulator, dataset: Dataset, window: Window) -> Fetched:
    settings = PipelineSettings(http_attempts=1, carbon_intensity_url=emulator.settings["CARBON_INTENSITY_URL"])  # type: ignore[arg-type]
    client = UpstreamClient(settings.upstreams[dataset.source].url, settings=settings)
    return fetch(FetchRequest(client, window), dataset, now=NOW, fill_gaps=True)


@every_dataset
@pytest.mark.parametrize("start", [LAST_OF_2023, LAST_OF_2023 + HALF_HOUR, datetime(2024, 5, 1, 12, 30, tzinfo=UTC)])
def test_a_lone_half_hour_is_given(emulator: Emulator, dataset: Dataset, start: datetime) -> None:
    got = fetched(emulator, dataset, Window(start, start + HALF_HOUR))
    assert (got.fetch.outcome, got.fetch.detail) == ("landed", None)
    assert [payload.origin for payload in got.payloads] == ["live"], "nothing synthetic stands in"


@every_dataset
def test_no_window_is_refused_for_its_length_or_its_order(emulator: Emulator, dataset: Dataset) -> None:
    asked = Window(LAST_OF_2023 - timedelta(days=20), LAST_OF_2023 + timedelta(days=20))
    for hole in (None, LAST_OF_2023, asked.start + HALF_HOUR):
        half_hours = [h for h in asked.half_hours() if h != hole]
        for window in dataset.pieces.cover(half_hours):
            got = fetched(emulator, dataset, window)
            assert (got.fetch.outcome, got.fetch.half_hours_synthetic) == ("landed", 0), str(window)


def test_a_window_that_has_not_begun_has_no_data_yet(emulator: Emulator) -> None:
    start = floor(NOW) + timedelta(hours=3)
    got = fetched(emulator, GENERATION, Window(start, start + timedelta(days=2)))
    assert (got.fetch.outcome, got.fetch.half_hours_synthetic) == ("landed", 0)
    assert got.payloads == got.rejected == ()
    assert got.fetch.detail and got.fetch.detail.startswith("no data yet: the newest half-hour is ")


def test_half_hours_before_a_window_that_has_begun_are_refused() -> None:
    past = Window(floor(NOW) - timedelta(days=3), floor(NOW) - timedelta(days=2))
    body = {"data": synthesize_generation([past.start - timedelta(days=1)], NOW)["data"]}  # type: ignore[index, call-overload]
    with pytest.raises(BodyRejected, match="before what was requested"):
        admitted(GENERATION, past, json.dumps(body).encode())


@pytest.mark.parametrize("name", ["demand_forecast", "demand_forecast_zonal"])
def test_an_upstream_that_ignores_the_range_gives_what_it_has_and_leaves_no_hole(emulator: Emulator, name: str) -> None:
    (dataset,) = select([f"elexon__{name}"])
    past = Window(floor(NOW) - timedelta(days=2), floor(NOW) - timedelta(days=1))
    client = UpstreamClient(emulator.settings["ELEXON_URL"], settings=PipelineSettings(http_attempts=1))
    emulator.elexon.latest_ignores_its_range = True
    got = fetch(FetchRequest(client, past), dataset, now=NOW, fill_gaps=True)
    assert got.fetch.outcome == "landed" and [payload.origin for payload in got.payloads] == ["live"]
    assert min(dataset.validate(got.payloads[0].body).named) > past.end, (
        "what is coming, and not the half-hour in progress"
    )
    assert got.fetch.detail == "the upstream answered with its newest half-hours, not with those requested"


UPDATE = "neso__demand_update"
ASKED = f"%22{resources.DEMAND_UPDATE.id}%22"


def asked_for(emulator: Emulator) -> int:
    return sum(ASKED in path for _, path in emulator.requests)


@pytest.mark.slow
def test_an_empty_answer_during_a_reload_is_not_remembered(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("empty", ASKED, times=1)
    energy.refresh(UPDATE)
    assert energy.value("select count(*) from demand_actual_national where not is_synthetic and source = 'neso'") == 0
    energy.refresh(UPDATE)
    assert energy.value("select count(*) from demand_actual_national where not is_synthetic and source = 'neso'") > 48
    assert asked_for(emulator) == 2
    energy.refresh(UPDATE)
    assert asked_for(emulator) == 2, "a whole answer is remembered"
    assert "not requested again: unchanged upstream" in energy.output


@pytest.mark.parametrize("fault", ["empty", None])
def test_an_empty_answer_is_never_remembered_however_long_it_stays_so(emulator: Emulator, fault: str | None) -> None:
    (auctions,) = select(["neso__eac_results"])  # events: an answer without rows is no failure
    if fault:
        emulator.fault(fault, "/neso/api/3/action/datastore_search_sql")
    client = UpstreamClient(emulator.settings["NESO_URL"], settings=PipelineSettings(http_attempts=1))
    window = Window(floor(NOW) - timedelta(days=3), floor(NOW))
    request = FetchRequest(client, window, now=NOW, doubted_since=lambda: NOW - timedelta(days=3))
    (payload,) = fetch(request, auctions, now=NOW, fill_gaps=True).payloads
    assert (payload.request_params["version"] is None) == bool(fault)


@pytest.mark.slow
def test_a_short_answer_during_a_reload_is_not_remembered_and_nothing_stands_in_for_its_rows(
    energy: Energy, emulator: Emulator
) -> None:
    energy.refresh(UPDATE)
    emulator.neso.drop_column(resources.DEMAND_UPDATE.id, "NON_BM_STOR")  # not read: but the file is a newer one
    emulator.fault("short_horizon", ASKED, times=1)
    energy.refresh(UPDATE)
    assert "taken for a file that is being loaded; requested again next time" in energy.output
    assert energy.value("select count(*) from demand_actual_national where is_synthetic") == 0
    assert asked_for(emulator) == 2
    energy.refresh(UPDATE)  # the body of the first run under a newer version: nothing new, and remembered
    assert asked_for(emulator) == 3
    energy.refresh(UPDATE)
    assert asked_for(emulator) == 3, "an identical body under a newer version updates the version"


@given(st.floats(0.1, 9.9), st.integers(-2000, 2000), st.sampled_from(["e", "E", "e+", "E+00"]), st.integers(0, 1500))
def test_a_number_that_no_numeric_holds_is_never_admitted(
    mantissa: float, exponent: int, letter: str, digits: int
) -> None:
    """Whatever its spelling; one that fits is not refused."""
    sign = letter if exponent >= 0 else letter[0] + "-"
    for text, fits in (
        (f"{mantissa}{sign}{abs(exponent)}", abs(exponent) <= LARGEST_EXPONENT),
        ("1" + "0" * digits, digits < LONGEST_NUMBER),
        ("0." + "1" * digits + "1", digits + 3 <= LONGEST_NUMBER),
    ):
        body = ('{"data": [{"text": "e555", "value": ' + text + "}]}").encode()
        with nullcontext() if fits else pytest.raises(BodyRejected, match="can be stored"):
            require_storable(body)
