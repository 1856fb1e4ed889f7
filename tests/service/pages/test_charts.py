"""Charts: gaps stay gaps, clock changes have 46 and 50 half-hours, neighbours share their border."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages.best import best
from service.pages.charts import outlines
from service.pages.charts.axes import now_line
from service.pages.charts.bars import Bar, bars
from service.pages.charts.curve import Line, curve
from service.pages.charts.scale import Span, number, scale
from service.pages.charts.svg import TOP, tag
from service.pages.clock import Clock
from service.pages.grid import STEP, Spine
from service.pages.tables import table
from service.places import areas

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
VALUES = st.one_of(st.none(), st.floats(-1e4, 1e4))


def drawn(values: list[float | None]) -> str:
    over = Spine(NOON, len(values))
    points = list(zip(over.starts, values, strict=True))
    return str(curve(span=Span(over.begins, over.ends), clock=Clock(), unit="g", table="t", lines=[Line("l", points)]))


@given(st.lists(VALUES, min_size=1, max_size=150))
def test_a_line_breaks_wherever_a_value_is_missing(values: list[float | None]) -> None:
    runs = re.sub(r"[^x ]", "", "".join("x" if value is not None else " " for value in values)).split()
    path = re.search(r'<path class="line l" d="([^"]*)"', drawn(values))
    assert (path[1].count("M") if path else 0) == len(runs)


@given(st.lists(VALUES, min_size=1, max_size=60), st.booleans())
def test_a_scale_holds_every_value_and_its_ticks_are_in_order(values: list[float | None], zero: bool) -> None:
    found = scale(values, 200, zero=zero)
    assert list(found.ticks) == sorted(set(found.ticks)) and 2 <= len(found.ticks) <= 9
    for value in values:
        assert value is None or -0.11 <= found.y(value) <= 200.11


@given(st.text(), st.text())
def test_whatever_a_text_is_it_stays_text(text: str, value: str) -> None:
    made = str(tag("text", "", f"a{text}", data_name=value))
    assert made.count("<") == 2 and made.count('"') == 2


@pytest.mark.parametrize(("day", "half_hours"), [((2026, 3, 29), 46), ((2026, 10, 25), 50), ((2026, 6, 1), 48)])
def test_a_day_has_as_many_half_hours_as_the_clock_gives_it(day: tuple[int, int, int], half_hours: int) -> None:
    clock = Clock()
    midnight = datetime(*day, tzinfo=clock.zone)
    begins, ends = midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)
    over = Spine(begins, (ends - begins) // STEP)
    assert over.count == half_hours
    rows = table(over.starts, [[1.0] * over.count], [False] * over.count, clock)
    words = [row.when for row in rows]
    assert len(set(words)) == half_hours, "the hour that comes twice has two names"
    assert ("01:30 BST" in words and "01:30 GMT" in words) == (half_hours == 50)
    assert any(word.endswith("01:00") for word in words) == (half_hours == 48)
    ticks = [label for _, label, _ in Span(over.begins, over.ends).ticks(clock)]
    assert ticks[1:] == ["06:00", "12:00", "18:00"]
    assert Clock("UTC").time(begins) in ("00:00", "23:00")


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Eucla", "Asia/Kolkata", "UTC", "Europe/London"])
def test_times_have_labels_in_every_zone(zone: str) -> None:
    clock = Clock(zone)
    ticks = list(Span(NOON, NOON + timedelta(hours=72)).ticks(clock))
    assert len(ticks) == 12 and sum(is_day for _, _, is_day in ticks) == 3
    for at, label, is_day in ticks:
        local = clock.local(at)
        assert local.minute == 0 and local.hour % 6 == 0 and (is_day or label == f"{local:%H:%M}")


def test_bars_below_zero_hang_from_zero_and_a_missing_one_is_no_bar() -> None:
    over = Spine(NOON, 3)
    made = bars(
        span=Span(over.begins, over.ends), clock=Clock(), unit="£", table="t",
        bars=[Bar(at, value) for at, value in zip(over.starts, (10.0, -10.0, None), strict=True)],
    )  # fmt: skip
    tops = [float(top) for top in re.findall(r'<rect class="bar"[^>]* y="([0-9.]+)"', str(made))]
    assert len(tops) == 2 and tops[0] == 0 and tops[1] == 100


@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=10, max_size=40), st.integers(0, 1799))
def test_the_best_start_is_never_worse_than_now_nor_across_a_gap(values: list[int | None], second: int) -> None:
    over = Spine(NOON, len(values))
    now = NOON + timedelta(seconds=second)
    found = best(values, over, now, 2)
    whole = [values[n : n + 4] for n in range(1, len(values) - 3) if None not in values[n : n + 4]]
    if found is None:
        assert not whole
        return
    assert found.starts_at >= now and found.ends_at <= over.ends
    assert found.now_mean is None or found.mean <= found.now_mean
    assert all(found.mean <= sum(four) / 4 + 1e-6 for four in whole)  # type: ignore[arg-type]
    first, last = (found.starts_at - NOON) // STEP, -((NOON - found.ends_at) // STEP)
    assert None not in values[first:last]


def test_every_area_has_a_path_and_the_map_is_small() -> None:
    paths = outlines.paths()
    assert set(paths) == set(range(1, 15)) and all(
        path.startswith("M") and path.endswith("z") for path in paths.values()
    )
    assert sum(map(len, paths.values())) < 20_000
    for outline in areas.outlines():  # a map that is drawn upside down, or shifted, fails here
        middle = outline.begins.mean(axis=0)
        x, y = (
            (middle[0] - outlines.WEST) * outlines.NARROWER * outlines.SCALE,
            (outlines.NORTH - middle[1]) * outlines.SCALE,
        )
        assert 0 < x < outlines.WIDTH and 0 < y < outlines.HEIGHT
        begun = re.match(r"M(\d+),(\d+)", paths[outline.region_id])
        assert begun and abs(int(begun[1]) - x) < 200 and abs(int(begun[2]) - y) < 300


def test_numbers_have_as_few_digits_as_they_need() -> None:
    assert [number(value) for value in (0, 0.5, -12, 1500, 250.0)] == ["0", "0.5", "−12", "1,500", "250"]


@pytest.mark.parametrize(
    ("part", "beside_values", "lowered"),
    [(0.01, True, None), (0.2, True, True), (0.4, True, False), (0.2, False, False)],
)
def test_the_word_of_now_is_never_over_the_unit(part: float, beside_values: bool, lowered: bool | None) -> None:
    span = Span(NOON, NOON + timedelta(hours=50))
    html = str(now_line(NOON + part * timedelta(hours=50), span, 100, beside_values=beside_values))
    word = re.search(r'<text class="now"[^>]* y="(\d+)"', html)
    assert "<line" in html and (word is None) is (lowered is None)
    assert word is None or (int(word[1]) > TOP) is lowered, "values and their unit stand above the top line"
