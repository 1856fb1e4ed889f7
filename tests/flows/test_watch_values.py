"""`watch`: values that stop, upstreams that are frozen, and what is said of payloads that are held."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.dataset_facts import dataset_facts
from flows.plan import refresh_windows
from flows.session import session
from flows.steps import land, publish
from flows.watch import Trouble, watch
from pipelines.catalogue import DATASETS, select
from pipelines.collect import Request
from tests.emulator import Emulator
from tests.energy import Energy

DAY = timedelta(days=1)
FROZEN = [slug for slug, facts in dataset_facts().items() if facts.changes_within and DATASETS[slug].source == "elexon"]
FROZEN += ["neso__demand_forecast_2_14d", "neso__eac_results"]
VALUED = ["elexon__market_index", "elexon__system_prices", "neso__n2ex_day_ahead"]


def troubles(energy: Energy, now: datetime, *slugs: str) -> dict[str, Trouble]:
    """The line of each of these datasets; of none there are two."""
    found = [trouble for trouble in watch(energy.database, now) if trouble.line.partition(":")[0] in slugs]
    lines = {trouble.line.partition(":")[0]: trouble for trouble in found}
    assert len(lines) == len(found)
    return lines


def refresh_at(energy: Energy, now: datetime, *slugs: str) -> None:
    """A refresh at an instant that has been, with what arrived then."""
    with session("refresh", {}, now=now) as this:
        land(this, [Request(dataset, window) for dataset in select(slugs) for window in refresh_windows(dataset, now)])
        publish(this)
    for table in ("ops.fetches", *(f"staging.{slug}_payloads" for slug in slugs)):
        energy.query(f"update {table} set fetched_at = %s where fetched_at > now() - interval '1 hour'", now)


@pytest.mark.slow
def test_a_frozen_upstream_is_said_although_its_window_moves_each_day(energy: Energy, emulator: Emulator) -> None:
    standing = datetime.now(UTC) - 4 * DAY
    emulator.now = lambda: standing
    emulator.elexon.latest_ignores_its_range = True
    for day in range(4):
        now = standing + day * DAY
        refresh_at(energy, now, *FROZEN)
        lines = troubles(energy, now, *FROZEN)
        late = {slug for slug in FROZEN if (within := dataset_facts()[slug].changes_within) and within < day * DAY}
        assert set(lines) == late, day
        for slug, trouble in lines.items():
            assert trouble.kind == "behind" and f"nothing new since {standing:%Y-%m-%d %H:%M}Z" in trouble.line, slug
    assert set(lines) == set(FROZEN)
    emulator.reset()
    refresh_at(energy, now := datetime.now(UTC), *FROZEN)
    assert troubles(energy, now, *FROZEN) == {}, "it moves again"


@pytest.mark.slow
@pytest.mark.parametrize("slug", VALUED)
def test_rows_without_a_value_are_nothing_new(energy: Energy, slug: str) -> None:
    energy.refresh(slug)
    now = datetime.now(UTC)
    assert troubles(energy, now, slug) == {}
    table, facts = DATASETS[slug].clean_tables[0], dataset_facts()[slug]
    since = now - timedelta(hours=45)
    energy.query(f"update {table} set {facts.published_value} = null where period_start > %s", since)
    newest = energy.value(
        f"select max(period_end) from {table} where not is_synthetic and {facts.published_value} is not null"
    )
    (trouble,) = troubles(energy, now, slug).values()
    assert trouble.kind == "behind"
    assert f"{facts.published_value} in {table} ended at {newest:%Y-%m-%d %H:%M}Z" in trouble.line
    energy.query(f"update {table} set {facts.published_value} = null")
    energy.query(f"update staging.{slug}_payloads set fetched_at = %s", since)
    (trouble,) = troubles(energy, now, slug).values()
    assert f"there is no real {facts.published_value} in {table} since {since:%Y-%m-%d %H:%M}Z" in trouble.line


@pytest.mark.slow
def test_measurements_that_stop_are_said_although_there_are_forecasts(energy: Energy) -> None:
    slug = "carbon_intensity__national"
    energy.refresh(slug)
    now = datetime.now(UTC)
    assert troubles(energy, now, slug) == {}
    energy.query(
        "update carbon_intensity_national set actual_gco2_kwh = null where period_start > %s", now - timedelta(hours=8)
    )
    (trouble,) = troubles(energy, now, slug).values()
    assert trouble.kind == "behind"
    assert "the newest real half-hour with actual_gco2_kwh in carbon_intensity_national ended at" in trouble.line


@pytest.mark.slow
def test_a_fresh_database_whose_only_payload_is_held_says_that_alone_and_since_when(
    energy: Energy, emulator: Emulator
) -> None:
    slug = "carbon_intensity__national"
    emulator.fault("absurd", "/carbon_intensity/intensity/")
    energy.refresh(slug)
    energy.query("update ops.payload_verdicts set validated_at = validated_at - interval '3 hours'")
    since = energy.value("select min(validated_at) from ops.payload_verdicts where verdict = 'held'")
    (trouble,) = troubles(energy, datetime.now(UTC), slug).values()
    assert trouble.kind == "held"
    words = f"1 payload is held back by the quality gate, since {since:%Y-%m-%d %H:%M}Z, 3 hours ago: not met: "
    assert trouble.line.startswith(f"{slug}: {words}")
