"""The routes of the Carbon Intensity API: its window rule, its shapes, its year-end fault, its error bodies."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.emulator.carbon_intensity.faults import spoil
from tests.emulator.carbon_intensity.generated import HALF_HOUR
from tests.emulator.carbon_intensity.printed import compact, error_400, iso, pretty
from tests.emulator.carbon_intensity.published import FACTORS, NAMES, NATIONS, OUTCODES
from tests.emulator.carbon_intensity.recorded import Recorded, Row
from tests.emulator.carbon_intensity.rows import Rows, band
from tests.emulator.protocol import Asked, Reply

LONDON = ZoneInfo("Europe/London")
LONGEST = timedelta(days=30)
TOO_LONG_FOR_REGIONS = timedelta(days=14)
BAD_ORDER = (
    "The start datetime should be less than the end datetime e.g. /intensity/2017-08-25T12:35Z/2017-08-25T15:35Z"
)
BODIES_REMEMBERED = 100
BAD_PATH = "Please enter a valid path e.g. /intensity/"
BAD_INSTANT = "Please enter a valid datetime in ISO8601 format YYYY-MM-DDThh:mmZ e.g. /intensity/2017-08-25T15:30Z"
BAD_DATE = "Please enter a valid date in ISO8601 format 'YYYY-MM-DD' i.e. .../intensity/date/2017-08-25"
BAD_PERIOD = "Please enter a valid date in ISO8601 format YYYY-MM-DD and period 1-48 e.g. /intensity/date/2017-08-25/42"
AHEAD_OR_BACK = {"fw24h": (0, 24), "fw48h": (0, 48), "pt24h": (-24, 0)}


class BadRequest(Exception):
    """The upstream's 400, with its message."""


class CarbonIntensity:
    """Answers paths with bodies, at an instant."""

    def __init__(self, recorded: Recorded | None, now: Callable[[], datetime]):
        self._rows = Rows(recorded, now)
        self._now = now
        self._remembered: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        """What the upstream says. What lies in the past is remembered: it does not change."""
        path = asked.path
        is_past = _ends_before(path, self._now() - timedelta(hours=2))
        if is_past and path in self._remembered:
            return Reply(200, self._remembered[path])
        try:
            body = self._route([part for part in path.split("/") if part])
        except BadRequest as error:
            return Reply(400, error_400(str(error)))
        if is_past:
            with self._lock:  # each request has a thread of its own
                self._remembered[path] = body
                if len(self._remembered) > BODIES_REMEMBERED:
                    del self._remembered[next(iter(self._remembered))]
        return Reply(200, body)

    def spoil(self, kind: str, body: bytes) -> bytes:
        """A body as a fault leaves it."""
        return spoil(kind, body)

    def _route(self, parts: list[str]) -> bytes:
        match parts:
            case ["intensity"]:
                return pretty(self._rows.between("national", *self._rows.latest()))
            case ["intensity", "date", *rest]:
                return self._by_date(rest)
            case ["intensity", "factors", *_]:
                return pretty([FACTORS])
            case ["intensity", "stats", start, end, *block]:
                return self._stats(_instant(start), _instant(end), block, start, end)
            case ["intensity", start]:
                instant = _instant(start)
                return pretty(self._rows.between("national", instant, instant + timedelta(minutes=29), instant))
            case ["intensity", start, end]:
                first, last = _window(start, end)
                if last - first > LONGEST:
                    raise BadRequest("Please enter a date range of 30 days or less")
                return compact(self._rows.between("national", first, last, last))
            case ["generation"]:
                return compact(self._rows.between("generation", *self._rows.latest())[-1])
            case ["generation", start, end] if end not in ("fw24h", "fw48h"):
                first, last = _window(start, end)
                if first > self._now():  # what has not begun is answered with what was published last
                    return compact(self._rows.between("generation", *self._rows.latest())[-1:])
                return compact(self._rows.between("generation", *_year_end(first, last)))
            case ["regional", *rest]:
                return self._regional(rest)
        raise BadRequest(BAD_PATH)

    def _by_date(self, rest: list[str]) -> bytes:
        day = self._now().astimezone(LONDON).date()
        if rest:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", rest[0]):
                raise BadRequest(BAD_PERIOD if len(rest) > 1 else BAD_DATE)
            try:
                day = date.fromisoformat(rest[0])
            except ValueError:
                raise BadRequest(BAD_DATE) from None
        start = datetime.combine(day, time(), LONDON).astimezone(UTC)
        end = datetime.combine(day + timedelta(days=1), time(), LONDON).astimezone(UTC)
        if len(rest) > 1:
            if not rest[1].isdigit() or not 1 <= int(rest[1]) <= 48:
                raise BadRequest(BAD_PERIOD)
            start += (int(rest[1]) - 1) * HALF_HOUR
            end = start + HALF_HOUR
        return pretty(self._rows.between("national", start + HALF_HOUR, end, end))

    def _stats(self, first: datetime, last: datetime, block: list[str], start: str, end: str) -> bytes:
        if not block:
            return pretty([_stat(self._rows.between("national", first, last, last), start, end, last)])
        if not block[0].isdigit() or not 1 <= int(block[0]) <= 24:
            raise BadRequest(BAD_PATH)
        step = timedelta(hours=int(block[0]))
        rows = []
        while first < last:
            inside = self._rows.between("national", first + HALF_HOUR, first + step, last)
            rows.append(_stat(inside, iso(first), iso(first + step), last))
            first += step
        return pretty(rows)

    def _regional(self, rest: list[str]) -> bytes:
        match rest:
            case []:
                return compact(self._rows.between("regional", *self._rows.latest()))
            case [nation] if nation in NATIONS:
                return compact([self._one_region(NATIONS[nation], *self._rows.latest())])
            case ["regionid" | "regionId", region]:
                return compact([self._one_region(_region(region), *self._rows.latest())])
            case ["postcode", outcode]:
                return compact([self._one_region(_outcode(outcode), *self._rows.latest(), outcode=outcode)])
            case ["intensity", start, end, *narrowed]:
                first, last = _window(start, end)
                if last - first >= TOO_LONG_FOR_REGIONS:
                    raise BadRequest(
                        "The date range you have specified is greater than 14 days, please use a shorter one"
                    )
                first, last, year_of = _year_end(first, last)
                match narrowed:
                    case []:
                        return compact(self._rows.between("regional", first, last, year_of))
                    case ["regionid" | "regionId", region]:
                        body = self._one_region(_region(region), first, last, year_of)
                    case ["postcode", outcode]:
                        body = self._one_region(_outcode(outcode), first, last, year_of, outcode=outcode)
                    case _:
                        raise BadRequest(BAD_PATH)
                return compact(body) if body["data"] else b"{}"
        raise BadRequest(BAD_PATH)

    def _one_region(
        self, region_id: int, first: datetime, last: datetime, year_of: datetime, *, outcode: str | None = None
    ) -> Row:
        rows = []
        for half_hour in self._rows.between("regional", first, last, year_of):
            for region in half_hour["regions"]:
                if region["regionid"] == region_id:
                    rows.append(
                        {
                            "from": half_hour["from"],
                            "to": half_hour["to"],
                            **_only(region, "intensity", "generationmix"),
                        }
                    )
        short_name, dno_name = NAMES[region_id]
        named: Row = {"regionid": region_id, "dnoregion": dno_name, "shortname": short_name}
        if outcode:
            named["postcode"] = outcode
        return {**named, "data": rows}


