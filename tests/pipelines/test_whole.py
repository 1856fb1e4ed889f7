"""Which responses are taken for whole: compared with earlier ones for the same half-hours, and by what a whole one has."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines.catalogue import DATASETS
from pipelines.dataset import Contents, Earlier
from pipelines.neso.demand_forecast_cardinal import synthesize as cardinal_points
from pipelines.neso.eac_results import synthesize as auction_results
from pipelines.payload import compact
from pipelines.whole import shorter
from warehouse.periods import Window, settlement_days

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
FIRST = date(2026, 10, 20)


def holding(first: date, last: date, *, without: int = 0) -> Contents:
    half_hours = list(settlement_days(first, last).half_hours())
    return Contents(frozenset(half_hours), frozenset(half_hours[: len(half_hours) - without]))


def earlier(first: date, last: date, held: Contents) -> Earlier:
    return Earlier(settlement_days(first, last), held.size, held.by_day)


@given(st.integers(0, 5))
def test_a_window_that_has_moved_on_is_not_shorter_for_the_days_that_the_file_does_not_have_yet(days: int) -> None:
    """As each night: the window has moved, and until morning the file is yesterday's. The clocks change within it."""
    last = FIRST + 30 * DAY
    held = holding(FIRST + days * DAY, last)
    assert (
        shorter(
            held, settlement_days(FIRST + days * DAY, last + days * DAY), earlier(FIRST, last, holding(FIRST, last))
        )
        is None
    )


def test_a_window_that_has_moved_on_is_shorter_if_it_holds_less_of_the_same_days() -> None:
    last = FIRST + 30 * DAY
    window = settlement_days(FIRST + DAY, last + DAY)
    words = shorter(holding(FIRST + DAY, last, without=3), window, earlier(FIRST, last, holding(FIRST, last)))
    assert words == f"it holds {30 * 48 + 2 - 3} rows, the answer before it {30 * 48 + 2}"
    assert shorter(holding(FIRST + DAY, last + DAY), window, earlier(FIRST, last, holding(FIRST, last))) is None


def test_the_same_window_is_shorter_if_it_holds_less() -> None:
    before = earlier(FIRST, FIRST, holding(FIRST, FIRST))
    assert (
        shorter(holding(FIRST, FIRST, without=1), before.window, before) == "it holds 47 rows, the answer before it 48"
    )
    assert shorter(holding(FIRST, FIRST), before.window, before) is None
    assert shorter(holding(FIRST, FIRST), before.window, None) is None


def test_auction_results_are_whole_if_each_block_that_has_begun_has_each_product() -> None:
    """On the days when the clocks change too."""
    auctions = DATASETS["neso__eac_results"]
    window = settlement_days(date(2026, 10, 24), date(2026, 10, 26))
    records = auction_results(list(window.half_hours()), NOW)["result"]["records"]  # type: ignore[index, call-overload]
    for rows in range(len(records) + 1):
        body = {"success": True, "result": {"records": records[:rows]}}
        words = auctions.lacks(auctions.validate(compact(body)), window, NOW)
        assert (words is None) == (rows == len(records)), rows
    yesterday = Window(NOW.replace(hour=0, minute=0) - DAY, NOW.replace(hour=0, minute=0) + 2 * DAY)
    known = [half_hour for half_hour in yesterday.half_hours() if half_hour < NOW.replace(hour=23, minute=0)]
    body = auction_results(known, NOW)  # type: ignore[assignment]
    assert auctions.lacks(auctions.validate(compact(body)), yesterday, NOW) is None, "what has not begun may be to come"


def test_cardinal_points_are_whole_if_each_day_has_its_last_point() -> None:
    cardinal = DATASETS["neso__demand_forecast_cardinal"]
    window = settlement_days(date(2026, 10, 24), date(2026, 10, 26))
    records = cardinal_points(list(window.half_hours()), NOW)["result"]["records"]  # type: ignore[index, call-overload]
    for rows in range(len(records) + 1):
        body = {"success": True, "result": {"records": records[:rows]}}
        words = cardinal.lacks(cardinal.validate(compact(body)), window, NOW)
        assert (words is None) == (rows == len(records)), rows
    tomorrow = settlement_days(date(2026, 11, 21), date(2026, 11, 21))
    assert (
        cardinal.lacks(cardinal.validate(compact({"success": True, "result": {"records": []}})), tomorrow, NOW) is None
    )
