"""`make replay` reads what was known and what came, says of every sum which forecasts it rests on, and mixes no two kinds."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flows.replay import replay_decisions
from placement.replay.jobs import JOBS
from tests.energy import Energy
from warehouse.errors import UsageError

START = datetime(2026, 8, 18, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
HALF_HOURS = 48 * 7
CAPTURED = range(96, 96 + 48)
"""Captures are made of a day, seven minutes after each half-hour has begun"""
CAPTURES = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, is_synthetic, fetched_at, updated_at, is_archive)
select 18, gen_random_uuid(), %s, %s, %s, false, %s, now(), %s
"""
CAME = """
insert into carbon_intensity_national
    (period_start, period_end, actual_gco2_kwh, payload_id, is_synthetic, fetched_at, updated_at)
select at, at + interval '30 minutes', actual, gen_random_uuid(), false, at + interval '1 hour', now()
from unnest(%s::timestamptz[], %s::smallint[]) as came (at, actual)
"""
PRICED = """
insert into wholesale_prices
    (market, period_start, period_end, settlement_date, settlement_period, price_gbp_mwh, source, payload_id, is_synthetic,
    fetched_at, updated_at)
select 'n2ex_day_ahead', at, at + interval '30 minutes', (at at time zone 'Europe/London')::date, 1, price, 'neso',
    gen_random_uuid(), false, at, now()
from unnest(%s::timestamptz[], %s::float8[]) as came (at, price)
"""
SUMS = """
select forecasts, policy, sum(decisions)::integer, sum(now_score), sum(realised_score), sum(oracle_score)
from ops.replay_decisions
where job_hours = 2 and slack_hours = 24 and not is_split and carbon_to_cost_weight = 1
group by forecasts, policy
"""


def capture(energy: Energy, number: int, values: list[int], *, is_archive: bool) -> None:
    at = START + number * HALF_HOUR + timedelta(minutes=7)
    energy.query(CAPTURES, at, START + number * HALF_HOUR, values, at, is_archive)


def capture_a_day(energy: Energy) -> None:
    """A day of captures of others, and a week of what came and of prices."""
    chance = np.random.default_rng(4)
    at = np.arange(HALF_HOURS)
    came = (150 + 60 * np.sin(2 * np.pi * at / 48) + chance.normal(0, 15, HALF_HOURS)).round().astype(int)
    starts = [START + n * HALF_HOUR for n in range(HALF_HOURS)]
    energy.query(CAME, starts, came.tolist())
    energy.query(PRICED, starts, chance.normal(60, 20, HALF_HOURS).tolist())
    for number in CAPTURED:
        errors = chance.normal(10, 25, 96)
        capture(
            energy, number, np.clip(came[number : number + 96] + errors, 0, 900).astype(int).tolist(), is_archive=True
        )


@pytest.fixture
def captured(energy: Energy) -> Energy:
    """A database in which a day was captured."""
    capture_a_day(energy)
    return energy


def sums(energy: Energy) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {(forecasts, policy): tuple(rest) for forecasts, policy, *rest in energy.query(SUMS)}


def run(energy: Energy, forecasts: str, **asked: Any) -> str:
    replay_decisions.fn(forecasts=forecasts, **asked)
    return "".join(energy.capsys.readouterr())


def test_each_kind_of_forecasts_is_replayed_by_itself(captured: Energy) -> None:
    printed = run(captured, "archive")
    assert "Replay by archive forecasts" in printed
    found = sums(captured)
    assert {forecasts for forecasts, _ in found} == {"archive"}
    decisions, now, realised, oracle = found["archive", "re-plan"]
    assert decisions == len(CAPTURED)
    assert oracle < realised < now
    assert ("archive", "re-plan (hindsight)") not in found, "nobody fits real forecasts with hindsight"
    rows = captured.value("select count(*) from ops.replay_decisions")
    assert rows == len(JOBS) * 3 * 8

    with pytest.raises(UsageError, match="there are no live forecasts; a refresh each half-hour keeps them"):
        run(captured, "live")
    capture(captured, 100, [100 + n for n in range(96)], is_archive=False)
    run(captured, "live")
    assert sums(captured)["live", "plan once (published)"][0] == 1, "one capture of ours, none of theirs"
    assert {key: one for key, one in sums(captured).items() if key[0] == "archive"} == found

    printed = run(captured, "simulated", first=date(2026, 8, 20), last=date(2026, 8, 21), moments=10)
    assert "Replay by simulated forecasts" in printed
    assert sums(captured)["simulated", "re-plan (hindsight)"][0] == 10
    assert {key: one for key, one in sums(captured).items() if key[0] == "archive"} == found

    run(captured, "archive", last=date(2026, 8, 20), regions=[18])
    assert captured.value("select count(*) from ops.replay_decisions where forecasts = 'archive'") == rows
    assert sums(captured)["archive", "re-plan"][0] < len(CAPTURED), "the month's sums are those of the last run"


def test_a_span_without_anything_is_said_with_what_to_do(energy: Energy) -> None:
    for forecasts, said in (
        ("archive", "imports what others have captured"),
        ("simulated", "a backfill of carbon_intensity"),
    ):
        with pytest.raises(UsageError, match=said):
            run(energy, forecasts)
    for asked, said in (({"regions": [15]}, "regions are 1 to 14"), ({"moments": 0}, "0 moments are none")):
        with pytest.raises(UsageError, match=said):
            run(energy, "live", **asked)
    with pytest.raises(UsageError, match="--to 2026-01-01 is before --from 2026-02-01"):
        run(energy, "live", first=date(2026, 2, 1), last=date(2026, 1, 1))
