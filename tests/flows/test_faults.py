"""Each fault of the emulator for each dataset: reported in a line, nothing wrong in a clean table, the others published."""

from datetime import UTC, datetime

import pytest

from flows.watch import Trouble, watch
from pipelines.catalogue import DATASETS
from pipelines.neso import resources
from tests.emulator import Emulator
from tests.emulator.neso.tables import RESOURCES
from tests.energy import Energy, contents
from warehouse.periods import LONDON

# dataset -> what only its requests contain
REQUESTS = {
    "carbon_intensity__national": "/carbon_intensity/intensity/",
    "carbon_intensity__regional": "/carbon_intensity/regional/",
    "carbon_intensity__generation": "/carbon_intensity/generation/",
    "neso__demand_update": f"%22{resources.DEMAND_UPDATE.id}%22",
    "neso__demand_forecast_2_14d": f"%22{resources.TWO_TO_14_DAYS_AHEAD.id}%22",
    "neso__demand_forecast_cardinal": f"%22{resources.DAY_AHEAD_CARDINAL.id}%22",
    "neso__n2ex_day_ahead": f"%22{resources.N2EX.id}%22",
    "neso__eac_results": f"%22{resources.EAC_CURRENT.id}%22",
    "neso__dfs_utilisation": f"%22{resources.DFS_UTILISATION.id}%22",
    "elexon__market_index": "/market-index",
    "elexon__system_prices": "/system-prices/",
    "elexon__demand_outturn": "/demand/outturn",
    "elexon__demand_forecast": "/day-ahead/latest",
    "elexon__demand_forecast_zonal": "boundary=zonal",
    "beckn__catalogue": "/api/discover",
}
FAULTS = {
    "429": "HTTP 429",
    "500": "HTTP 500",
    "timeout": "no answer within the time-out",
    "drop": "dropped",
    "html": "is HTML",
    "truncated": "cut short",
    "missing_key": "missing required field",
    "changed_type": "Expected `",
    "empty_object": "empty object",
    "error_200": "error object",
    "nul": "NUL character",
}
BODILESS = ("timeout", "drop")
PROVENANCE = ("payload_id", "fetched_at", "updated_at")
AS_TIME_GOES_BY = 40
"""Rows that a second refresh adds because a half-hour may have begun meanwhile: one, of each region."""
ASKED_OF_NESO = [
    one.id
    for one in (
        resources.DEMAND_UPDATE, resources.TWO_TO_14_DAYS_AHEAD, resources.DAY_AHEAD_CARDINAL, resources.N2EX,
        resources.EAC_CURRENT, resources.DFS_UTILISATION,
    )
]  # fmt: skip

CARDINAL, SYSTEM_PRICES = "neso__demand_forecast_cardinal", "elexon__system_prices"
# both forecasts of Elexon share a path: what strikes one strikes both
TOGETHER = ("elexon__demand_forecast", "elexon__demand_forecast_zonal")
STRUCK = [dataset for dataset in REQUESTS if dataset != TOGETHER[1]]
NO_FAULT = 2
ROUNDS = len(FAULTS) + NO_FAULT
"""In each round the kinds move on by one dataset: each dataset is struck by each kind once, and is left alone twice."""


def test_every_dataset_that_a_refresh_asks_for_is_struck_by_every_kind() -> None:
    assert set(DATASETS) - set(REQUESTS) == {"neso__demand_history", "neso__demand_forecast_day_ahead"}
    struck = [(dataset, kind) for number in range(ROUNDS) for dataset, kind in kinds_of(number).items() if kind]
    assert sorted(struck) == sorted((dataset, kind) for dataset in REQUESTS for kind in FAULTS)


def kinds_of(number: int) -> dict[str, str | None]:
    """What strikes each dataset in this round."""
    kinds = [*FAULTS, *[None] * NO_FAULT]
    found = {dataset: kinds[(place + number) % ROUNDS] for place, dataset in enumerate(STRUCK)}
    return found | {TOGETHER[1]: found[TOGETHER[0]]}


