"""Clocks that were wrong: reported and put right, and nothing waits for the time to pass."""

import logging
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from flows import clocks
from flows.watch import watch
from pipelines.rate_limit import turn
from pipelines.settings import Rate
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.database import Database
from warehouse.errors import LockTimeoutError, UsageError

NATIONAL = "carbon_intensity__national"


def ahead(energy: Energy, hours: int) -> None:
    """As if everything had been fetched under a clock that was ahead."""
    energy.query("update ops.quality_results set checked_at = checked_at + make_interval(hours => %s)", hours)
    for table, column in energy.query(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "join information_schema.tables using (table_schema, table_name) where table_type = 'BASE TABLE' "
        "and column_name in ('fetched_at', 'known_at', 'updated_at') "
        "and table_schema in ('staging', 'intermediate', 'public', 'ops')"
    ):
        energy.query(f"update {table} set {column} = {column} + make_interval(hours => %s)", hours)


@pytest.mark.slow
def test_newer_values_replace_those_of_a_clock_that_was_ahead_at_once(energy: Energy, emulator: Emulator) -> None:
    stands_still = datetime.now(UTC)
    emulator.now = lambda: stands_still  # type: ignore[method-assign]
    kept = "select period_start, forecast_gco2_kwh, actual_gco2_kwh from carbon_intensity_national order by 1"
    energy.refresh("carbon_intensity")
    revised = energy.query(kept)
    emulator.fault("revised", "/carbon_intensity/intensity/")
    energy.refresh("carbon_intensity")
    original, revised = revised, energy.query(kept)
    assert original != revised
    ahead(energy, 3)
    energy.query(
        f"update staging.{NATIONAL}_payloads set request_params = request_params || jsonb_build_object('seen_at', fetched_at)"
    )
    found = [trouble for trouble in watch(energy.database, datetime.now(UTC)) if trouble.kind == "clock"]
    assert len(found) == 1 and "which has not been" in found[0].line, "the watch is not silent"

    emulator.reset()
    emulator.now = lambda: stands_still + timedelta(minutes=30)  # type: ignore[method-assign]
    assert energy.refresh("carbon_intensity")["failures"] == []
    assert "a clock was ahead" in energy.output
    came_later = {row[0]: row for row in energy.query(kept)}
    assert [came_later[row[0]] for row in original] != revised, "what came later counts"
    assert clocks.heal(energy.database) is None
    for table in (
        "carbon_intensity_national",
        "carbon_intensity_vintages",
        f"staging.{NATIONAL}_payloads",
        "ops.fetches",
    ):
        assert energy.value(f"select count(*) from {table} where fetched_at > now()") == 0, table
    assert energy.value("select count(*) from carbon_intensity_vintages where known_at > now()") == 0
    seen = "(request_params ->> 'seen_at')::timestamptz"
    assert energy.value(f"select count(*) from staging.{NATIONAL}_payloads where {seen} > now()") == 0
    order = f"select count(distinct fetched_at), count(*) from staging.{NATIONAL}_payloads where origin = 'live'"
    assert energy.query(order) == [(3, 3)], "in the order in which they came"
    assert not [trouble for trouble in watch(energy.database, datetime.now(UTC)) if trouble.kind == "clock"]


@pytest.mark.slow
def test_a_value_that_was_replaced_under_a_fast_clock_stays_replaced(energy: Energy, emulator: Emulator) -> None:
    from flows.transform import transform

    stands_still = datetime.now(UTC)
    emulator.now = lambda: stands_still  # type: ignore[method-assign]
    energy.refresh(NATIONAL)
    emulator.fault("revised", "/carbon_intensity/intensity/")
    energy.refresh(NATIONAL)
    kept = (
        "select period_start, forecast_gco2_kwh, actual_gco2_kwh, payload_id from carbon_intensity_national order by 1"
    )
    revised = energy.query(kept)
    ahead(energy, 5)
    assert clocks.heal(energy.database)
    energy.query("drop schema public cascade")
    assert transform.fn()["failures"] == []
    assert energy.query(kept) == revised


@pytest.mark.parametrize(("off", "words"), [(1, "ahead of"), (-1, "behind")])
def test_a_run_does_not_begin_while_the_clocks_disagree(database: Database, off: int, words: str) -> None:
    clocks.agree(database)
    clocks.agree(database, datetime.now(UTC) + off * clocks.TOLERATED / 2)
    with pytest.raises(UsageError, match=f"60 minutes {words} the database's"):
        clocks.agree(database, datetime.now(UTC) + off * timedelta(hours=1))


def test_requests_of_the_future_hold_up_nobody_for_longer_than_an_interval(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    rate = Rate(5, 1)
    with turn(database, "elexon", rate) as take:
        take()
    with database.connect() as connection:
        connection.execute(
            "insert into ops.ratelimit___elexon select 'request', 1, localtimestamp + interval '1 hour' "
            "from generate_series(1, 1000)"
        )
    with caplog.at_level(logging.WARNING), turn(database, "elexon", rate) as take:
        begun = monotonic()
        take()
        assert monotonic() - begun < 60, "an hour would be too long"
    assert "the database's clock was set back" in caplog.text


def test_a_wait_for_a_turn_is_bounded_and_said(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LOCK_WAIT_SECONDS", "2")
    with caplog.at_level(logging.WARNING), turn(database, "elexon", Rate(1, 600)) as take:
        take()
        with pytest.raises(LockTimeoutError, match="every turn to ask elexon"):
            take()
    assert "waiting up to 2 s" in caplog.text
