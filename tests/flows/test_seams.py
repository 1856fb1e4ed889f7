"""At the seams of the upstreams' files and of the calendar nothing real is missing, and nothing synthetic stands in for it.

A day that is near a seam is "today": the emulator and the run stand at an instant of it. A refresh and a backfill request their
windows, and what they would land is compared with what the emulator publishes. `-m seams` looks at every such day of 2024 to 2027;
without it a few are looked at.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pytest
from dateutil.easter import easter  # type: ignore[import-untyped]

from flows.plan import backfill_requests, refresh_windows
from flows.session import session
from flows.steps import land, publish
from pipelines.catalogue import DATASETS, select
from pipelines.client import UpstreamClient
from pipelines.collect import Request
from pipelines.dataset import FetchRequest
from pipelines.fetch import fetch
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from tests.emulator.carbon_intensity.published import HORIZON
from tests.emulator.elexon.forecasts import Forecasts, horizon
from tests.emulator.elexon.generated import MISSING_PRICES
from tests.emulator.elexon.rows import SETTLED_AFTER
from tests.emulator.neso import auctions
from tests.emulator.neso.published_demand import HALF_HOURLY, PERFORMANCE
from tests.emulator.neso.tables import RESOURCES
from tests.energy import FAST, Energy
from warehouse.database import Database
from warehouse.periods import LONDON, Window, day_start, floor, settlement_days

YEARS = range(2024, 2028)
DAY = timedelta(days=1)
CLOCKS = (time(0, 10), time(6, 40), time(9, 25), time(14, 55), time(18, 35), time(23, 50))
"""London; each day of the list is looked at by the next of them."""
SAMPLE = ("2025-03-30", "2026-01-01", "2026-04-01", "2027-02-10")
LONG_AGO, LATELY = 75, 9
"""Days that a backfill requests: those of demand and auctions, whose files roll, and those of the rest."""
DAY_AHEAD = "neso__demand_forecast_day_ahead"
"""One large file, whose only seams are the clock changes."""
ROLLING = ("neso__demand_history", "neso__demand_update", "elexon__demand_outturn", "neso__eac_results")


def around(day: date, before: int, after: int) -> Iterator[date]:
    return (day + DAY * number for number in range(-before, after + 1))


def last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - DAY * ((last.weekday() + 1) % 7)


def changes_its_clock(first: date, last: date) -> bool:
    """Whether one of these days has not 24 hours."""
    return any(first <= last_sunday(last.year, month) <= last for month in (3, 10))


def near_a_seam(year: int) -> Iterator[date]:
    """The days around each seam of a year."""
    yield from around(date(year, 1, 1), 2, 2)
    yield from around(date(year, 1, 30), 1, 1)  # demand of January is old enough for the year's file
    yield from around(date(year, 2, 15), 5, 1)  # which is made now
    yield from around(date(year, 3, 1), 2, 3)
    yield from around(date(year, 4, 1), 2, 1)
    yield from around(date(year, 4, 15), 2, 2)
    yield from around(last_sunday(year, 3), 1, 1)
    yield from around(last_sunday(year, 10), 1, 1)
    yield from around(easter(year), 3, 3)
    yield from around(date(year, 12, 31), 1, 0)


DAYS = sorted({day for year in YEARS for day in near_a_seam(year)})
MOMENTS = {
    day: datetime.combine(day, CLOCKS[number % len(CLOCKS)], LONDON).astimezone(UTC) for number, day in enumerate(DAYS)
}


@dataclass
class Found:
    """What a run would land of a series: half-hours, or auction results by half-hour and product."""

    real: set[object] = field(default_factory=set)
    synthetic: set[object] = field(default_factory=set)


def spine(first: datetime, last: datetime) -> set[object]:
    """The half-hours that begin in [first, last)."""
    return set(Window(first, last).half_hours()) if first < last else set()


def published_at(resource_id: str, now: datetime) -> datetime:
    return RESOURCES[resource_id][1].published(now)


def _generation(first: datetime, now: datetime) -> set[object]:
    """Without what nobody can have before the year is over: a request that begins in it ends with it, and one that begins in the
    next is answered with what was published last."""
    last_of_year = datetime(now.year, 12, 31, 23, 30, tzinfo=UTC)
    return spine(first, min(floor(now) + HORIZON, last_of_year))


def _forecast_of_demand(first: datetime, now: datetime) -> set[object]:
    newest = Forecasts(lambda start: None, lambda: now).newest(now)
    return spine(_today(now), horizon(newest)) if newest else set()


def _two_to_14_days(first: datetime, now: datetime) -> set[object]:
    issued = published_at(HALF_HOURLY, now).astimezone(LONDON).date()
    wanted = settlement_days(_day(now) + DAY, _day(now) + 14 * DAY)
    return set(settlement_days(issued + 2 * DAY, issued + 14 * DAY).half_hours()) & set(wanted.half_hours())


def _auctions(first: datetime, now: datetime) -> set[object]:
    at = published_at("596f29ac-0387-4ba4-a6d3-95c243140707", now)
    last = at.astimezone(LONDON).date() + DAY
    products = (*auctions.RESPONSE, *auctions.RESERVE)
    return {
        (start.replace(tzinfo=UTC), product)
        for day in around(last, LONG_AGO + 5, 0)
        for start, _ in auctions.blocks(day)
        if day >= auctions.FIRST and start.replace(tzinfo=UTC) >= first
        for product in (products if day >= auctions.RESERVE_FIRST else auctions.RESPONSE)
    }


def _n2ex(first: datetime, now: datetime) -> set[object]:
    last = published_at("4f27eea5-7038-4f73-9740-e3e4ad47c26a", now)
    return spine(first, last.replace(hour=22, minute=0, second=0, microsecond=0))


def _day(now: datetime) -> date:
    return now.astimezone(LONDON).date()


def _today(now: datetime) -> datetime:
    return day_start(_day(now))


Published = Callable[[datetime, datetime], set[object]]
# the datasets that feed a series -> what the emulator has of it from an instant on
SERIES: dict[tuple[str, ...], Published] = {
    ("carbon_intensity__national",): lambda first, now: spine(first, floor(now) + HORIZON),
    ("carbon_intensity__regional",): lambda first, now: spine(first, floor(now) + HORIZON),
    ("carbon_intensity__generation",): _generation,
    ROLLING[:3]: lambda first, now: spine(first, floor(now)),
    ("neso__eac_results",): _auctions,
    ("neso__n2ex_day_ahead",): _n2ex,
    ("neso__demand_forecast_2_14d",): _two_to_14_days,
    (DAY_AHEAD,): lambda first, now: spine(
        first, min(floor(published_at(PERFORMANCE, now) - timedelta(minutes=15)), floor(now - 2 * DAY))
    ),
    ("elexon__market_index",): lambda first, now: spine(first, floor(now)) - MISSING_PRICES,
    ("elexon__system_prices",): lambda first, now: spine(first, floor(now - SETTLED_AFTER)),
    ("elexon__demand_forecast",): _forecast_of_demand,
}
ROLLED = {
    ROLLING[:3]: ("demand_actual_national", "true"),
    ("carbon_intensity__generation",): ("generation_mix_national", "true"),
    ("elexon__system_prices",): ("wholesale_prices", "market = 'system_price'"),
}
"""Clean tables that are looked at for the days of PUBLISHED, which must be over for PostgreSQL's own clock."""
PUBLISHED = [day for day in DAYS if str(day) in ("2025-03-02", "2026-01-01", "2026-10-26")]
WITHOUT_A_SEAM = {
    "neso__dfs_utilisation": "events: one file, never synthetic",
    "beckn__catalogue": "a snapshot",
    "neso__demand_forecast_cardinal": "points of tomorrow: read where nothing half-hourly is known",
    "elexon__demand_forecast_zonal": "the same requests as the national forecast",
}


