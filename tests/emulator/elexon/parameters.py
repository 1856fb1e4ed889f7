"""What a request asks for, read as the Insights API reads it, and refused where it refuses."""

import re
from datetime import UTC, date, datetime, timedelta

from tests.emulator.elexon.problems import LATER, UNREADABLE, BadRequest, required, too_long
from tests.emulator.elexon.settlement import half_hours

YEARS = range(1900, 9000)


class Parameters:
    """The parameters of a request, their names in any case."""

    def __init__(self, query: list[tuple[str, str]]):
        self._values: dict[str, list[str]] = {}
        for name, value in query:
            self._values.setdefault(name.lower(), []).extend(part for part in value.split(",") if part)
        if self.one("format", "json").lower() != "json":
            raise BadRequest([f"The value '{self.one('format')}' is not valid."], "format")

    def every(self, name: str) -> list[str]:
        """All values of a parameter, given as a list or as the parameter repeated."""
        return self._values.get(name.lower(), [])

    def one(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return next(iter(self.every(name)), default)

    def instant(self, name: str) -> datetime | None:
        """A date and time, in UTC unless it says otherwise."""
        return read_instant(self.one(name)) if self.every(name) else None

    def day(self, name: str) -> date | None:
        """A settlement date."""
        return read_day(self.one(name), name) if self.every(name) else None

    def periods(self, name: str) -> list[int]:
        """Settlement periods."""
        return [read_period(text, name) for text in self.every(name)]

    def half_hours(self, longest: timedelta | None) -> tuple[datetime, datetime]:
        """`from` and `to`, both required, each a time or, with a settlement period, a settlement date."""
        first, last = self._bound("from", "settlementPeriodFrom"), self._bound("to", "settlementPeriodTo")
        ordered(first, last, longest, "From", "To")
        return first, last

    def published(self, longest: timedelta | None) -> tuple[datetime, datetime] | None:
        """The publish times asked for, if any are; one of them alone asks for a day."""
        first, last = self.instant("publishDateTimeFrom"), self.instant("publishDateTimeTo")
        if first is None and last is None:
            return None
        first = first or (last or datetime.max) - timedelta(days=1)
        last = last or first + timedelta(days=1)
        ordered(first, last, longest, "PublishDateTimeFrom", "PublishDateTimeTo")
        return first, last

    def settlement_days(self, today: date, longest: timedelta | None) -> tuple[date, date]:
        """The settlement dates asked for; without any, today."""
        first, last = self.day("settlementDateFrom"), self.day("settlementDateTo")
        first, last = first or last or today, last or first or today
        if first > last:
            raise BadRequest(["The SettlementDateFrom field must not be later than the SettlementDateTo field"])
        if longest and last - first >= longest:
            raise too_long("SettlementDateFrom", "SettlementDateTo", f"{longest.days} days")
        return first, last

    def _bound(self, name: str, period_name: str) -> datetime:
        instant, periods = self.instant(name), self.periods(period_name)
        if instant is None:
            raise required(name.capitalize())
        if not periods:
            return instant
        starts = half_hours(instant.date())
        return starts[min(periods[0], len(starts)) - 1]


def ordered(first: datetime, last: datetime, longest: timedelta | None, first_name: str, last_name: str) -> None:
    """Refuse a range that is the wrong way round or too long."""
    if first > last:
        raise BadRequest([LATER[0].replace("From", first_name).replace("To", last_name), LATER[1]])
    if longest and last - first > longest:
        raise too_long(first_name, last_name, f"{longest.days} day{'s' * (longest.days > 1)}")


def read_instant(text: str) -> datetime:
    """A date and time."""
    if re.match(r"\d{4}-\d{2}-\d{2}($|[T ])", text):
        try:
            instant = datetime.fromisoformat(re.sub(r" (\d{2}:\d{2})$", r"+\1", text) if "T" in text else text)
            if instant.year in YEARS:
                return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        except ValueError:
            pass
    raise BadRequest(UNREADABLE)


def read_day(text: str, name: str) -> date:
    """A settlement date, in the one format that is taken."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            day = date.fromisoformat(text)
            if day.year in YEARS:
                return day
        except ValueError:
            pass
    raise BadRequest([f"The value '{text}' is not valid."], name)


def read_period(text: str, name: str) -> int:
    """A settlement period, 1 to 50."""
    if text.isdecimal() and 1 <= int(text) <= 50:
        return int(text)
    raise BadRequest([f"The field {name} must be between 1 and 50."], name)
