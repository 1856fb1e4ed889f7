"""The routes of the Carbon Intensity API: its window rule, its shapes, its year-end fault, its error bodies."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.emulator.generated import FUELS, HALF_HOUR, region_half_hour, revision
from tests.emulator.recorded import Recorded, Row, number

LONDON = ZoneInfo("Europe/London")
HORIZON = timedelta(hours=48)
EARLIEST = {
    "national": datetime(2017, 9, 11, 23, 0, tzinfo=UTC),
    "generation": datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    "regional": datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
}
LONGEST = timedelta(days=30)
BANDS = {
    2017: (100, 200, 300, 400), 2018: (80, 180, 280, 380), 2019: (60, 160, 260, 360), 2020: (55, 150, 230, 350),
    2021: (50, 140, 220, 330), 2022: (45, 130, 210, 310), 2023: (40, 120, 200, 290), 2024: (35, 110, 190, 270),
    2025: (30, 100, 180, 250), 2026: (25, 90, 170, 230), 2027: (20, 80, 160, 210), 2028: (15, 70, 150, 190),
    2029: (10, 60, 140, 170), 2030: (5, 50, 130, 150),
}  # fmt: skip
NAMES = {
    1: ("North Scotland", "Scottish Hydro Electric Power Distribution"), 2: ("South Scotland", "SP Distribution"),
    3: ("North West England", "Electricity North West"), 4: ("North East England", "NPG North East"),
    5: ("Yorkshire", "NPG Yorkshire"), 6: ("North Wales & Merseyside", "SP Manweb"), 7: ("South Wales", "WPD South Wales"),
    8: ("West Midlands", "WPD West Midlands"), 9: ("East Midlands", "WPD East Midlands"), 10: ("East England", "UKPN East"),
    11: ("South West England", "WPD South West"), 12: ("South England", "SSE South"), 13: ("London", "UKPN London"),
    14: ("South East England", "UKPN South East"), 15: ("England", "England"), 16: ("Scotland", "Scotland"),
    17: ("Wales", "Wales"), 18: ("GB", "GB"),
}  # fmt: skip
OUTCODES = {"EN2": 10, "BS7": 11, "BS16": 11, "BH1": 12, "DE74": 9, "SW1": 13, "EH1": 2, "M1": 3, "CF10": 7}
NATIONS = {"england": 15, "scotland": 16, "wales": 17}
FACTORS = {
    "Biomass": 120, "Coal": 937, "Dutch Imports": 474, "French Imports": 53, "Gas (Combined Cycle)": 394,
    "Gas (Open Cycle)": 651, "Hydro": 0, "Irish Imports": 458, "Nuclear": 0, "Oil": 935, "Other": 300,
    "Pumped Storage": 0, "Solar": 0, "Wind": 0,
}  # fmt: skip
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
        self._recorded = recorded or Recorded()
        self._now = now

    def answer(self, path: str) -> tuple[int, bytes]:
        """(status, body) of a path."""
        try:
            return 200, self._route([part for part in path.split("/") if part])
        except BadRequest as error:
            return 400, _error(str(error))

    def _route(self, parts: list[str]) -> bytes:
        match parts:
            case ["intensity"]:
                return pretty(self._national(*self._latest()))
            case ["intensity", "date", *rest]:
                return self._by_date(rest)
            case ["intensity", "factors", *_]:
                return pretty([FACTORS])
            case ["intensity", "stats", start, end, *block]:
                return self._stats(_instant(start), _instant(end), block, start, end)
            case ["intensity", start]:
                instant = _instant(start)
                return pretty(self._national(instant, instant + timedelta(minutes=29), instant))
            case ["intensity", start, end]:
                first, last = _window(start, end)
                if last - first > LONGEST:
                    raise BadRequest("Please enter a date range of 30 days or less")
                return compact(self._national(first, last, last))
            case ["generation"]:
                return compact(self._rows("generation", *self._latest())[-1])
            case ["generation", start, end] if end not in ("fw24h", "fw48h"):
                return compact(self._rows("generation", *_year_end(*_window(start, end))))
            case ["regional", *rest]:
                return self._regional(rest)
        raise BadRequest(BAD_PATH)

    def _latest(self) -> tuple[datetime, datetime, datetime]:
        """The last completed half-hour, as a window that returns just it."""
        end = _floor(self._now())
        return end, end, end

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
        return pretty(self._national(start + HALF_HOUR, end, end))

    def _stats(self, first: datetime, last: datetime, block: list[str], start: str, end: str) -> bytes:
        if not block:
            return pretty([_stat(self._national(first, last, last), start, end, last)])
        if not block[0].isdigit() or not 1 <= int(block[0]) <= 24:
            raise BadRequest(BAD_PATH)
        step = timedelta(hours=int(block[0]))
        rows = []
        while first < last:
            inside = self._national(first + HALF_HOUR, first + step, last)
            rows.append(_stat(inside, iso(first), iso(first + step), last))
            first += step
        return pretty(rows)

    def _regional(self, rest: list[str]) -> bytes:
        match rest:
            case []:
                return compact(self._rows("regional", *self._latest()))
            case [nation] if nation in NATIONS:
                return compact([self._one_region(NATIONS[nation], *self._latest())])
            case ["regionid" | "regionId", region]:
                return compact([self._one_region(_region(region), *self._latest())])
            case ["postcode", outcode]:
                return compact([self._one_region(_outcode(outcode), *self._latest(), outcode=outcode)])
            case ["intensity", start, end, *narrowed]:
                first, last, year_of = _year_end(*_window(start, end))
                match narrowed:
                    case []:
                        return compact(self._rows("regional", first, last, year_of))
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
        for half_hour in self._rows("regional", first, last, year_of):
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

    def _national(self, first: datetime, last: datetime, year_of: datetime) -> list[Row]:
        return self._rows("national", first, last, year_of)

    def _rows(self, kind: str, first: datetime, last: datetime, year_of: datetime) -> list[Row]:
        """The half-hours whose END lies in [first, last], as of now."""
        now = self._now()
        start = max(_ceiling(first) - HALF_HOUR, EARLIEST[kind])
        rows = []
        while start + HALF_HOUR <= min(last, _floor(now) + HORIZON):
            if self._recorded.covers(kind, start):
                rows += [_with_index(row, year_of) for row in self._recorded.rows[kind].get(start, [])]
            else:
                rows.append(_generated(kind, start, _floor(now) if start + HALF_HOUR > now else None, year_of.year))
                if kind == "national" and start + 2 * HALF_HOUR > now:
                    rows[-1] = {**rows[-1], "intensity": {**rows[-1]["intensity"], "actual": None}}
            start += HALF_HOUR
        return rows


@lru_cache(maxsize=2_000)
def _generated(kind: str, start: datetime, issued: datetime | None, year: int) -> Row:
    span = {"from": iso(start), "to": iso(start + HALF_HOUR)}
    if kind == "regional":
        return {**span, "regions": [_generated_region(region_id, start, issued, year) for region_id in NAMES]}
    grams, tenths = region_half_hour(0, start)
    if kind == "generation":
        return {**span, "generationmix": _mix(tenths)}
    forecast = max(0, grams + 7 - start.hour % 13 + (revision(0, start, issued) if issued else 0))
    return {**span, "intensity": {"forecast": forecast, "actual": grams, "index": band(grams, year)}}


def _generated_region(region_id: int, start: datetime, issued: datetime | None, year: int) -> Row:
    grams, tenths = region_half_hour(region_id, start)
    forecast = max(0, grams + (revision(region_id, start, issued) if issued else 0))
    short_name, dno_name = NAMES[region_id]
    return {
        "regionid": region_id,
        "dnoregion": dno_name,
        "shortname": short_name,
        "intensity": {"forecast": forecast, "index": band(forecast, year)},
        "generationmix": _mix(tenths),
    }


def _mix(tenths: tuple[int, ...]) -> list[Row]:
    return [{"fuel": fuel, "perc": number(share / 10)} for fuel, share in zip(FUELS, tenths, strict=True)]


def _with_index(row: Row, year_of: datetime) -> Row:
    """A recorded row with the index that a request ending in this year would be given."""
    if "regions" in row:
        return {**row, "regions": [_with_index(region, year_of) for region in row["regions"]]}
    if "intensity" not in row:
        return row
    value = row["intensity"].get("actual")
    value = row["intensity"]["forecast"] if value is None else value
    return {**row, "intensity": {**row["intensity"], "index": band(value, year_of.year)}}


def _stat(rows: list[Row], start: str, end: str, year_of: datetime) -> Row:
    values = [v for row in rows if (v := row["intensity"]["actual"] or row["intensity"]["forecast"]) is not None] or [0]
    average = round(sum(values) / len(values))
    figures = {"max": max(values), "average": average, "min": min(values), "index": band(average, year_of.year)}
    return {"from": start, "to": end, "intensity": figures}


def band(value: int | None, year: int) -> str | None:
    """The index of an intensity: half-open bands of the year in which the requested window ends."""
    if value is None:
        return None
    bounds = BANDS[min(2030, max(2017, year))]
    return ("very low", "low", "moderate", "high", "very high")[sum(value >= bound for bound in bounds)]


def _window(start: str, end: str) -> tuple[datetime, datetime]:
    first = _instant(start, f"/{end}" if end in AHEAD_OR_BACK else "")
    if end in AHEAD_OR_BACK:
        back, ahead = AHEAD_OR_BACK[end]
        return first + timedelta(hours=back), first + timedelta(hours=ahead)
    return first, _instant(end)


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


def _floor(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute - instant.minute % 30, second=0, microsecond=0)


def _ceiling(instant: datetime) -> datetime:
    return _floor(instant + HALF_HOUR - timedelta(microseconds=1))


def iso(instant: datetime) -> str:
    """As the upstream writes it."""
    return instant.strftime("%Y-%m-%dT%H:%MZ")


def compact(data: object) -> bytes:
    """As /generation, /regional and /intensity/{from}/{to} are printed."""
    return json.dumps({"data": data}, separators=(",", ":")).encode()


def pretty(rows: list[Row]) -> bytes:
    """As the other /intensity routes are printed, with CRLF and blanks of their own."""
    if not rows:
        return b'{ \r\n  "data":[]\r\n}'
    printed = []
    for row in rows:
        text = json.dumps(row, indent=2).replace("\n", "\r\n  ")
        printed.append(re.sub(r'("actual": null,)', r"\1 ", "{ " + text[1:]))
    return ('{ \r\n  "data":[' + ",\r\n  ".join(printed) + "]\r\n}").encode()


def _error(message: str) -> bytes:
    code = "400 Bad Request"
    return f'{{\r\n"error": {{\r\n  "code": "{code}",\r\n  "message": "{message}"\r\n  }}\r\n}}'.encode()
