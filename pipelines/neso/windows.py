"""Which days each file of the portal is asked for, as windows and as conditions of a SELECT."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from psycopg import sql

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


def since_last_month(back: int) -> Callable[[datetime], datetime]:
    """The first instant of the settlement day `back` days ago, or of the month before this one if that is later."""

    def instant(now: datetime) -> datetime:
        today = settlement_day(now)
        last_month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
        return day_start(max(today - timedelta(days=back), last_month))

    return instant


def _last_day(window: Window) -> date:
    return settlement_day(window.end - HALF_HOUR)


def between(column: str) -> Callable[[Window], sql.Composable]:
    """A condition on a column of settlement days."""
    return lambda window: sql.SQL("{} BETWEEN {} AND {}").format(
        sql.Identifier(column),
        sql.Literal(settlement_day(window.start).isoformat()),
        sql.Literal(_last_day(window).isoformat()),
    )


def between_utc_days(window: Window) -> sql.Composable:
    """A condition on the N2EX file's days, which are days of GMT."""
    return sql.SQL("{} BETWEEN {} AND {}").format(
        sql.Identifier("Date"),
        sql.Literal(f"{window.start:%Y-%m-%d}"),
        sql.Literal(f"{window.end - HALF_HOUR:%Y-%m-%d}"),
    )


def delivered(window: Window) -> sql.Composable:
    """A condition on the auctions' start of delivery."""
    return sql.SQL("{column} >= {start} AND {column} < {end}").format(
        column=sql.Identifier("deliveryStart"),
        start=sql.Literal(f"{window.start:%Y-%m-%dT%H:%M:%S}"),
        end=sql.Literal(f"{window.end:%Y-%m-%dT%H:%M:%S}"),
    )


def _is_past(window: Window) -> bool:
    return window.end <= datetime.now(UTC)


def cardinal(window: Window) -> Resource:
    """The file that has the cardinal points of a day: the current one of tomorrow, the archive of the past."""
    return resources.DAY_AHEAD_CARDINAL_ARCHIVE if _is_past(window) else resources.DAY_AHEAD_CARDINAL


def cardinal_days(window: Window) -> sql.Composable:
    """The archive has dates, the current file numbers such as 20261009."""
    if _is_past(window):
        return between("TARGETDATE")(window)
    return sql.SQL("{} = {}").format(
        sql.Identifier("TARGETDATE"), sql.Literal(int(f"{settlement_day(window.start):%Y%m%d}"))
    )


def eac(window: Window) -> Resource:
    """The file that has the auction results of a financial year."""
    return resources.eac_results(auction_year(window.start), auction_year(datetime.now(UTC)))


def midnight(now: datetime, days: int) -> datetime:
    """Midnight of GMT, so many days off today."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