def _stat(rows: list[Row], start: str, end: str, year_of: datetime) -> Row:
    values = [v for row in rows if (v := row["intensity"]["actual"] or row["intensity"]["forecast"]) is not None] or [0]
    average = round(sum(values) / len(values))
    figures = {"max": max(values), "average": average, "min": min(values), "index": band(average, year_of.year)}
    return {"from": start, "to": end, "intensity": figures}


def _window(start: str, end: str) -> tuple[datetime, datetime]:
    first = _instant(start, f"/{end}" if end in AHEAD_OR_BACK else "")
    if end in AHEAD_OR_BACK:
        back, ahead = AHEAD_OR_BACK[end]
        return first + timedelta(hours=back), first + timedelta(hours=ahead)
    last = _instant(end)
    if first >= last:
        raise BadRequest(BAD_ORDER)
    return first, last


def _year_end(first: datetime, last: datetime) -> tuple[datetime, datetime, datetime]:
    """The year-end fault of /generation and /regional: nothing that ends after 31 December 23:30 of the first year."""
    return first, min(last, datetime(first.year, 12, 31, 23, 30, tzinfo=UTC)) if last >= first else last, last


def _instant(text: str, suffix: str = "") -> datetime:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|\+00:00))?", text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise BadRequest(BAD_INSTANT + suffix)


def _region(text: str) -> int:
    if text.isdigit() and int(text) in NAMES:
        return int(text)
    raise BadRequest(BAD_PATH)


def _outcode(text: str) -> int:
    if text.upper() in OUTCODES:
        return OUTCODES[text.upper()]
    raise BadRequest(
        "No postcode match can be found." if re.fullmatch(r"[A-Za-z]{1,2}\d[A-Za-z\d]?", text) else BAD_PATH
    )


def _only(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def _ends_before(path: str, instant: datetime) -> bool:
    try:
        return datetime.fromisoformat(path.rsplit("/", 1)[-1]) < instant
    except (ValueError, TypeError):
        return False
