"""The datasets that are read of NESO's portal and how each is asked for.

A datastore request costs half a minute of the portal's limit, so each window is one request: a year of demand, the whole
range of prices, the whole of a forecast file.
"""

from datetime import UTC, datetime, timedelta

from pipelines.dataset import Dataset
from pipelines.neso import resources, responses, synthetic, windows
from pipelines.neso.ckan import asks_datastore
from pipelines.periods import Window
from pipelines.pieces import half_hours, next_auction_year, settlement_days, settlement_years, utc_days

SOURCE = "neso"
ANY_NUMBER = 50 * 366
UPDATE_REACHES_BACK = 31
"""Days that are read again; the file begins with the month before this one, which on 1 to 3 March are fewer."""
_update_begins = windows.since_last_month(UPDATE_REACHES_BACK)


DEMAND_HISTORY = Dataset(
    source=SOURCE,
    name="demand_history",
    clean_tables=("demand_actual_national", "demand_regional"),
    rows="source = 'neso'",
    settled_in=("demand_actual_national",),
    earliest=lambda now: datetime(2001, 1, 1, tzinfo=UTC),
    lag=timedelta(days=28),
    serves_until=windows.year_files_until,
    refreshes=lambda now: None,
    pieces=settlement_years(),
    ask=asks_datastore(windows.history),
    judge=responses.judge_demand_history,
    synthesize=synthetic.synthesize_demand_history,
)

DEMAND_UPDATE = Dataset(
    source=SOURCE,
    name="demand_update",
    clean_tables=("demand_actual_national", "demand_regional", "demand_forecast_national"),
    rows="source = 'neso'",
    settled_in=("demand_actual_national",),
    earliest=windows.last_month,
    lag=timedelta(hours=36),
    horizon=timedelta(days=8),
    refreshes=lambda now: Window(_update_begins(now), windows.days(0, 8)(now).end),
    pieces=settlement_days(ANY_NUMBER),
    ask=asks_datastore(lambda asking: resources.DEMAND_UPDATE, windows.between("SETTLEMENT_DATE")),
    judge=responses.judge_demand_update,
    synthesize=synthetic.synthesize_demand_update,
    after=("neso__demand_history",),
)

TWO_TO_14_DAYS_AHEAD = Dataset(
    source=SOURCE,
    name="demand_forecast_2_14d",
    clean_tables=("demand_forecast_national",),
    settled_in=(),
    earliest=windows.from_day(1),
    horizon=timedelta(days=15),
    is_sparse=True,
    # the file of yesterday, which stands until the afternoon, begins with tomorrow
    refreshes=windows.days(1, 15),
    pieces=settlement_days(ANY_NUMBER),
    ask=asks_datastore(lambda asking: resources.TWO_TO_14_DAYS_AHEAD, windows.between("DATE")),
    judge=responses.judge_two_to_14,
    synthesize=synthetic.synthesize_two_to_14,
)

DAY_AHEAD = Dataset(
    source=SOURCE,
    name="demand_forecast_day_ahead",
    clean_tables=("demand_forecast_national",),
    settled_in=(),
    earliest=lambda now: datetime(2021, 3, 31, 23, tzinfo=UTC),
    lag=timedelta(days=2),
    refreshes=lambda now: None,
    pieces=settlement_days(ANY_NUMBER),
    ask=asks_datastore(lambda asking: resources.DAY_AHEAD, windows.between("Date")),
    judge=responses.judge_day_ahead,
    synthesize=synthetic.synthesize_day_ahead,
)

CARDINAL = Dataset(
    source=SOURCE,
    name="demand_forecast_cardinal",
    clean_tables=("demand_forecast_national",),
    settled_in=(),
    earliest=lambda now: datetime(2018, 1, 2, tzinfo=UTC),
    lag=timedelta(days=2),
    horizon=timedelta(days=2),
    is_sparse=True,
    refreshes=windows.days(1, 2),
    pieces=settlement_days(ANY_NUMBER),
    ask=asks_datastore(windows.cardinal, windows.cardinal_days),
    judge=responses.judge_cardinal,
    synthesize=synthetic.synthesize_cardinal,
    after=("neso__demand_forecast_day_ahead",),
)

N2EX = Dataset(
    source=SOURCE,
    name="n2ex_day_ahead",
    clean_tables=("wholesale_prices",),
    rows="market = 'n2ex_day_ahead'",
    earliest=lambda now: datetime(2021, 9, 20, 22, tzinfo=UTC),
    lag=timedelta(hours=36),
    refreshes=lambda now: Window(windows.midnight(now, -2), windows.midnight(now, 2)),
    pieces=utc_days(ANY_NUMBER),
    ask=asks_datastore(lambda asking: resources.N2EX, windows.between_utc_days),
    judge=responses.judge_n2ex,
    synthesize=synthetic.synthesize_n2ex,
)

EAC = Dataset(
    source=SOURCE,
    name="eac_results",
    clean_tables=("flexibility_prices",),
    settled_in=(),
    earliest=lambda now: datetime(2023, 11, 1, tzinfo=UTC),
    horizon=timedelta(days=1),
    is_sparse=True,
    refreshes=windows.days(-2, 2),
    pieces=half_hours(timedelta(days=ANY_NUMBER), never_over=next_auction_year),
    ask=asks_datastore(windows.eac, windows.delivered),
    judge=responses.judge_eac,
    synthesize=synthetic.synthesize_eac,
)

DFS = Dataset(
    source=SOURCE,
    name="dfs_utilisation",
    clean_tables=("flexibility_prices",),
    settled_in=(),
    earliest=lambda now: datetime(2026, 3, 31, 23, tzinfo=UTC),
    is_sparse=True,
    refreshes=windows.days(-7, 2),
    pieces=settlement_days(ANY_NUMBER),
    ask=asks_datastore(lambda asking: resources.DFS_UTILISATION, windows.between("Delivery Date")),
    judge=responses.judge_dfs,
    synthesize=synthetic.synthesize_dfs,
)

DATASETS = (DEMAND_HISTORY, DEMAND_UPDATE, TWO_TO_14_DAYS_AHEAD, DAY_AHEAD, CARDINAL, N2EX, EAC, DFS)
