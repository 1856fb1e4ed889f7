"""Which days each file of the portal is requested, as windows and as conditions of a SELECT."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

from pipelines.dataset import FetchRequest
from pipelines.neso import resources
from pipelines.neso.resources import Resource
from pipelines.pieces import auction_year
from warehouse.periods import HALF_HOUR, Window, day_start, settlement_day

SOURCE = "neso"
ANY_NUMBER = 50 * 366
"""Days of a request: a datastore request costs half a minute of the portal's limit, so each window is one request."""


def days(back: int, ahead: int) -> Callable[[datetime], Window]:
    """Settlement days from `back` days off today up to, not including, `ahead` days off it."""

    def window(now: datetime) -> Window:
        today = settlement_day(now)
        return Window(day_start(today + timedelta(days=back)), day_start(today + timedelta(days=ahead)))

    return window


def from_day(back: int) -> Callable[[datetime], datetime]:
    """The first instant of the settlement day that is so many days off today."""
    return lambda now: day_start(settlement_day(now) + timedelta(days=back))


def last_month(now: datetime) -> datetime:
    """The first instant of the month before this one, which is where Demand Data Update begins."""
    return day_start((settlement_day(now).replace(day=1) - timedelta(days=1)).replace(day=1))


def since_last_month(back: int) -> Callable[[datetime], datetime]:
    """The first instant of the settlement day `back` days ago, or of the month before this one if that is later."""
    return lambda now: max(from_day(-back)(now), last_month(now))


def year_files_until(now: datetime) -> datetime:
    """Up to where the yearly files of demand exist for certain."""
    today = settlement_day(now)
    return now if today >= resources.year_file_exists(today.year) else day_start(today.replace(month=1, day=1))


def _last_day(window: Window) -> date:
    return settlement_day(window.end - HALF_HOUR)


def history(request: FetchRequest) -> Resource:
    """The file of a year of demand."""
    return resources.demand_history(settlement_day(request.window.start).year, settlement_day(request.now))


def between(column: str) -> Callable[[FetchRequest], sql.Composable]:
    """A condition on a column of settlement days."""
    return lambda request: sql.SQL("{} BETWEEN {} AND {}").format(
        sql.Identifier(column),
        sql.Literal(settlement_day(request.window.start).isoformat()),
        sql.Literal(_last_day(request.window).isoformat()),
    )


def between_utc_days(request: FetchRequest) -> sql.Composable:
    """A condition on the N2EX file's days, which are days of GMT."""
    return sql.SQL("{} BETWEEN {} AND {}").format(
        sql.Identifier("Date"),
        sql.Literal(f"{request.window.start:%Y-%m-%d}"),
        sql.Literal(f"{request.window.end - HALF_HOUR:%Y-%m-%d}"),
    )


def delivered(request: FetchRequest) -> sql.Composable:
    """A condition on the auctions' start of delivery."""
    return sql.SQL("{column} >= {start} AND {column} < {end}").format(
        column=sql.Identifier("deliveryStart"),
        start=sql.Literal(f"{request.window.start:%Y-%m-%dT%H:%M:%S}"),
        end=sql.Literal(f"{request.window.end:%Y-%m-%dT%H:%M:%S}"),
    )


def cardinal(request: FetchRequest) -> Resource:
    """The file that has the cardinal points of a day: the current one of tomorrow, the archive of the past."""
    return resources.DAY_AHEAD_CARDINAL_ARCHIVE if _is_past(request) else resources.DAY_AHEAD_CARDINAL


def cardinal_days(request: FetchRequest) -> sql.Composable:
    """The archive has dates, the current file numbers such as 20261009."""
    if _is_past(request):
        return between("TARGETDATE")(request)
    return sql.SQL("{} = {}").format(
        sql.Identifier("TARGETDATE"), sql.Literal(int(f"{settlement_day(request.window.start):%Y%m%d}"))
    )


def eac(request: FetchRequest) -> Resource:
    """The file that has the auction results of a financial year."""
    return resources.eac_results(auction_year(request.window.start), auction_year(request.now))


def midnight(now: datetime, days: int) -> datetime:
    """Midnight of GMT, so many days off today."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


def _is_past(request: FetchRequest) -> bool:
    return request.window.end <= request.now
