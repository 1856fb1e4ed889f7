"""What people have met at the upstreams, done by the emulator: tables are as they would be without it, or say what is missing."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.catalogue import DATASETS
from pipelines.neso import resources
from tests.emulator import Emulator
from tests.energy import Energy, contents

PROVENANCE = ("payload_id", "fetched_at", "updated_at")
FILES = [slug for slug in DATASETS if slug.startswith("neso__")]
LATER_COUNTS = [
    "elexon__system_prices",
    "elexon__demand_outturn",
    "elexon__demand_forecast",
    "elexon__demand_forecast_zonal",
]
OTHER_FORMS = r'[0-9]T00:00:00"|Date": "[0-9-]{10}"|"[0-9]{2}-[A-Z]{3}-[0-9]{2}"'
DAYS = ("2022-05-01", "2022-05-02")


def stand_still(emulator: Emulator) -> None:
    """No forecast is revised meanwhile."""
    standing = datetime.now(UTC)
    emulator.now = lambda: standing  # type: ignore[method-assign]


@pytest.mark.slow
def test_a_file_whose_days_and_times_are_written_otherwise_gives_the_same_rows(
    energy: Energy, emulator: Emulator
) -> None:
    stand_still(emulator)
    energy.refresh(*FILES)
    energy.backfill(*DAYS, *FILES)
    before = contents(energy, without=PROVENANCE)
    energy.query("truncate ops.fetches")
    for dataset in FILES:  # as if none had come: every file is requested again
        energy.query(f"truncate staging.{dataset}_payloads")
    emulator.fault("format_flip", "/neso/")
    energy.refresh(*FILES)
    energy.backfill(*DAYS, *FILES, force=True)
    assert energy.query("select dataset, detail from ops.fetches where outcome <> 'landed'") == []
    for dataset in ("demand_update", "demand_history", "dfs_utilisation"):
        payloads = f"select bool_or(payload::text ~ %s) from staging.neso__{dataset}_payloads"
        flipped = energy.value(payloads, OTHER_FORMS)
        assert flipped, dataset
    assert contents(energy, without=PROVENANCE) == before


@pytest.mark.slow
def test_a_row_that_a_later_one_supersedes_changes_nothing(energy: Energy, emulator: Emulator) -> None:
    stand_still(emulator)
    energy.refresh(*LATER_COUNTS)
    before = contents(energy, without=PROVENANCE)
    emulator.fault("superseded", "/elexon/")
    energy.refresh(*LATER_COUNTS)
    counted = "select count(*) from staging.{}_payloads"
    assert all(energy.value(counted.format(dataset)) >= 2 for dataset in LATER_COUNTS), "the other bodies have landed"
    assert contents(energy, without=PROVENANCE) == before


MISFIRE = "(period_start at time zone 'UTC')::time in ('05:00', '05:30')"


def test_a_misfire_of_solar_is_no_value_and_no_decision_rests_on_it(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("solar_misfire", "/carbon_intensity/")
    energy.refresh("carbon_intensity")
    regions = f"select forecast_gco2_kwh from carbon_intensity_regional where {MISFIRE} and not is_synthetic group by 1"
    assert energy.query(regions) == [(None,)]
    for table in ("generation_mix_national", "generation_mix_regional"):
        assert energy.query(f"select solar_pct from {table} where {MISFIRE} and not is_synthetic group by 1") == [
            (None,)
        ]
    # of what has been, only the measured value counts; at the two ends of what was sent nobody knows
    coming = "period_start between now() + interval '1 hour' and now() + interval '46 hours'"
    apart = f"select bool_and(is_isolated), count(*) from carbon_intensity_national where {MISFIRE} and {coming}"
    is_flagged, count = energy.query(apart)[0]
    assert is_flagged and count >= 2
    best = "select mean_gco2_kwh from best_windows('30 minutes', now(), now() + interval '2 days') limit 1"
    assert energy.value(best) > 20


GAP = "(period_start at time zone 'UTC')::time in ('22:00', '22:30')"


@pytest.mark.slow
def test_what_the_upstream_never_had_is_said_to_be_synthetic_and_alone_is_asked_for_again(
    energy: Energy, emulator: Emulator
) -> None:
    emulator.fault("gap", "/carbon_intensity/")
    asked = []
    for _ in range(2):
        emulator.requests.clear()
        energy.backfill(*DAYS, "carbon_intensity")
        asked.append(len(emulator.requests))
        for table in ("carbon_intensity_national", "carbon_intensity_regional", "generation_mix_national"):
            found = energy.query(
                f"select is_synthetic, {GAP}, count(distinct period_start) from {table} group by 1, 2 order by 1"
            )
            assert found == [(False, False, 92), (True, True, 4)], table
    emulator.reset()
    energy.backfill(*DAYS, "carbon_intensity")
    assert energy.value("select count(*) from carbon_intensity_regional where is_synthetic") == 0


def test_a_forecast_that_stands_apart_is_flagged_and_offered_to_nobody(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("stands_apart", "/carbon_intensity/")
    energy.refresh("carbon_intensity__national", "carbon_intensity__regional")
    coming = "period_start between now() + interval '1 hour' and now() + interval '46 hours'"
    low = "(period_start at time zone 'UTC')::time = '03:00'"
    high = "(period_start at time zone 'UTC')::time = '15:00'"
    # a region's 5 g beside a mix that burns gas is no value at all
    for table in ("carbon_intensity_national", "carbon_intensity_regional"):
        apart = f"{coming} and ({low} or {high}) and forecast_gco2_kwh is not null"
        found = energy.query(f"select is_isolated, count(*) > 0 from {table} where {apart} group by 1")
        assert found == [(True, True)], table
    offered = (
        "select count(*) from best_windows('30 minutes', now(), now() + interval '46 hours') where mean_gco2_kwh <= 5"
    )
    assert energy.value(offered) == 0


ROLLED = {
    "neso__demand_update": resources.DEMAND_UPDATE,
    "neso__demand_forecast_2_14d": resources.TWO_TO_14_DAYS_AHEAD,
    "neso__demand_forecast_cardinal": resources.DAY_AHEAD_CARDINAL,
    "neso__n2ex_day_ahead": resources.N2EX,
    "neso__eac_results": resources.EAC_CURRENT,
    "neso__dfs_utilisation": resources.DFS_UTILISATION,
}
"""Those that a refresh asks for"""


@pytest.mark.slow
@pytest.mark.parametrize("tells_names", [True, False], ids=["", "while resource_show fails"])
def test_every_file_that_was_rolled_is_read_where_its_name_is_now(
    energy: Energy, emulator: Emulator, tells_names: bool
) -> None:
    new_ids = {slug: f"{number:08d}-2222-3333-4444-555555555555" for number, slug in enumerate(ROLLED)}
    for slug, resource in ROLLED.items():
        emulator.neso.rolled(resource.id, new_ids[slug])
    if not tells_names:
        emulator.fault("500", "resource_show")
        energy.set(HTTP_ATTEMPTS="1")
    energy.refresh(*ROLLED)
    for slug in ROLLED:
        read = energy.query(
            f"select distinct request_params ->> 'resource_id' from staging.{slug}_payloads where origin = 'live'"
        )
        assert read == [(new_ids[slug],)], slug


OF_THE_PAST = {
    "neso__demand_history": resources.DEMAND_HISTORY[2022],
    "neso__demand_forecast_day_ahead": resources.DAY_AHEAD,
}


def test_every_dataset_of_neso_is_rolled_here() -> None:
    assert sorted([*ROLLED, *OF_THE_PAST]) == sorted(FILES)


@pytest.mark.slow
@pytest.mark.parametrize("slug", OF_THE_PAST)
def test_a_file_of_the_past_that_was_rolled_is_read_where_its_name_is_now(
    energy: Energy, emulator: Emulator, slug: str
) -> None:
    new_id = "11111111-2222-3333-4444-555555555555"
    emulator.neso.rolled(OF_THE_PAST[slug].id, new_id)
    energy.backfill(*DAYS, slug)
    read = f"select request_params ->> 'resource_id' from staging.{slug}_payloads where origin = 'live'"
    assert energy.query(read) == [(new_id,)]


@pytest.mark.slow
def test_an_archive_whose_name_no_other_file_has_does_not_stand_for_today(energy: Energy, emulator: Emulator) -> None:
    """The portal has renamed each file and has not published the new one: what it holds is a year old."""
    for resource in ROLLED.values():
        emulator.neso.renamed(resource.id)
    emulator.now = lambda: datetime.now(UTC) - timedelta(days=365)  # type: ignore[method-assign]
    energy.refresh(*ROLLED)
    for slug, resource in ROLLED.items():
        assert f"WARNING: NESO's resource {resource.id} has another name than {resource.name!r}" in energy.output, slug
        held = f"select bool_or(request_params ->> 'version' is not null) from staging.{slug}_payloads where origin = 'live'"
        assert not energy.value(held), f"{slug}: it is requested again"
        for table in DATASETS[slug].clean_tables:
            live = f"(select payload_id from staging.{slug}_payloads where origin = 'live')"
            assert energy.value(f"select count(*) from {table} where payload_id in {live}") == 0, (slug, table)


def test_columns_that_were_renamed_with_a_roll_are_named(energy: Energy, emulator: Emulator) -> None:
    emulator.neso.rolled(resources.N2EX.id, "11111111-2222-3333-4444-555555555555", {"Price": "Price_GBP_per_MWh"})
    energy.refresh("neso__n2ex_day_ahead")
    assert "'N2EX GB Day-Ahead Price' has no column 'Price' any more" in energy.output
    assert energy.value("select count(*) from wholesale_prices where not is_synthetic") == 0, "no row of the archive"
