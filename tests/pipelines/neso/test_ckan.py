"""A resource is found wherever it has gone, asked only if it has changed, and what fails says what it is."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipelines.client import UpstreamClient
from pipelines.dataset import Dataset, FetchRequest, FetchResult
from pipelines.neso import resources
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.demand_forecast_2_14d import TWO_TO_14_DAYS_AHEAD
from pipelines.neso.demand_forecast_cardinal import CARDINAL
from pipelines.neso.demand_forecast_day_ahead import DAY_AHEAD
from pipelines.neso.demand_history import DEMAND_HISTORY
from pipelines.neso.demand_update import DEMAND_UPDATE
from pipelines.neso.dfs_utilisation import DFS
from pipelines.neso.eac_results import EAC
from pipelines.neso.n2ex_day_ahead import N2EX
from pipelines.neso.resources import DEMAND_UPDATE as UPDATE_FILE
from pipelines.neso.resources import LOADED, UNKNOWN_ID, Resource
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from tests.pipelines.neso.bodies import UPDATE
from tests.pipelines.neso.portal import Portal
from warehouse.periods import HALF_HOUR, Window, floor, settlement_days

ONE_ATTEMPT = PipelineSettings(http_attempts=1, http_connect_timeout_seconds=1.0)
DAY = settlement_days(datetime(2024, 1, 1).date(), datetime(2024, 1, 1).date())
NOW = Window(floor(datetime.now(UTC)), floor(datetime.now(UTC)) + HALF_HOUR)
NEW_ID = "11111111-2222-3333-4444-555555555555"
ROWS = [{**UPDATE, "SETTLEMENT_PERIOD": period, "ND": 21000 + period} for period in (1, 2, 3)]


def ask(emulator: Emulator, dataset: Dataset, window: Window = DAY, known: object = None) -> FetchResult:
    client = UpstreamClient(emulator.settings["NESO_URL"], settings=ONE_ATTEMPT)
    return dataset.fetch(FetchRequest(client, window, lambda: known))  # type: ignore[arg-type, return-value]


def ask_resource(emulator: Emulator, resource: Resource) -> FetchResult:
    client = UpstreamClient(emulator.settings["NESO_URL"], settings=ONE_ATTEMPT)
    return fetches_datastore(lambda window: resource)(FetchRequest(client, DAY))


def records(answered: FetchResult) -> list[Mapping[str, Any]]:
    (answer,) = answered.responses
    assert answer.failure is None
    return list(json.loads(answer.body)["result"]["records"])


def empty(emulator: Emulator, resource: Resource) -> None:
    emulator.neso.put(resource.id, [], dict.fromkeys(resource.columns, "text"))


@pytest.fixture
def update(emulator: Emulator) -> Emulator:
    """The portal with three rows of Demand Data Update."""
    emulator.neso.put(UPDATE_FILE.id, ROWS, {"SETTLEMENT_DATE": "date", **dict.fromkeys(list(UPDATE)[1:-1], "int4")} | {
        "FORECAST_ACTUAL_INDICATOR": "text"
    })  # fmt: skip
    return emulator


def test_the_rows_are_those_of_the_resource(update: Emulator) -> None:
    answered = ask(update, DEMAND_UPDATE)
    assert records(answered) == ROWS
    assert (answered.note, answered.params["resource_id"]) == (None, UPDATE_FILE.id)
    assert update.neso.calls == {"ckan": 1, "datastore": 1}


def test_a_resource_whose_id_has_gone_is_found_by_its_name_and_said_so(update: Emulator) -> None:
    update.neso.moved(UPDATE_FILE.id, NEW_ID)
    answered = ask(update, DEMAND_UPDATE)
    assert records(answered) == ROWS
    assert answered.params["resource_id"] == NEW_ID
    note = answered.note or ""
    assert note.startswith("WARNING")
    assert all(word in note for word in (UPDATE_FILE.name, UPDATE_FILE.id, NEW_ID))


@pytest.mark.parametrize("resource", LOADED, ids=lambda resource: resource.name)
def test_every_resource_can_be_found_by_its_name(emulator: Emulator, resource: Resource) -> None:
    empty(emulator, resource)
    emulator.neso.moved(resource.id, NEW_ID)
    answered = ask_resource(emulator, resource)
    assert records(answered) == []
    assert answered.params["resource_id"] == NEW_ID


@pytest.mark.parametrize("fault", ["500", "html"])
def test_a_resource_that_nothing_is_said_of_is_looked_for_by_its_name(update: Emulator, fault: str) -> None:
    version = ask(update, DEMAND_UPDATE).params["version"]
    update.fault(fault, match="resource_show")
    answered = ask(update, DEMAND_UPDATE, known="2024-01-01T00:00:00")
    assert records(answered) == ROWS
    assert (answered.params["version"], answered.params["resource_id"]) == (version, UPDATE_FILE.id)


@pytest.mark.parametrize("fault", ["500", "html", "empty_object"])
def test_an_archive_is_not_read_for_today_because_the_portal_tells_no_names(update: Emulator, fault: str) -> None:
    update.neso.rolled(UPDATE_FILE.id, NEW_ID)
    update.fault(fault, match="resource_show")
    answered = ask(update, DEMAND_UPDATE)
    assert answered.params["resource_id"] == NEW_ID
    update.fault("500", match="package_search")
    asked = update.neso.calls["datastore"]
    (answer,) = ask(update, DEMAND_UPDATE).responses
    assert f"the portal's search for {UPDATE_FILE.name!r} failed" in (answer.failure or "")
    assert update.neso.calls["datastore"] == asked


def test_one_that_nothing_is_said_of_and_that_has_gone_is_found_by_its_name(update: Emulator) -> None:
    update.fault("500", match="resource_show")
    update.neso.moved(UPDATE_FILE.id, NEW_ID)
    answered = ask(update, DEMAND_UPDATE)
    assert records(answered) == ROWS
    assert "WARNING" in (answered.note or "")


@pytest.mark.parametrize("name", ["No Such File", "Historic Demand Data", "historic demand data 2025"])
def test_a_resource_that_is_gone_altogether_is_named(emulator: Emulator, name: str) -> None:
    answered = ask_resource(emulator, Resource("historic-demand-data", UNKNOWN_ID, name, ("ND",)))
    (answer,) = answered.responses
    assert repr(name) in (answer.failure or "")
    assert UNKNOWN_ID in (answer.failure or "")
    assert emulator.neso.calls["datastore"] == 0


def test_a_column_that_is_gone_is_named_with_its_resource(update: Emulator) -> None:
    update.neso.drop_column(UPDATE_FILE.id, "ENGLAND_WALES_DEMAND")
    (answer,) = ask(update, DEMAND_UPDATE).responses
    assert (answer.status, "'ENGLAND_WALES_DEMAND'" in (answer.failure or "")) == (409, True)
    assert repr(UPDATE_FILE.name) in (answer.failure or "")


def test_a_column_of_the_condition_that_is_gone_is_named_too(emulator: Emulator) -> None:
    emulator.neso.put(resources.N2EX.id, [], {"Delivery Period": "text", "Price": "numeric"})
    (answer,) = ask(emulator, N2EX).responses
    assert "'N2EX GB Day-Ahead Price' has no column 'Date'" in (answer.failure or "")


@pytest.mark.parametrize(
    ("dataset", "resource"),
    [
        (DEMAND_UPDATE, resources.DEMAND_UPDATE),
        (TWO_TO_14_DAYS_AHEAD, resources.TWO_TO_14_DAYS_AHEAD),
        (DAY_AHEAD, resources.DAY_AHEAD),
        (CARDINAL, resources.DAY_AHEAD_CARDINAL_ARCHIVE),
    ],
    ids=lambda value: value.name,
)
def test_what_is_known_to_be_the_newest_is_not_asked_for(
    emulator: Emulator, dataset: Dataset, resource: Resource
) -> None:
    empty(emulator, resource)
    version = ask(emulator, dataset).params["version"]
    assert version
    answered = ask(emulator, dataset, known=version)
    assert (list(answered.responses), str(version) in (answered.unchanged or "")) == ([], True)
    assert emulator.neso.calls["datastore"] == 1
    assert ask(emulator, dataset, known="2001-01-01T00:00:00").unchanged is None


@pytest.mark.parametrize(
    ("dataset", "resource"),
    [
        (N2EX, resources.N2EX),
        (EAC, resources.EAC_CURRENT),
        (DFS, resources.DFS_UTILISATION),
    ],
    ids=lambda value: value.name,
)
def test_tables_that_do_not_tell_their_changes_are_always_asked(
    emulator: Emulator, dataset: Dataset, resource: Resource
) -> None:
    empty(emulator, resource)
    version = ask(emulator, dataset, NOW).params["version"]
    assert version
    answered = ask(emulator, dataset, NOW, known=version)
    assert (answered.unchanged, len(answered.responses)) == (None, 1)
    assert emulator.neso.calls["datastore"] == 2


def test_a_portal_that_cannot_be_reached_is_asked_once() -> None:
    client = UpstreamClient("http://127.0.0.1:9", settings=ONE_ATTEMPT)
    (answer,) = DEMAND_UPDATE.fetch(FetchRequest(client, DAY)).responses
    assert "resource_show" in answer.url
    assert "connection refused" in (answer.failure or "")


def rolled(dataset: Dataset, names: dict[str, str]) -> tuple[FetchResult, list[str]]:
    """What a dataset is answered by a portal whose resources have these names, and what the datastore was asked."""
    with Portal(names=names) as portal:
        client = portal.client()
        return dataset.fetch(FetchRequest(client, DAY)), portal.statements


def test_a_resource_whose_id_is_now_the_archive_is_read_under_the_id_that_has_its_name() -> None:
    """The portal rolls a file: the old id still answers, with the archive, and a new id has the data and the old name."""
    own = resources.N2EX
    names = {own.id: "N2EX GB Day-Ahead Price (Archive)", "new-id": own.name}
    answered, statements = rolled(N2EX, names)
    assert all('"new-id"' in statement for statement in statements)
    assert answered.note and "it was found by its name as new-id" in answered.note
    assert answered.params["resource_id"] == "new-id"


def test_a_resource_that_only_got_another_name_is_read_with_a_warning() -> None:
    answered, statements = rolled(N2EX, {resources.N2EX.id: "Prices"})
    assert all(resources.N2EX.id in statement for statement in statements)
    assert answered.note and answered.note.startswith("WARNING")


def test_a_resource_with_its_name_is_read_without_a_remark() -> None:
    answered, _ = rolled(N2EX, {resources.N2EX.id: f"{resources.N2EX.name} ", "other": resources.N2EX.name})
    assert answered.note is None


def test_a_year_whose_file_may_not_exist_yet_is_no_fault_before_march() -> None:
    window = settlement_days(date(2027, 1, 1), date(2027, 1, 9))
    with Portal() as portal:
        portal.gone.add(UNKNOWN_ID)
        before, after = (
            DEMAND_HISTORY.fetch(FetchRequest(portal.client(), window, now=datetime(2027, month, 1, tzinfo=UTC)))
            for month in (2, 3)
        )
    assert before.unchanged == "not requested: 'Historic Demand Data 2027' has not been published yet"
    assert not before.responses
    assert after.unchanged is None and "is gone" in (after.responses[0].failure or "")


def test_the_rows_of_an_archive_that_does_not_exist_yet_are_read_in_the_current_file() -> None:
    archive = resources.eac_results(2026, 2027)  # in April 2027
    current = resources.EAC_CURRENT
    with Portal(names={current.id: current.name}) as portal:
        portal.gone.add(archive.id)
        answered = fetches_datastore(lambda window: archive)(FetchRequest(portal.client(), DAY))
        assert [answer.failure for answer in answered.responses] == [None]
        assert all(current.id in statement for statement in portal.statements)
    assert resources.eac_results(2025, 2027).kept_in is None, "older ones are there"
