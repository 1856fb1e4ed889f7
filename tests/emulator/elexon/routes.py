"""The routes of the Insights API: what each takes, how long a range it takes, the shape of what it answers."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from tests.emulator.elexon import faults, problems
from tests.emulator.elexon.forecasts import NATIONAL, ZONES, Forecasts, boundaries
from tests.emulator.elexon.parameters import Parameters, read_day, read_instant, read_period
from tests.emulator.elexon.printed import Row, body, stream
from tests.emulator.elexon.recorded import Recorded
from tests.emulator.elexon.rows import Rows
from tests.emulator.elexon.settlement import DAY, HALF_HOUR, LONDON, between, half_hours, midnight
from tests.emulator.protocol import Asked, Reply

LONGEST = {
    "market_index": timedelta(days=7),
    "demand": timedelta(days=28),
    "forecast": timedelta(days=7),
    "dataset": timedelta(days=1),
}
DATASET_FORECASTS = {"ndf": "nationalDemand", "tsdf": "transmissionSystemDemand"}
DATASET_OUTTURNS = {"indo": "initialDemandOutturn", "itsdo": "initialTransmissionSystemDemandOutturn"}
STREAM_KEYS = (
    "publishTime", "startTime", "settlementDate", "settlementPeriod", "boundary", "transmissionSystemDemand",
    "nationalDemand",
)  # fmt: skip


class Elexon:
    """Answers paths with bodies, at an instant."""

    def __init__(self, recorded: Path | None, now: Callable[[], datetime]):
        self.latest_ignores_its_range = False
        """Whether `/forecast/demand/day-ahead/latest` answers with its newest publication whatever was asked for."""
        self._now = now
        self._rows = Rows(Recorded(recorded), now)
        self._forecasts = Forecasts(self._rows.megawatts, now)

    def answer(self, asked: Asked) -> Reply:
        """What the upstream says."""
        try:
            return Reply(200, self._route(asked.path.lower().strip("/").split("/"), asked))
        except problems.BadRequest as error:
            return Reply(400, problems.bad_request(asked.target, error), problems.CONTENT_TYPE)
        except problems.NotFound:
            return Reply(404, problems.not_found(asked.target), problems.CONTENT_TYPE)

    def spoil(self, kind: str, body: bytes) -> bytes:
        """A body as a fault leaves it."""
        return faults.spoil(kind, body)

    def _route(self, parts: list[str], asked: Asked) -> bytes:
        query = Parameters(asked.query)
        match parts:
            case ["balancing", "pricing", "market-index"]:
                return body(self._market_index(query, LONGEST["market_index"]), ("MID",))
            case ["datasets", "mid"]:
                return body(_of("MID", self._market_index(query, LONGEST["market_index"])), ())
            case ["datasets", "mid", "stream"]:
                return stream(_of("MID", self._market_index(query, None)))
            case ["balancing", "settlement", "system-prices", day, *period] if len(period) < 2:
                return body(self._system_prices(day, period), ("DISEBSP",))
            case ["demand", "outturn"]:
                return body(self._demand(query, LONGEST["demand"]), ("INDO", "ITSDO"))
            case ["demand", "outturn", "stream"]:
                return stream(self._demand(query, None))
            case ["datasets", name] if name in DATASET_OUTTURNS:
                return body(self._dataset_outturn(name, query), ())
            case ["datasets", name] if name in DATASET_FORECASTS:
                return body(self._dataset_forecast(name, query, LONGEST["dataset"]), ())
            case ["datasets", name, "stream"] if name in DATASET_FORECASTS:
                return stream(self._dataset_forecast(name, query, None))
            case ["forecast", "demand", "day-ahead", *view]:
                return self._forecast(view, query)
        raise problems.NotFound

    def _market_index(self, query: Parameters, longest: timedelta | None) -> list[Row]:
        return self._rows.market_index(*query.half_hours(longest), query.every("dataProviders"))

    def _system_prices(self, day: str, period: list[str]) -> list[Row]:
        rows = self._rows.system_prices(read_day(day, "settlementDate"))
        wanted = [read_period(text, "settlementPeriod") for text in period]
        return [row for row in rows if not wanted or row["settlementPeriod"] in wanted]

    def _demand(self, query: Parameters, longest: timedelta | None) -> list[Row]:
        first, last = query.settlement_days(self._now().astimezone(LONDON).date(), longest)
        wanted = query.periods("settlementPeriod")
        rows = self._rows.demand(midnight(first), midnight(last + DAY) - HALF_HOUR)
        return [row for row in rows if not wanted or row["settlementPeriod"] in wanted]

    def _dataset_outturn(self, name: str, query: Parameters) -> list[Row]:
        span = query.published(None)
        first, last = span or (self._now() - HALF_HOUR, self._now())
        rows = self._rows.demand(first - HALF_HOUR, last - HALF_HOUR)
        keys = ("publishTime", "startTime", "settlementDate", "settlementPeriod")
        named = [{**_only(row, keys), "demand": row[DATASET_OUTTURNS[name]]} for row in rows]
        return _of(name.upper(), named if span else named[-1:])

    def _dataset_forecast(self, name: str, query: Parameters, longest: timedelta | None) -> list[Row]:
        span = query.published(longest)
        made = self._forecasts.published(*span) if span else self._newest(self._now())
        asked = query.one("boundary")
        places = (NATIONAL,) if name == "ndf" else boundaries(asked) if asked else (NATIONAL, *ZONES)
        keys = ("publishTime", "startTime", "settlementDate", "settlementPeriod", "boundary")
        return [
            {"dataset": name.upper(), "demand": row[DATASET_FORECASTS[name]], **_only(row, keys)}
            for publication in made
            for row in self._forecasts.rows(publication, self._forecasts.covered(publication), places)
        ]

    def _forecast(self, view: list[str], query: Parameters) -> bytes:
        places = boundaries(query.one("boundary"))
        match view:
            case []:
                rows = self._whole(self._newest(self._now()), places)
            case ["history"]:
                if not query.every("publishTime"):
                    raise problems.required("PublishTime")
                rows = self._whole(self._newest(read_instant(query.one("publishTime"))), places)
            case ["evolution"]:
                rows = self._evolution(query, places)
            case ["latest"] if self.latest_ignores_its_range:
                query.half_hours(LONGEST["forecast"])
                rows = self._whole(self._newest(self._now()), places)
            case ["latest" | "earliest", *streamed] if streamed in ([], ["stream"]):
                chosen = self._forecasts.latest if view[0] == "latest" else self._forecasts.earliest
                first, last = query.half_hours(None if streamed else LONGEST["forecast"])
                made = [(chosen(start), start) for start in between(first, min(last, self._now() + 3 * DAY))]
                rows = [
                    row
                    for publication, start in made
                    if publication
                    for row in self._forecasts.rows(publication, [start], places)
                ]
                if streamed:
                    return stream([_only(row, STREAM_KEYS) for row in rows])
            case _:
                raise problems.NotFound
        return body(rows, ("NDF", "TSDF"))

    def _evolution(self, query: Parameters, places: tuple[str, ...]) -> list[Row]:
        day, periods = query.day("settlementDate"), query.periods("settlementPeriod")
        if not day or not periods:
            raise problems.required("SettlementPeriod" if day else "SettlementDate")
        starts = [start for n, start in enumerate(half_hours(day), 1) if n in periods]
        return [
            row
            for start in starts
            for publication in self._forecasts.evolution(start)
            for row in self._forecasts.rows(publication, [start], places)
        ]

    def _newest(self, instant: datetime) -> list[datetime]:
        publication = self._forecasts.newest(instant)
        return [publication] if publication else []

    def _whole(self, publications: list[datetime], places: tuple[str, ...]) -> list[Row]:
        return [
            row for made in publications for row in self._forecasts.rows(made, self._forecasts.covered(made), places)
        ]


def _of(dataset: str, rows: list[Row]) -> list[Row]:
    return [{"dataset": dataset, **row} for row in rows]


def _only(row: Row, keys: Iterable[str]) -> Row:
    return {key: row[key] for key in keys}
