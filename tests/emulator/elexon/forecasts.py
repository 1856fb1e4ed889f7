"""The day-ahead demand forecast: published every half-hour, each time slightly revised, for what is still to begin.

A publication covers the half-hours left of its settlement day and, from 09:17 in London, those of the next one.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from tests.emulator.elexon.generated import noise
from tests.emulator.elexon.printed import Row
from tests.emulator.elexon.settlement import DAY, HALF_HOUR, LONDON, between, iso, midnight, settled

Megawatts = Callable[[datetime], tuple[int | None, int | None] | None]
PAST_THE_HALF_HOUR = timedelta(minutes=17)
NEXT_DAY_FROM = time(9, 17)
NATIONAL = "N"
ZONES = tuple(f"B{number}" for number in range(1, 18))


class Forecasts:
    """What was published when, as of an instant."""

    def __init__(self, megawatts: Megawatts, now: Callable[[], datetime]):
        self._megawatts = megawatts
        self._now = now

    def published(self, first: datetime, last: datetime) -> list[datetime]:
        """The publications in [first, last]."""
        starts = between(first - PAST_THE_HALF_HOUR, min(last, self._now()) - PAST_THE_HALF_HOUR)
        return [start + PAST_THE_HALF_HOUR for start in starts]

    def newest(self, instant: datetime) -> datetime | None:
        """The last publication at or before this."""
        return next(reversed(self.published(instant - HALF_HOUR, instant)), None)

    def latest(self, start: datetime) -> datetime | None:
        """The last publication that covers this half-hour."""
        publication = self.newest(min(start, self._now()))
        return publication if publication and start < horizon(publication) else None

    def earliest(self, start: datetime) -> datetime | None:
        """The first publication that covers this half-hour."""
        first = next_day_from(settled(start)[0] - DAY)
        return first if first <= self._now() else None

    def evolution(self, start: datetime) -> list[datetime]:
        """Every publication that covers this half-hour."""
        made = self.published(next_day_from(settled(start)[0] - DAY), start)
        return [publication for publication in made if start < horizon(publication)]

    def covered(self, publication: datetime) -> list[datetime]:
        """The half-hours that a publication speaks of."""
        return between(publication, horizon(publication) - HALF_HOUR)

    def rows(self, publication: datetime, starts: Iterable[datetime], boundaries: tuple[str, ...]) -> list[Row]:
        """What a publication says of these half-hours, at these boundaries."""
        made = [self._row(publication, start, boundary) for start in starts for boundary in boundaries]
        return [row for row in made if row]

    def _row(self, publication: datetime, start: datetime, boundary: str) -> Row:
        expected = self._expected(publication, start)
        if not expected:
            return {}
        national, transmission = expected
        day, period = settled(start)
        zonal = boundary != NATIONAL
        return {
            "publishTime": iso(publication),
            "transmissionSystemDemand": round(transmission * _share(boundary)) if zonal else transmission,
            "nationalDemand": None if zonal else national,
            "startTime": iso(start),
            "settlementDate": day.isoformat(),
            "settlementPeriod": period,
            "boundary": boundary,
        }

    def _expected(self, publication: datetime, start: datetime) -> tuple[int, int] | None:
        """The outturn, off by more the further ahead it is, and by a little more or less at each publication."""
        national, transmission = self._megawatts(start) or (None, None)
        if national is None or transmission is None:
            return None
        ahead = (start - publication) / timedelta(hours=1)
        off = noise("weather", settled(start)[0], start.hour // 4) * (120 + 32 * min(36, ahead))
        off += noise("forecast", publication, start) * (30 + 5 * min(36, ahead))
        return round(national + off), round(transmission + off + 60 * noise("stations", publication, start))


def next_day_from(day: date) -> datetime:
    """When, on a day, publications begin to cover the next one."""
    return datetime.combine(day, NEXT_DAY_FROM, LONDON).astimezone(UTC)


def horizon(publication: datetime) -> datetime:
    """The end of the last half-hour that a publication covers."""
    day = publication.astimezone(LONDON).date()
    return midnight(day + (2 * DAY if publication >= next_day_from(day) else DAY))


def boundaries(asked: str) -> tuple[str, ...]:
    """The boundaries that `boundary` asks for: the national one without it, all others with `zonal`."""
    if not asked or asked.upper() == NATIONAL:
        return (NATIONAL,)
    return ZONES if asked.lower() == "zonal" else tuple(zone for zone in ZONES if zone == asked.upper())


@lru_cache
def _share(boundary: str) -> float:
    weights = {zone: 2 + noise("zone", zone) for zone in ZONES}
    return weights[boundary] / sum(weights.values())
