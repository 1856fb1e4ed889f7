"""Synthetic bodies: of the upstream's shape, plausible, and the same for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.carbon_intensity import DATASETS
from pipelines.carbon_intensity.generation import GENERATION
from pipelines.carbon_intensity.mixes import FACTORS
from pipelines.carbon_intensity.national import NATIONAL
from pipelines.carbon_intensity.regional import REGIONAL
from pipelines.payload import compact
from warehouse.periods import HALF_HOUR

HALF_HOURS = st.sets(st.integers(0, 48 * 365 * 12), min_size=1, max_size=20).map(
    lambda ns: {datetime(2018, 6, 1, tzinfo=UTC) + n * HALF_HOUR for n in ns}
)
LATER = datetime(2035, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.slug)
@given(half_hours=HALF_HOURS)
def test_it_passes_the_door_and_holds_what_was_asked(dataset, half_hours: set[datetime]) -> None:
    contents = dataset.validate(compact(dataset.synthesize(half_hours, LATER)))
    assert contents.complete == half_hours


@given(half_hours=HALF_HOURS)
def test_a_half_hour_has_the_same_values_whatever_it_is_asked_with(half_hours: set[datetime]) -> None:
    for dataset in DATASETS:
        together = {row["from"]: row for row in dataset.synthesize(half_hours, LATER)["data"]}
        for half_hour in half_hours:
            (alone,) = dataset.synthesize([half_hour], LATER)["data"]
            assert together[alone["from"]] == alone


@given(half_hours=HALF_HOURS)
def test_mixes_add_up_and_agree_with_their_intensity(half_hours: set[datetime]) -> None:
    for row in REGIONAL.synthesize(half_hours, LATER)["data"]:
        for region in row["regions"]:
            mix = {share["fuel"]: share["perc"] for share in region["generationmix"]}
            assert sum(mix.values()) == pytest.approx(100)
            assert min(mix.values()) >= 0
            grams = sum(FACTORS[fuel] * share for fuel, share in mix.items()) / 100
            assert region["intensity"]["forecast"] == pytest.approx(grams, abs=1)


def test_what_has_not_ended_has_no_actual() -> None:
    now = datetime(2024, 5, 1, 12, 10, tzinfo=UTC)
    half_hours = [now.replace(minute=0) + n * HALF_HOUR for n in (-1, 0, 1)]
    actuals = [row["intensity"]["actual"] for row in NATIONAL.synthesize(half_hours, now)["data"]]
    assert [actual is None for actual in actuals] == [False, True, True]


def test_it_is_the_same_in_every_version_of_this_project() -> None:
    (row,) = GENERATION.synthesize([datetime(2024, 5, 1, 12, tzinfo=UTC)], LATER)["data"]
    assert [share["perc"] for share in row["generationmix"]] == [4.7, 0.0, 7.9, 23.1, 11.9, 0.3, 1.5, 19.7, 30.9]


def test_values_follow_the_day(now: datetime = datetime(2024, 6, 21, tzinfo=UTC)) -> None:
    rows = GENERATION.synthesize([now + timedelta(hours=h) for h in (0, 12)], LATER)["data"]
    midnight, noon = ({s["fuel"]: s["perc"] for s in row["generationmix"]}["solar"] for row in rows)
    assert midnight == 0 < noon
