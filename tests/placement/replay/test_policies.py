"""Policies decide by what was known, and are scored by what came: against brute force, and at the minute of the auction."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from placement.outlook import Outlook
from placement.replay.choose import best_half_hours, best_run
from placement.replay.episodes import Region, last_priced
from placement.replay.errors import Captured
from placement.replay.jobs import JOBS, Job
from placement.replay.policies import Ground, Outcome, outcomes
from placement.replay.replay import replay
from placement.replay.tally import tallies, total
from placement.spine import Series
from placement.split import splits
from placement.task import Task
from placement.venues import Venue, Venues

VALUE = 0.264
START = datetime(2026, 6, 1, tzinfo=UTC)
BEGINS = int(START.timestamp()) // 1800
JOB = Job(2, 24)


def region(
    outcome: np.ndarray, forecasts: np.ndarray, known_at: list[datetime], price: np.ndarray | None = None
) -> Region:
    captured = Captured(np.array([int(at.timestamp()) for at in known_at]), forecasts.astype(float))
    none = np.full(len(outcome), np.nan)
    same = captured.forecasts
    return Region(captured, same, same, BEGINS, outcome.astype(float), none if price is None else price)


def by_policy(ground: Ground, job: Job) -> dict[str, Outcome]:
    return {outcome.policy: outcome for outcome in outcomes(ground, job)}


@pytest.fixture
def random_region() -> Region:
    """Five days of half-hourly captures with errors, and what came."""
    chance = np.random.default_rng(3)
    outcome = chance.integers(20, 300, 48 * 9)
    at = [START + timedelta(minutes=30 * n + 7) for n in range(96, 96 + 48 * 5)]
    forecasts = np.array([outcome[n : n + 97] + chance.normal(0, 40, 97) for n in range(96, 96 + 48 * 5)])
    return region(outcome, forecasts, at, chance.normal(60, 30, len(outcome)))


def test_the_best_of_many_is_the_best_of_each() -> None:
    chance = np.random.default_rng(1)
    values = chance.integers(0, 9, (40, 12)).astype(float)
    values[chance.random(values.shape) < 0.15] = np.nan
    for length, earliest in itertools.product((1, 3, 5), (0, 4)):
        starts, means = best_run(values, length, earliest)
        chosen = best_half_hours(values, length, earliest)
        for row, line in enumerate(values):
            runs = {s: np.mean(line[s : s + length]) for s in range(earliest, 13 - length)}
            known = {s: round(mean, 9) for s, mean in runs.items() if not np.isnan(mean)}
            if known:
                best = min(known, key=lambda s: (known[s], s))
                assert (starts[row], means[row]) == (best, known[best])
            else:
                assert np.isinf(means[row])
            ordered = sorted((value, at) for at, value in enumerate(line) if at >= earliest and not np.isnan(value))
            assert set(np.flatnonzero(chosen[row])) == {at for _, at in ordered[:length]}


def test_freely_split_work_is_what_the_search_for_chunks_finds() -> None:
    chance = np.random.default_rng(2)
    values = chance.integers(10, 300, (3, 40)).astype(float)
    chosen = best_half_hours(values, 6)
    rows = np.repeat(values[:1], 14, axis=0)
    for row in range(3):
        rows[12] = values[row]
        outlook = Outlook(
            START, int(START.timestamp()), Series(rows), Series(np.zeros_like(rows)), Series(np.zeros((1, 40))), (), {}, START, 0.0
        )  # fmt: skip
        task = Task(10.0, timedelta(hours=3), START, START + timedelta(hours=20), max_chunks=6)
        (found,) = splits(task, Venues([Venue("v", "v", 13, 100.0)]), outlook, {}, carbon_value_gbp_kg=VALUE)
        assert found.carbon_kg == pytest.approx(values[row][chosen[row]].sum() * 5 / 1000)


def test_a_perfect_forecast_is_the_oracle_and_keeps_its_promise(random_region: Region) -> None:
    outcome = random_region.outcome
    perfect = np.array([outcome[n : n + 97] for n in range(96, 96 + 48 * 5)])
    exact = Region(
        Captured(random_region.captured.known_at, perfect), perfect, perfect, BEGINS, outcome, random_region.price
    )
    ground = Ground(exact.episodes(np.arange(0, 40), 48), 1.0, VALUE)
    for job in (JOB, Job(2, 24, True)):
        found = by_policy(ground, job)
        for policy in ("plan once (published)", "plan once (P50)", "plan once (P90)", "re-plan"):
            assert np.allclose(found[policy].realised, found["oracle"].realised)
            assert np.allclose(found[policy].promised, found[policy].realised)
        assert (found["oracle"].realised <= found["start now"].realised + 1e-9).all()


def test_each_policy_does_what_a_person_would_do_by_hand(random_region: Region) -> None:
    """One moment, step by step, without arrays."""
    at, length, slack = 17, JOB.half_hours, JOB.slack
    known = datetime.fromtimestamp(int(random_region.captured.known_at[at]), UTC)
    first = 96 + at + 1  # the half-hour after the capture
    came = random_region.outcome

    def mean(start: int) -> float:
        return float(np.mean(came[start : start + length]) * VALUE)

    def forecast(capture: int, start: int) -> float:
        begins = 96 + capture
        return float(np.mean(random_region.captured.forecasts[capture][start - begins : start - begins + length]))

    starts = range(first, first + slack - length + 1)
    expected = {"start now": mean(first), "oracle": min(map(mean, starts))}
    two = next(s for s in starts if (START + timedelta(minutes=30 * s)).astimezone(tz=None) and _london(s) == (2, 0))
    expected["02:00"] = mean(two)
    planned = min(starts, key=lambda s: forecast(at, s))
    expected["plan once (published)"] = mean(planned)
    spine = {first + h: came[first + h - 48] if h < 46 else came[first + h - 96] for h in range(48)}
    persisted = min(starts, key=lambda s: np.mean([spine[s + n] for n in range(length)]))
    expected["yesterday's best"] = mean(persisted)
    held = planned
    for later in range(at + 1, at + slack):
        ready = 96 + later + 1
        if held < ready:
            break
        best = min((s for s in starts if s >= ready), key=lambda s: forecast(later, s))
        if forecast(later, best) < forecast(later, held) - 1e-9:
            held = best
    expected["re-plan"] = mean(held)
    found = by_policy(Ground(random_region.episodes(np.array([at]), slack), 1.0, VALUE), JOB)
    assert {policy: pytest.approx(found[policy].realised[0]) for policy in expected} == expected, known


def _london(half_hour: int) -> tuple[int, int]:
    from warehouse.periods import LONDON

    local = (START + timedelta(minutes=30 * half_hour)).astimezone(LONDON)
    return local.hour, local.minute


def test_what_came_after_a_moment_changes_no_decision_of_it(random_region: Region) -> None:
    """A trap: outcomes, prices and forecasts from later on are made tempting, and only the oracle falls for them."""
    moments = np.array([30])
    first = 96 + 30 + 1
    trapped = random_region.outcome.copy()
    trapped[first - 3 :] = np.arange(len(trapped) - first + 3)[::-1]  # the last that is known ended an hour before
    honest, tempted = (
        by_policy(Ground(replace(random_region, outcome=came).episodes(moments, 48), 1.0, VALUE), JOB)
        for came in (random_region.outcome, trapped)
    )
    for policy, one in honest.items():
        if policy != "oracle":
            masks_differ = not np.allclose(one.promised, tempted[policy].promised, equal_nan=True)
            assert not masks_differ, policy
    assert honest["oracle"].realised[0] != tempted["oracle"].realised[0]


@pytest.mark.parametrize("season", [datetime(2026, 6, 10, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC)])
def test_a_minute_before_the_auction_tomorrow_has_no_price_and_a_minute_after_it_has(season: datetime) -> None:
    from warehouse.periods import LONDON

    four = season.astimezone(LONDON).replace(hour=16, minute=0)
    before, after = four - timedelta(minutes=1), four + timedelta(minutes=1)
    ends = last_priced(np.array([int(before.timestamp()), int(after.timestamp())])) * 1800
    midnight = four.replace(hour=0) + timedelta(days=1)
    assert ends[0] == midnight.timestamp()
    assert ends[1] == (midnight + timedelta(days=1)).timestamp()


def test_decisions_at_15_59_and_16_01_differ_only_by_what_the_auction_said() -> None:
    evening, night, midnight = (
        48 * 2 + 40,
        48 * 3 + 2,
        48 * 3 - 2,
    )  # 20:00, 01:00 and 23:00 UTC; the last is midnight in London
    half_hours = 48 * 6
    at = [START + timedelta(days=2, hours=14, minutes=59), START + timedelta(days=2, hours=15, minutes=1)]
    evening, night, midnight = 48 * 2 + 40, 48 * 3 + 2, 48 * 3 - 2  # 20:00, 01:00 and (in London midnight) 23:00 UTC
    for of_night, chosen in ((0.0, 0.0), (300.0, 20.0)):
        price = np.full(half_hours, 60.0)
        price[evening : evening + 4] = 20.0
        price[midnight:] = 200.0
        price[night : night + 4] = of_night
        found = []
        for moment in at:
            one = region(np.full(half_hours, 100.0), np.full((1, 97), 100.0), [moment], price)
            outcome = by_policy(Ground(one.episodes(np.array([0]), 48), 0.0, VALUE), JOB)["plan once (published)"]
            assert outcome.promised[0] == outcome.realised[0], "a price that is known is kept"
            found.append(float(outcome.realised[0]))
        assert found == [20.0, chosen]


def test_the_re_plan_of_four_in_the_afternoon_takes_the_night_that_it_learns_of() -> None:
    half_hours = 48 * 6
    price = np.tile(np.linspace(50, 90, 48), 6)
    night = 48 * 3 + 2
    price[night : night + 4] = -5.0
    price[48 * 2 + 28 : 48 * 2 + 34] = 80.0  # from 14:00 on it is dear, so that what was planned waits
    at = [START + timedelta(days=2, hours=14, minutes=n) for n in (40, 59)] + [
        START + timedelta(days=2, hours=15, minutes=1)
    ]
    one = region(np.full(half_hours, 100.0), np.full((3, 97), 100.0), at, price)
    found = by_policy(Ground(one.episodes(np.array([0]), 48), 0.0, VALUE), JOB)
    assert found["plan once (published)"].realised[0] > 0
    assert found["re-plan"].realised[0] == found["oracle"].realised[0] == -5.0


def test_sums_by_group_add_up_to_the_whole(random_region: Region) -> None:
    moments, groups = np.arange(60), np.arange(60) // 25
    decided = list(replay(random_region, moments, groups, carbon_value_gbp_kg=VALUE, jobs=JOBS[:2], weights=(1.0,)))
    for job in JOBS[:2]:
        of_job = [one for one in decided if one.job == job and one.policy == "re-plan"]
        assert {one.group for one in of_job} == {0, 1, 2}
        (whole,) = (
            o
            for o in outcomes(Ground(random_region.episodes(moments, job.slack), 1.0, VALUE), job)
            if o.policy == "re-plan"
        )
        together = tallies(whole, np.zeros(60, dtype=np.int64))[0]
        summed = total(one.tally for one in of_job)
        assert summed.decisions == together.decisions == 60
        assert summed.realised_score == pytest.approx(together.realised_score)
        assert summed.captured_pct is not None and 0 < summed.captured_pct < 100
        assert summed.regret_pct == pytest.approx(100 * (summed.realised_score / summed.oracle_score - 1))


def test_a_moment_whose_outcome_has_a_gap_counts_for_nobody(random_region: Region) -> None:
    for at, counts in ((96 + 5, 1), (96 + 6, 0), (96 + 6 + 47, 0), (96 + 6 + 48, 1)):
        outcome = random_region.outcome.copy()
        outcome[at] = np.nan
        gappy = replace(random_region, outcome=outcome)
        decided = replay(gappy, np.array([5]), np.array([0]), carbon_value_gbp_kg=VALUE, jobs=[JOB], weights=(1.0,))
        assert [one.tally.decisions for one in decided if one.policy == "re-plan"] == [1] * counts, at
