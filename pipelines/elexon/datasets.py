"""The datasets of Elexon's Insights API and how each is asked for."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from pipelines.dataset import Dataset, asks_path
from pipelines.elexon import responses, synthetic
from pipelines.periods import HALF_HOUR, LONDON, Window, day_start, floor, settlement_day
from pipelines.pieces import half_hours, settlement_days
from pipelines.working_days import DAY, next_working_day

SOURCE = "elexon"
WEEK = timedelta(days=7)
"""The longest range of the market index, both ends counted; the forecasts document none and are asked for the same."""
LONGEST_OUTTURN = 28
"""Days; the upstream documents no limit, public clients ask for up to so many."""
PUBLISHED_AFTER = timedelta(hours=2)
DAYS_REREAD = 2
LATER_RUNS_DAYS = 35
RUN_AGAIN_IS_READ_AT = (18, 1)
"""Hour and half of it, London: one of the day's refreshes, after office hours."""
SUNDAY = 6
FIRST = datetime(2016, 1, 1, tzinfo=UTC)


def _recent(now: datetime) -> Window:
    return Window(day_start(settlement_day(now) - timedelta(days=DAYS_REREAD)), floor(now) + HALF_HOUR)


def _recent_days(now: datetime) -> Window:
    today = settlement_day(now)
    return Window(day_start(today - timedelta(days=DAYS_REREAD)), day_start(today + timedelta(days=1)))


def _prices_that_may_still_change(now: datetime) -> Window:
    """System prices: recent days; once a day all that the last working day ran again; once a week five weeks, for later runs.

    A price is calculated again on the next working day after its own, and by settlement runs in the weeks after that. A day is
    read again on the day of its run and on the day after, so that one failed refresh loses nothing.
    """
    today = settlement_day(now)
    first = today - timedelta(days=DAYS_REREAD)
    local = now.astimezone(LONDON)
    if (local.hour, local.minute // 30) == RUN_AGAIN_IS_READ_AT:
        first = min(first, today - timedelta(days=LATER_RUNS_DAYS)) if today.weekday() == SUNDAY else first
        while next_working_day(first - DAY) >= today - DAY:
            first -= DAY
    return Window(day_start(first), day_start(today + DAY))


def _price_is_final(half_hour: datetime) -> datetime:
    """From when on a system price no longer changes by the run of the next working day: the end of that day."""
    return day_start(next_working_day(settlement_day(half_hour)) + DAY)


def _today_and_tomorrow(now: datetime) -> Window:
    today = settlement_day(now)
    return Window(day_start(today), day_start(today + timedelta(days=2)))


def _between(window: Window, **more: str) -> str:
    """Both ends are included upstream: the last half-hour asked for is the last that is meant."""
    return urlencode({"from": _instant(window.start), "to": _instant(window.end - HALF_HOUR), **more})


def _days(window: Window) -> str:
    last = settlement_day(window.end - HALF_HOUR)
    return urlencode({"settlementDateFrom": settlement_day(window.start), "settlementDateTo": last})


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%MZ}"


MARKET_INDEX = Dataset(
    source=SOURCE,
    name="market_index",
    clean_tables=("wholesale_prices",),
    rows="market = 'apx_market_index'",
    earliest=lambda now: FIRST,
    lag=PUBLISHED_AFTER,
    refreshes=_recent,
    pieces=half_hours(WEEK),
    ask=asks_path(lambda window: f"/balancing/pricing/market-index?{_between(window, dataProviders=responses.APX)}"),
    judge=responses.judge_market_index,
    synthesize=synthetic.synthesize_market_index,
)

SYSTEM_PRICES = Dataset(
    source=SOURCE,
    name="system_prices",
    clean_tables=("wholesale_prices",),
    rows="market = 'system_price'",
    earliest=lambda now: FIRST,
    lag=PUBLISHED_AFTER,
    refreshes=_prices_that_may_still_change,
    settles=_price_is_final,
    pieces=settlement_days(1),
    ask=asks_path(lambda window: f"/balancing/settlement/system-prices/{settlement_day(window.start)}"),
    judge=responses.judge_system_prices,
    synthesize=synthetic.synthesize_system_prices,
)

DEMAND_OUTTURN = Dataset(
    source=SOURCE,
    name="demand_outturn",
    clean_tables=("demand_actual_national",),
    earliest=lambda now: FIRST,
    lag=PUBLISHED_AFTER,
    refreshes=_recent_days,
    pieces=settlement_days(LONGEST_OUTTURN),
    ask=asks_path(lambda window: f"/demand/outturn?{_days(window)}"),
    judge=responses.judge_outturn,
    synthesize=synthetic.synthesize_outturn,
    after=("neso__demand_history", "neso__demand_update"),
)

DEMAND_FORECAST = Dataset(
    source=SOURCE,
    name="demand_forecast",
    clean_tables=("demand_forecast_national",),
    settled_in=(),
    has_the_one_in_progress=False,
    may_ignore_the_window=True,
    earliest=lambda now: FIRST,
    horizon=timedelta(days=2),
    refreshes=_today_and_tomorrow,
    pieces=half_hours(WEEK),
    ask=asks_path(lambda window: f"/forecast/demand/day-ahead/latest?{_between(window)}"),
    judge=responses.judge_forecast,
    synthesize=synthetic.synthesize_forecast,
    after=("neso__demand_forecast_day_ahead",),
)

ZONAL_FORECAST = Dataset(
    source=SOURCE,
    name="demand_forecast_zonal",
    clean_tables=("demand_regional",),
    settled_in=(),
    earliest=lambda now: FIRST,
    horizon=timedelta(days=2),
    may_ignore_the_window=True,
    is_sparse=True,
    refreshes=_today_and_tomorrow,
    pieces=half_hours(WEEK),
    ask=asks_path(lambda window: f"/forecast/demand/day-ahead/latest?{_between(window, boundary='zonal')}"),
    judge=responses.judge_zonal_forecast,
    synthesize=synthetic.synthesize_zonal_forecast,
)

DATASETS = (MARKET_INDEX, SYSTEM_PRICES, DEMAND_OUTTURN, DEMAND_FORECAST, ZONAL_FORECAST)