def test_every_dataset_is_looked_at_or_has_no_seam() -> None:
    looked_at = {dataset for datasets in SERIES for dataset in datasets}
    assert looked_at | set(WITHOUT_A_SEAM) == set(DATASETS)
    assert not looked_at & set(WITHOUT_A_SEAM)


@pytest.fixture
def clients(emulator: Emulator) -> dict[str, UpstreamClient]:
    given = {name.lower(): value for name, value in {**FAST, **emulator.settings}.items()}
    given["http_read_timeout_seconds"] = "120"  # the emulator fills a large file when it is first requested
    settings = PipelineSettings(**given, http_total_timeout_seconds=120)  # type: ignore[arg-type]
    return {source: UpstreamClient(upstream.url, settings=settings) for source, upstream in settings.upstreams.items()}


def keys(slug: str, body: bytes) -> Iterable[object]:
    """What a body holds of a dataset."""
    if slug != "neso__eac_results":
        return DATASETS[slug].validate(body).complete
    rows = json.loads(body)["result"]["records"]
    return [(datetime.fromisoformat(row["deliveryStart"]).replace(tzinfo=UTC), row["auctionProduct"]) for row in rows]


def asked(datasets: Iterable[str], begins: date, now: datetime) -> list[Request]:
    """What a refresh requests at an instant, and then a backfill from a day on of a database that has nothing."""
    chosen = select(datasets)
    database = Database(host="", port=0, user="", name="", password="")  # never read: everything is requested
    days = settlement_days(begins, _day(now))
    return [
        *(Request(dataset, window) for dataset in chosen for window in refresh_windows(dataset, now)),
        *backfill_requests(database, chosen, days, now, force=True),
    ]


