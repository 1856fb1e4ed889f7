"""Which days each file of the portal is asked for, as windows and as conditions of a SELECT."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

from pipelines.dataset import Asking
from pipelines.neso import resources
from pipelines.neso.resources import Resource
from pipelines.periods import HALF_HOUR, Window, day_start, settlement_day
from pipelines.pieces import auction_year


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


def history(asking: Asking) -> Resource:
    """The file of a year of demand."""
    return resources.demand_history(settlement_day(asking.window.start).year, settlement_day(asking.now))


def between(column: str) -> Callable[[Asking], sql.Composable]:
    """A condition on a column of settlement days."""
    return lambda asking: sql.SQL("{} BETWEEN {} AND {}").format(
        sql.Identifier(column),
        sql.Literal(settlement_day(asking.window.start).isoformat()),
        sql.Literal(_last_day(asking.window).isoformat()),
    )


def between_utc_days(asking: Asking) -> sql.Composable:
    """A condition on the N2EX file's days, which are days of GMT."""
    return sql.SQL("{} BETWEEN {} AND {}").format(
        sql.Identifier("Date"),
        sql.Literal(f"{asking.window.start:%Y-%m-%d}"),
        sql.Literal(f"{asking.window.end - HALF_HOUR:%Y-%m-%d}"),
    )


def delivered(asking: Asking) -> sql.Composable:
    """A condition on the auctions' start of delivery."""
    return sql.SQL("{column} >= {start} AND {column} < {end}").format(
        column=sql.Identifier("deliveryStart"),
        start=sql.Literal(f"{asking.window.start:%Y-%m-%dT%H:%M:%S}"),
        end=sql.Literal(f"{asking.window.end:%Y-%m-%dT%H:%M:%S}"),
    )


def cardinal(asking: Asking) -> Resource:
    """The file that has the cardinal points of a day: the current one of tomorrow, the archive of the past."""
    return resources.DAY_AHEAD_CARDINAL_ARCHIVE if _is_past(asking) else resources.DAY_AHEAD_CARDINAL


def cardinal_days(asking: Asking) -> sql.Composable:
    """The archive has dates, the current file numbers such as 20261009."""
    if _is_past(asking):
        return between("TARGETDATE")(asking)
    return sql.SQL("{} = {}").format(
        sql.Identifier("TARGETDATE"), sql.Literal(int(f"{settlement_day(asking.window.start):%Y%m%d}"))
    )


def eac(asking: Asking) -> Resource:
    """The file that has the auction results of a financial year."""
    return resources.eac_results(auction_year(asking.window.start), auction_year(asking.now))


def midnight(now: datetime, days: int) -> datetime:
    """Midnight of GMT, so many days off today."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


def _is_past(asking: Asking) -> bool:
    return asking.window.end <= asking.now