def reported_now() -> list[str]:
    """The datasets that a refresh finds rows of. Until morning the file of tomorrow's cardinal points is still today's, and for
    an hour a day may have no system price yet: a fault of rows strikes nothing in the answer for it.
    """
    today = datetime.now(LONDON)
    _, current = RESOURCES[resources.DAY_AHEAD_CARDINAL.id]
    is_out = current.published(today.astimezone(UTC)).astimezone(LONDON).date() == today.date()
    not_yet = {dataset for dataset, has_come in ((CARDINAL, is_out), (SYSTEM_PRICES, today.hour >= 1)) if not has_come}
    return [dataset for dataset in REQUESTS if dataset not in not_yet]


def day_has_just_begun() -> bool:
    """Whether this is the first half-hour of a settlement day."""
    now = datetime.now(LONDON)
    return (now.hour, now.minute // 30) == (0, 0)


def published_live(energy: Energy, dataset: str) -> int:
    """Rows of clean tables that were read from a live payload of the dataset."""
    live = f"(select payload_id from staging.{dataset}_payloads where origin = 'live')"
    tables = list(DATASETS[dataset].clean_tables)
    if dataset == "neso__demand_forecast_cardinal":
        tables = ["intermediate.int_demand_forecasts"]  # half-hourly forecasts win in the clean table
    return sum(energy.value(f"select count(*) from {table} where payload_id in {live}") for table in tables)


def seen_by_the_watch(energy: Energy) -> dict[str, list[Trouble]]:
    """What `make watch` would say now, by dataset."""
    found: dict[str, list[Trouble]] = {}
    for trouble in watch(energy.database, datetime.now(UTC)):
        found.setdefault(trouble.line.partition(":")[0], []).append(trouble)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", range(ROUNDS))
def test_each_fault_strikes_its_dataset_alone_and_is_said(energy: Energy, emulator: Emulator, number: int) -> None:
    reported = reported_now()
    kinds = {dataset: kind for dataset, kind in kinds_of(number).items() if dataset in reported}
    for dataset, kind in kinds.items():
        if kind and dataset != TOGETHER[1]:
            emulator.fault(kind, REQUESTS[dataset], seconds=6.0)
    emulator.neso.fill(*ASKED_OF_NESO)  # within the time-out nothing but the fault takes time
    energy.set(HTTP_READ_TIMEOUT_SECONDS="3", BECKN_READ_TIMEOUT_SECONDS="3", HTTP_ATTEMPTS="1")
    outcome = energy.refresh(*reported)
    assert not outcome["failures"]
    lines = energy.output.splitlines()
    for dataset, kind in kinds.items():
        assert (published_live(energy, dataset) == 0) == (kind is not None), (dataset, kind)
        if kind:
            (line, *_) = [line for line in lines if REQUESTS[dataset] in line]
            # a NUL in a text with a pattern is refused for the pattern; Beckn's error objects are refusals
            other = {"nul": "Expected `str` matching regex", "error_200": "refusal (NACK)"}.get(kind, FAULTS[kind])
            assert FAULTS[kind] in line or other in line
            assert "synthetic" in line or "left as they are" in line
            assert "HTTP 200" in line or kind in ("429", "500", *BODILESS)
    outcomes = dict(energy.query("select distinct dataset, outcome from ops.fetches"))
    assert outcomes == {
        dataset: "landed" if kind is None else "failed" if kind in BODILESS else "rejected"
        for dataset, kind in kinds.items()
    }
    rejected = energy.query("select dataset, min(length(body)) from staging.rejected_payloads group by dataset")
    assert sorted(row[0] for row in rejected) == sorted(d for d, kind in kinds.items() if kind and kind not in BODILESS)
    assert all(length > 0 for _, length in rejected)
    seen = seen_by_the_watch(energy)
    assert {dataset for dataset in reported if dataset in seen} == {dataset for dataset, kind in kinds.items() if kind}
    for dataset, kind in kinds.items():
        if kind:
            (trouble,) = seen[dataset]
            assert (trouble.kind, trouble.subject) == ("upstream", DATASETS[dataset].source), trouble
            assert "its last response is never" in trouble.line, trouble


AS_IF_COMPLETE = {"empty": "none of the rows", "short_horizon": "some of the rows", "doubled": "each row twice"}
"""Answers of the documented shape that an upstream gives while it loads a file anew."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", AS_IF_COMPLETE)
def test_an_answer_during_a_reload_takes_nothing_away_and_adds_nothing(
    energy: Energy, emulator: Emulator, kind: str
) -> None:
    reported = [dataset for dataset in reported_now() if not dataset.startswith("beckn")]
    standing = datetime.now(UTC)
    emulator.now = lambda: standing  # no forecast is revised meanwhile
    energy.refresh(*reported)
    before = {dataset: published_live(energy, dataset) for dataset in reported}
    # at the end of a shorter answer nobody knows whether a value stands apart
    aside = PROVENANCE if kind == "doubled" else (*PROVENANCE, "is_isolated")
    real = contents(energy, without=aside)
    emulator.fault(kind)
    # every file is requested again
    for dataset in reported:
        energy.query(
            f"update staging.{dataset}_payloads set request_params = request_params || jsonb_build_object('version', "
            "'2000-01-01T00:00:00') where request_params ->> 'version' is not null"
        )
    outcome = energy.refresh(*reported)
    assert not outcome["failures"]
    now = contents(energy, without=aside)
    for table, rows in real.items():
        gone = set(rows) - set(now[table])
        became = [row for row in now[table] if row[0] in {was[0] for was in gone}]
        assert not gone, (
            table,
            "a real row is gone or has changed",
            sorted(map(str, gone))[:2],
            sorted(map(str, became))[:2],
        )
        if kind != "empty":  # a failed request, for which synthetic values may stand in where nothing was
            assert len(now[table]) - len(rows) <= AS_TIME_GOES_BY, table
    assert all(before.values())
    assert all(published_live(energy, dataset) - before[dataset] <= AS_TIME_GOES_BY for dataset in reported)


@pytest.mark.slow
def test_the_watch_tells_what_has_only_empty_answers(energy: Energy, emulator: Emulator) -> None:
    reported = [dataset for dataset in reported_now() if not dataset.startswith("beckn")]
    emulator.fault("empty")
    energy.refresh(*reported)
    seen = seen_by_the_watch(energy)
    has_half_hours = [dataset for dataset in reported if not DATASETS[dataset].is_sparse]
    if day_has_just_begun():
        has_half_hours.remove("elexon__demand_forecast")
    assert sorted(dataset for dataset in reported if dataset in seen) == sorted(has_half_hours)
    for dataset in has_half_hours:
        (trouble,) = seen[dataset]
        assert (trouble.kind, trouble.subject) == ("upstream", DATASETS[dataset].source)
        assert "but its last response is never" in trouble.line


@pytest.mark.slow
def test_the_watch_tells_what_has_answers_that_end_too_soon(energy: Energy, emulator: Emulator) -> None:
    """Eight and a half hours of measurements are missing; of forecasts for two days nothing that is due."""
    late = ["elexon__demand_outturn", "elexon__market_index", "elexon__system_prices"]
    reported = [*late, "carbon_intensity__national", "elexon__demand_forecast"]
    emulator.fault("short_horizon")
    energy.refresh(*reported)
    seen = seen_by_the_watch(energy)
    assert [dataset for dataset in sorted(reported) if dataset in seen] == late
    for dataset in late:
        (trouble,) = seen[dataset]
        if dataset == "elexon__system_prices":  # a request for each day: of the first hours of a day nothing is left
            assert (trouble.kind, trouble.subject) in [("behind", dataset), ("upstream", "elexon")]
        else:
            assert (trouble.kind, trouble.subject) == ("behind", dataset)
            assert "the newest real half-hour with " in trouble.line


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["carbon_intensity__national", "elexon__demand_forecast"])
def test_the_watch_tells_what_gives_nothing_any_more(energy: Energy, emulator: Emulator, dataset: str) -> None:
    """Its forecasts still reach into the future for two days."""
    energy.refresh(dataset)
    energy.query(
        "update ops.fetches set fetched_at = fetched_at - interval '12 hours', window_end = window_end - interval '12 hours', "
        "window_start = window_start - interval '1 day'"
    )
    energy.query(f"update staging.{dataset}_payloads set window_start = window_start - interval '1 minute'")
    assert dataset not in seen_by_the_watch(energy) or seen_by_the_watch(energy)[dataset][0].kind == "stopped"
    if dataset == "elexon__demand_forecast" and day_has_just_begun():
        pytest.skip("its window has just begun: an answer without rows is no fault yet")
    emulator.fault("empty")
    for _ in range(2):  # the second answer has landed already
        energy.refresh(dataset)
        (trouble,) = seen_by_the_watch(energy)[dataset]
        assert trouble.kind == "upstream" and "but its last response is 12 hours ago" in trouble.line


@pytest.mark.parametrize("dataset", ["carbon_intensity__regional", "neso__n2ex_day_ahead", "elexon__market_index"])
def test_a_passing_fault_is_waited_out(energy: Energy, emulator: Emulator, dataset: str) -> None:
    emulator.fault("429", REQUESTS[dataset], times=1, retry_after="1")
    energy.refresh(dataset)
    assert "Every value is real" in energy.output
    assert energy.value("select attempts from ops.fetches where dataset = %s", dataset) == 2


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_impossible_values_are_held_back_and_the_rest_is_published(
    energy: Energy, emulator: Emulator, half: int
) -> None:
    reported = reported_now()
    struck = [dataset for dataset in STRUCK[half::2] if dataset != "neso__demand_update" and dataset in reported]
    for dataset in struck:
        emulator.fault("absurd", REQUESTS[dataset])
    if TOGETHER[0] in struck:
        struck.append(TOGETHER[1])
    outcome = energy.refresh(*reported)
    assert outcome["failures"], "a table could not be published: exit code 1"
    seen = seen_by_the_watch(energy)
    for dataset in reported:
        assert (published_live(energy, dataset) == 0) == (dataset in struck), dataset
        if dataset in struck:
            reason = "not met: at least 90 % of the rows are possible"
            assert f"FAILED: {dataset} is held back: {reason}" in energy.output
            verdicts = energy.query("select distinct verdict from ops.payload_verdicts where dataset = %s", dataset)
            assert any(trouble.kind == "held" for trouble in seen[dataset]), "the watch tells what is held back"
            assert ("held",) in verdicts  # a day that has just begun has no rows yet: nothing in it is impossible
    emulator.reset()
    energy.refresh()
    assert "Every value is real" in energy.output, "the next good payload is published"


@pytest.mark.slow
def test_a_column_that_has_gone_stops_its_dataset_alone(energy: Energy, emulator: Emulator) -> None:
    emulator.neso.drop_column(resources.DEMAND_UPDATE.id, "EMBEDDED_WIND_GENERATION")
    outcome = energy.refresh()
    assert not outcome["failures"]
    assert "'Demand Data Update' has no column 'EMBEDDED_WIND_GENERATION' any more" in energy.output
    assert published_live(energy, "neso__demand_update") == 0
    assert published_live(energy, "neso__n2ex_day_ahead") > 0
    assert set(seen_by_the_watch(energy)) == {"neso__demand_update"}


def test_a_resource_that_moved_is_found_by_its_name_and_said_so(energy: Energy, emulator: Emulator) -> None:
    emulator.neso.moved(resources.N2EX.id, "11111111-2222-3333-4444-555555555555")
    energy.refresh("neso__n2ex_day_ahead")
    assert "WARNING: NESO's resource 'N2EX GB Day-Ahead Price' is no longer" in energy.output
    assert published_live(energy, "neso__n2ex_day_ahead") > 0
    assert "neso__n2ex_day_ahead" not in seen_by_the_watch(energy), "what was found is no incident"


def test_a_resource_that_was_rolled_is_read_where_its_name_is_now(energy: Energy, emulator: Emulator) -> None:
    new_id = "11111111-2222-3333-4444-555555555555"
    emulator.neso.rolled(resources.N2EX.id, new_id)
    energy.refresh("neso__n2ex_day_ahead")
    assert f"it was found by its name as {new_id}" in energy.output
    assert energy.query(
        "select distinct request_params ->> 'resource_id' from staging.neso__n2ex_day_ahead_payloads"
    ) == [(new_id,)]
    assert published_live(energy, "neso__n2ex_day_ahead") > 0
    assert "neso__n2ex_day_ahead" not in seen_by_the_watch(energy)


@pytest.mark.parametrize("moved", [True, False], ids=["rolled", "gone"])
def test_a_search_that_fails_is_a_failed_request_and_no_answer(energy: Energy, emulator: Emulator, moved: bool) -> None:
    """Neither the archive's rows nor "has not been published yet"."""
    new_id = "11111111-2222-3333-4444-555555555555"
    (emulator.neso.rolled if moved else emulator.neso.moved)(resources.N2EX.id, new_id)
    emulator.fault("500", "package_search")
    energy.set(HTTP_ATTEMPTS="1")
    energy.refresh("neso__n2ex_day_ahead")
    outcome, detail = energy.query("select outcome, detail from ops.fetches")[0]
    assert outcome == "rejected", "the body of its error is kept"
    assert detail.startswith("the portal's search for 'N2EX GB Day-Ahead Price' failed")
    assert published_live(energy, "neso__n2ex_day_ahead") == 0
    (trouble,) = seen_by_the_watch(energy)["neso__n2ex_day_ahead"]
    assert (trouble.kind, trouble.subject) == ("upstream", "neso")
    assert "but its last response is never" in trouble.line


BACKFILLED = {
    "neso__demand_history": resources.DEMAND_HISTORY[2022].id,
    "neso__demand_forecast_day_ahead": resources.DAY_AHEAD.id,
}


@pytest.mark.slow
@pytest.mark.parametrize("dataset", BACKFILLED)
def test_a_fault_strikes_what_only_a_backfill_asks_for(energy: Energy, emulator: Emulator, dataset: str) -> None:
    emulator.neso.fill(BACKFILLED[dataset])  # within the time-out nothing but the fault takes time
    # and no second source stands in
    energy.set(HTTP_READ_TIMEOUT_SECONDS="4", HTTP_ATTEMPTS="1", ELEXON_URL="http://127.0.0.1:9")
    for kind, words in FAULTS.items():
        emulator.reset()
        emulator.fault(kind, f"%22{BACKFILLED[dataset]}%22", seconds=8.0)
        energy.query("truncate staging.rejected_payloads")
        outcome = energy.backfill("2022-05-01", "2022-05-02", dataset, force=True)
        assert not outcome["failures"]
        # a NUL in a date is refused for the date
        assert words in energy.output or (kind == "nul" and "a date cannot be read" in energy.output), kind
        assert published_live(energy, dataset) == 0, kind
        rejected = energy.value("select count(*) from staging.rejected_payloads")
        # of a connection that was dropped, what had come of the body is kept
        assert rejected in {"timeout": (0,), "drop": (0, 1)}.get(kind, (1,)), kind
    emulator.reset()
    energy.backfill("2022-05-01", "2022-05-02", dataset)
    assert published_live(energy, dataset) > 0
