"""Half-hours of the Carbon Intensity API as of an instant: recorded where a recording speaks for them, else generated."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from tests.emulator.carbon_intensity.generated import FUELS, HALF_HOUR, region_half_hour, revision
from tests.emulator.carbon_intensity.printed import iso
from tests.emulator.carbon_intensity.published import BANDS, EARLIEST, HORIZON, NAMES
from tests.emulator.carbon_intensity.recorded import Recorded, Row, number


class Rows:
    """The rows of a kind ("national", "generation", "regional")."""

    def __init__(self, recorded: Recorded | None, now: Callable[[], datetime]):
        self._recorded = recorded or Recorded()
        self._now = now

    def latest(self) -> tuple[datetime, datetime, datetime]:
        """The last completed half-hour, as a window that returns just it."""
        end = _floor(self._now())
        return end, end, end

    def between(self, kind: str, first: datetime, last: datetime, year_of: datetime) -> list[Row]:
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


def band(value: int | None, year: int) -> str | None:
    """The index of an intensity: half-open bands of the year in which the requested window ends."""
    if value is None:
        return None
    bounds = BANDS[min(2030, max(2017, year))]
    return ("very low", "low", "moderate", "high", "very high")[sum(value >= bound for bound in bounds)]


def _floor(instant: datetime) -> datetime:
    return instant.replace(minute=instant.minute - instant.minute % 30, second=0, microsecond=0)


def _ceiling(instant: datetime) -> datetime:
    return _floor(instant + HALF_HOUR - timedelta(microseconds=1))