@pytest.mark.parametrize(
    "today", [day if str(day) in SAMPLE else pytest.param(day, marks=pytest.mark.seams) for day in DAYS], ids=str
)
def test_nothing_real_is_missing_or_synthetic(
    emulator: Emulator, clients: dict[str, UpstreamClient], today: date
) -> None:
    now = MOMENTS[today]
    emulator.now = lambda: now
    for datasets, published in SERIES.items():
        begins = today - DAY * (LONG_AGO if set(datasets) & set(ROLLING) else LATELY)
        if DAY_AHEAD in datasets and not changes_its_clock(begins, today):
            continue
        found = Found()
        for request in asked(datasets, begins, now):
            fetch_request = FetchRequest(clients[request.dataset.source], request.window, now=now)
            fetched = fetch(fetch_request, request.dataset, now=now, fill_gaps=True)
            assert fetched.fetch.outcome in ("landed", "known"), (datasets, now, fetched.fetch)
            for payload in fetched.payloads:
                into = found.real if payload.origin == "live" else found.synthetic
                into.update(keys(request.dataset.slug, payload.body))
        there = published(day_start(begins), now)
        assert there, datasets
        assert not there - found.real, (datasets, now, "missing", sorted(map(str, there - found.real))[:5])
        assert not (found.synthetic - found.real) & there, (datasets, now, "synthetic")


@pytest.mark.seams
@pytest.mark.parametrize("today", PUBLISHED, ids=str)
def test_what_is_published_is_real_and_whole(energy: Energy, emulator: Emulator, today: date) -> None:
    now = MOMENTS[today]
    emulator.now = lambda: now
    chosen = select([dataset for datasets in ROLLED for dataset in datasets])
    days = settlement_days(today - DAY * LONG_AGO, today)
    with session("refresh", {}, now=now) as this:
        land(this, [Request(dataset, window) for dataset in chosen for window in refresh_windows(dataset, now)])
        assert not publish(this).failures
    with session("backfill", {}, now=now) as this:
        land(this, backfill_requests(this.database, chosen, days, now, force=False))
        assert not publish(this).failures
    for datasets, (table, rows) in ROLLED.items():
        there = SERIES[datasets](days.start, now)
        statement = f"select period_start, is_synthetic from {table} where {rows} and period_start >= %s"
        found = dict(energy.query(statement, days.start))
        assert not there - {start for start, is_synthetic in found.items() if not is_synthetic}, table


def test_the_days_are_those_around_every_seam() -> None:
    assert len(DAYS) >= 39 * len(YEARS)
    assert {str(day) for day in DAYS} >= {
        *SAMPLE, "2024-02-29", "2024-12-31", "2026-01-01", "2026-03-31", "2027-04-01", "2024-10-27", "2026-03-29",
        "2024-03-29", "2025-04-21", "2025-04-15",
    }  # fmt: skip
    assert {MOMENTS[day].astimezone(LONDON).time() for day in DAYS} == set(CLOCKS)
