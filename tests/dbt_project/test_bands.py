"""Bands of the forecast: as a replay has them, blind to what is to come, kept once a day, shown with what they rest on."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flows.dbt_runner import Dbt
from placement.replay.errors import LEADS, Captured, bands
from tests.energy import Energy
from warehouse.periods import HALF_HOUR

NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = {18: 13, 13: 13, 1: 9, 5: 4}
"""Region -> days of captures"""
BEGINS = MIDNIGHT - timedelta(days=16)
HALF_HOURS = 48 * 20
CAPTURE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, is_synthetic, fetched_at, updated_at, is_archive)
values (%s, gen_random_uuid(), %s, %s, %s, %s, %s, now(), false)
"""
NATIONAL = """
insert into carbon_intensity_national (period_start, period_end, actual_gco2_kwh, payload_id, is_synthetic, fetched_at, updated_at)
select at, at + interval '30 minutes', value, gen_random_uuid(), false, at + interval '45 minutes', now()
from unnest(%s::timestamptz[], %s::smallint[]) as came (at, value)
"""
REGIONAL = """
insert into carbon_intensity_regional
    (region_id, period_start, period_end, forecast_gco2_kwh, payload_id, is_synthetic, fetched_at, updated_at)
select %s::smallint, at, at + interval '30 minutes', value, gen_random_uuid(), false, at + interval '45 minutes', now()
from unnest(%s::timestamptz[], %s::smallint[]) as came (at, value)
"""
BANDS = """
select region_id, lead_from_hours, centre_gco2_kwh, slope, error_p10_gco2_kwh, error_p50_gco2_kwh, error_p90_gco2_kwh
from carbon_intensity_bands_as_of(%s) order by 1, 2
"""


class History:
    """Captures every three hours and what came, of some regions, up to now."""

    def __init__(self, energy: Energy):
        self.energy, self.captured, self.outcomes = energy, {}, {}
        chance = np.random.default_rng(11)
        starts = [BEGINS + n * HALF_HOUR for n in range(HALF_HOURS)]
        past = sum(start + timedelta(minutes=45) <= NOW for start in starts)
        with energy.database.connect() as connection:
            for region_id, days in DAYS.items():
                came = np.clip(150 + chance.normal(0, 50, HALF_HOURS), 5, 600).round()
                known = starts[:past], came[:past].astype(int).tolist()
                connection.execute(NATIONAL, known) if region_id == 18 else connection.execute(
                    REGIONAL, [region_id, *known]
                )
                since = MIDNIGHT - timedelta(days=days)
                instants = [since + n * timedelta(hours=3) + timedelta(minutes=11) for n in range(8 * (days + 1))]
                rows, captures = [], []
                for at in (at for at in instants if at <= NOW):
                    first = at - timedelta(minutes=11)
                    lead = np.arange(96)
                    number = int((first - BEGINS) / HALF_HOUR)
                    values = came[number : number + 96] + 5 + lead / 4 + chance.normal(0, 20, 96)
                    rows.append(np.clip(values, 0, 900).round())
                    captures.append([region_id, at, first, rows[-1].astype(int).tolist(), False, at])
                connection.cursor().executemany(CAPTURE, captures)
                known_at = np.array([int(at.timestamp()) for at in instants if at <= NOW])
                self.captured[region_id] = Captured(known_at, np.array(rows))
                self.outcomes[region_id] = np.where(np.arange(HALF_HOURS) < past, came, np.nan)
            connection.execute("analyze")


@pytest.fixture
def history(energy: Energy) -> History:
    return History(energy)


