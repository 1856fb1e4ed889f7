"""The fewest windows: always all of the half-hours, never a window that the upstream would refuse."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipelines import pieces
from pipelines.catalogue import DATASETS
from warehouse.periods import HALF_HOUR, settlement_day, settlement_days

START = datetime(2023, 12, 20, tzinfo=UTC)
HALF_HOURS = st.sets(st.integers(0, 48 * 140), max_size=60).map(lambda ns: {START + n * HALF_HOUR for n in ns})


@given(HALF_HOURS, st.sampled_from(list(DATASETS.values())))
def test_windows_hold_every_half_hour_once(half_hours: set[datetime], dataset) -> None:
    windows = list(dataset.pieces.cover(half_hours))
    held = [h for w in windows for h in w.half_hours()]
    assert half_hours <= set(held)
    assert len(held) == len(set(held)), "no half-hour is requested twice"
    for window in windows:
        assert any(h in half_hours for h in window.half_hours()), "no window is requested for nothing"


@given(HALF_HOURS)
def test_a_window_keeps_its_length_and_never_goes_over_the_year_end(half_hours: set[datetime]) -> None:
    fortnights = pieces.half_hours(timedelta(days=14), never_over=pieces.next_last_half_hour_of_a_year)
    boundary = datetime(2023, 12, 31, 23, 30, tzinfo=UTC)
    for window in fortnights.cover(half_hours):
        assert window.end - window.start <= timedelta(days=14)
        assert {window.start, window.end - HALF_HOUR} <= half_hours, "no window is longer than it need be"
        assert not window.start < boundary < window.end


@given(HALF_HOURS)
def test_no_fewer_windows_would_do(half_hours: set[datetime]) -> None:
    # half-hours that are each too far from the one before to share a window need a window each
    apart, last = 0, None
    for half_hour in sorted(half_hours):
        if last is None or half_hour - last >= timedelta(days=14):
            apart, last = apart + 1, half_hour
    assert len(list(pieces.half_hours(timedelta(days=14)).cover(half_hours))) == apart


@given(HALF_HOURS)
def test_whole_days_are_settlement_days_of_46_48_or_50(half_hours: set[datetime]) -> None:
    for window in pieces.settlement_days(1).cover(half_hours):
        assert len({settlement_day(h) for h in window.half_hours()}) == 1
        assert len(window) in (46, 48, 50)


def test_a_year_of_regions_takes_27_requests_and_one_for_the_year_end() -> None:
    fortnights = DATASETS["carbon_intensity__regional"].pieces
    year = [datetime(2024, 1, 1, tzinfo=UTC) + n * HALF_HOUR for n in range(366 * 48)]
    assert len(list(fortnights.cover(year))) == 28
    assert len(list(fortnights.cover(year[:-1]))) == 27


def test_a_day_of_demand_takes_its_whole_year() -> None:
    day = settlement_days(date(2023, 7, 1), date(2023, 7, 1))
    (window,) = DATASETS["neso__demand_history"].pieces.cover(day.half_hours())
    assert window == settlement_days(date(2023, 1, 1), date(2023, 12, 31))


def test_auctions_are_asked_for_by_the_efa_days_that_their_file_has() -> None:
    years = settlement_days(date(2024, 3, 1), date(2026, 4, 30))
    starts = [window.start for window in DATASETS["neso__eac_results"].pieces.cover(years.half_hours())]
    assert starts[1:] == [datetime(year, 3, 31, 22, tzinfo=UTC) for year in (2024, 2025, 2026)]


@given(st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))
def test_demand_data_update_is_asked_for_no_day_that_it_does_not_hold(now: datetime) -> None:
    """It begins with the month before this one."""
    dataset = DATASETS["neso__demand_update"]
    window = dataset.refreshes(now)
    assert window is not None and window.start >= dataset.earliest(now)
    today = settlement_day(now)
    month_before = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    assert month_before <= settlement_day(window.start) <= today - timedelta(days=28)
    assert DATASETS["neso__demand_history"].lag <= now - window.start, "what is older is in the file of the year"