def test_they_are_what_arrays_give_and_learn_from_nothing_that_is_still_to_come(history: History) -> None:
    energy = history.energy
    known_at = MIDNIGHT - timedelta(days=1)
    found = energy.query(BANDS, known_at)
    by_hand = bands(
        list(history.captured.values()), list(history.outcomes.values()), int(BEGINS.timestamp()) // 1800,
        int(known_at.timestamp()) // 86_400, 1,
    )  # fmt: skip
    expected = []
    for place, region_id in enumerate(DAYS):
        for lead, hours in enumerate(LEADS):
            if not np.isnan(by_hand.centre[0, place, lead]):
                line = by_hand.centre[0, place, lead], by_hand.slope[0, place, lead]
                expected.append((region_id, hours, *line, *by_hand.quantiles[0, place, lead]))
    assert {row[0] for row in found} == {1, 13, 18}, "region 5 has three days of captures"
    assert [row[:2] for row in found] == [row[:2] for row in sorted(expected)]
    assert np.allclose([row[2:] for row in found], [row[2:] for row in sorted(expected)])

    # a trap: what is known later is far away, in captures and in outcomes, and one outcome of before is revised later
    with energy.database.connect() as connection:
        at = known_at + timedelta(minutes=1)
        connection.execute(CAPTURE, [18, at, at.replace(minute=0), [900] * 96, False, at])
        connection.execute(
            "update carbon_intensity_national set actual_gco2_kwh = 900 where fetched_at > %s", [known_at]
        )
        connection.execute(
            "update carbon_intensity_regional set forecast_gco2_kwh = 900 where fetched_at > %s", [known_at]
        )
    assert energy.query(BANDS, known_at) == found
    energy.query(
        "update carbon_intensity_national set actual_gco2_kwh = 900, fetched_at = now() where period_start = %s",
        known_at - timedelta(days=1),
    )
    without = energy.query(BANDS, known_at)
    assert max(abs(one[5] - other[5]) for one, other in zip(without, found, strict=True)) < 10, "left out, not believed"


@pytest.fixture
def dbt(energy: Energy) -> Iterator[Dbt]:
    dbt = Dbt(energy.database, energy.data_dir)
    yield dbt
    dbt.close()


def test_once_a_day_they_are_kept_and_the_forecast_is_shown_with_them(history: History, dbt: Dbt) -> None:
    energy = history.energy
    for _ in range(2):
        assert not dbt.publish_only("int_carbon_intensity__bands", [uuid.uuid4()]).failures
        kept = energy.query("select * from intermediate.int_carbon_intensity__bands order by 1, 2, 3")
        energy.query("update carbon_intensity_national set actual_gco2_kwh = 400")
    assert energy.query("select * from intermediate.int_carbon_intensity__bands order by 1, 2, 3") == kept
    assert {row[0] for row in kept} == {NOW.date()}
    at = NOW - timedelta(minutes=1)
    energy.query(CAPTURE, 2, at, MIDNIGHT, [100] * 200, True, at)
    shown = energy.query(
        "select region_id, p10_gco2_kwh, p50_gco2_kwh, p90_gco2_kwh, published_gco2_kwh, band_basis, band_days, period_start, "
        "known_at from carbon_intensity_forecast order by region_id, period_start"
    )
    basis = {region_id: {row[5] for row in shown if row[0] == region_id} for region_id in (1, 2, 5, 18)}
    assert basis[2] == {"no band: this forecast is synthetic"}
    assert basis[5] == {"no band: errors of fewer than 7 days are known; the published value stands alone"}
    assert all(row[1:4] == (None, None, None) and row[4] is not None for row in shown if row[0] in (2, 5))
    of_gb = [row for row in shown if row[0] == 18]
    assert basis[18] == {f"errors of {days} days" for days in {row[6] for row in of_gb}}
    assert all(row[1] <= row[2] <= row[3] for row in of_gb)
    assert np.mean([row[4] - row[2] for row in of_gb]) > 5, "forecasts have been too high, and more so further ahead"
    first = of_gb[10]
    lead = (first[7] - first[8].replace(minute=0, second=0, microsecond=0)) / timedelta(hours=1)
    (band,) = [row for row in kept if row[1] == 18 and row[2] == max(hours for hours in LEADS if hours <= lead)]
    centre, slope, error = band[6], band[7], band[9]
    assert first[2] == round(first[4] - slope * (first[4] - centre) - error)


def test_past_decisions_see_the_band_of_their_day(history: History) -> None:
    energy = history.energy
    energy.query(
        "insert into intermediate.int_carbon_intensity__bands select (now() at time zone 'UTC')::date - day, 18, 0, "
        "now() - make_interval(days => day), 10, 100, 100, 0, -day, day, 2 * day, now() from generate_series(1, 2) as day"
    )
    # each day's own error; before the first and long after the last there is none
    for days, errors in ((1, {None, 1}), (2, {None, 2}), (3, {None})):
        rows = energy.query(
            "select published_gco2_kwh - p50_gco2_kwh, extract(epoch from period_start - forecast_known_at) / 3600 "
            "from carbon_intensity_forecast_as_of(now() - %s * interval '1 day' + interval '1 minute', 18::smallint)", days,
        )  # fmt: skip
        assert {row[0] for row in rows} <= errors, days
