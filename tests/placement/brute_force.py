"""Placement by brute force: random worlds, and each of their candidates scored in whole numbers, one by one, without numpy."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import numpy as np

from placement import negotiation
from placement.negotiation import Decision
from placement.outlook import Outlook, Window
from placement.spine import Series
from placement.task import Task
from placement.venues import Taken, Venue, of_operator

START = datetime(2026, 11, 23, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
CARBON_VALUE = 0.264
OPERATOR = UUID(int=7)

Row = Sequence[float | None]
Booking = tuple[datetime, datetime, int]
"""from, until, watts"""


def outlook(
    intensity: Row | Sequence[Row], price: Row = (), windows: Sequence[Window] = (), known_at: datetime = START
) -> Outlook:
    """As `placement.outlook.from_rows` makes it: 14 rows, or one for every region; None is a gap, short prices end early."""
    rows = np.array(intensity, dtype=float)
    rows = np.tile(rows, (14, 1)) if rows.ndim == 1 else rows
    market = np.array([[*price, *[None] * (rows.shape[1] - len(price))]], dtype=float)
    first = int(known_at.timestamp()) // 1800 * 1800
    synthetic = np.where(np.isnan(rows), np.nan, 0.0)
    return Outlook(
        known_at, first, Series(rows), Series(synthetic), Series(market), tuple(windows), {"zone": 5}, known_at, 0.0
    )


def steps(bookings: Mapping[str, Sequence[Booking]]) -> dict[str, Taken]:
    """As `placement.venues.taken_of` reads them."""
    found = {}
    for key, booked in bookings.items():
        changes: dict[datetime, int] = {}
        for begins, ends, watts in booked:
            changes[begins] = changes.get(begins, 0) + watts
            changes[ends] = changes.get(ends, 0) - watts
        instants = sorted(changes)
        if instants:
            power = np.cumsum([changes[instant] / 1000 for instant in instants])
            found[key] = Taken(np.array([instant.timestamp() for instant in instants]), power)
    return found


@dataclass(frozen=True)
class World:
    """A task and all it depends on; what the brute force reads is whole: g/kWh, pence/MWh, watts, seconds."""

    task: Task
    venues: Sequence[Venue]
    outlook: Outlook
    intensity: Sequence[Sequence[int | None]]
    pence: Sequence[int | None]
    bookings: Mapping[str, Sequence[Booking]]

    def decide(self) -> Decision:
        """What the service decides."""
        taken = steps(self.bookings)
        return negotiation.decide(self.task, self.venues, self.outlook, taken, carbon_value_gbp_kg=CARBON_VALUE)


@dataclass(frozen=True)
class Candidate:
    """A start at a venue, the constraints that it breaks, and its score in pounds if it breaks none."""

    start: datetime
    place: int
    broken: frozenset[str]
    score: Fraction | None


def mean(values: Sequence[int | None], start: int, end: int) -> Fraction | None:
    """Mean between two seconds of the spine, each half-hour by its share; None where any of it is unknown."""
    total = 0
    for at in range(start // 1800, -(-end // 1800)):
        if not 0 <= at < len(values) or (value := values[at]) is None:
            return None
        total += value * (min(end, 1800 * at + 1800) - max(start, 1800 * at))
    return Fraction(total, end - start)


def peak(booked: Sequence[Booking], start: datetime, end: datetime) -> int:
    """The most watts that are booked at any instant of a run."""
    moments = [start, *(begins for begins, _, _ in booked if start < begins < end)]
    return max(sum(watts for begins, ends, watts in booked if begins <= moment < ends) for moment in moments)


def is_open(window: Window | None, start: datetime, end: datetime) -> bool:
    """Whether a run lies in the hours of a window: walk from one closing to the next."""
    if window is None:
        return True
    if (window.valid_from and start < window.valid_from) or (window.valid_until and end > window.valid_until):
        return False
    while start < end:
        for back in (0, 1):
            opened = datetime.combine(start.date() - timedelta(days=back), window.opens, UTC)
            closed = datetime.combine(opened.date(), window.closes, UTC)
            if closed <= opened:
                closed += timedelta(days=1)
            if opened <= start < closed:
                start = closed
                break
        else:
            return False
    return True


def candidates_of(world: World) -> list[Candidate]:
    """Every candidate, in the order in which ties are decided."""
    task, first = world.task, datetime.fromtimestamp(world.outlook.first, UTC)
    starts = {s for i in range(len(world.pence)) if (s := first + i * HALF_HOUR) >= task.earliest}
    starts.add(task.earliest)
    weight, hours = Fraction(str(task.weight)), Fraction(task.duration // timedelta(seconds=1), 3600)
    kwh = Fraction(str(task.power_kw)) * hours
    found = []
    for start in sorted(starts):
        end = start + task.duration
        run = [int((instant - first).total_seconds()) for instant in (start, end)]
        carbons = {region: mean(world.intensity[region - 1], *run) for region in {v.region_id for v in world.venues}}
        market = mean(world.pence, *run)
        for place, venue in enumerate(world.venues):
            carbon, price = carbons[venue.region_id], None if market is None else market / 100
            if venue.window and venue.window.price_gbp_mwh is not None:
                price = Fraction(str(venue.window.price_gbp_mwh))
            booked = peak(world.bookings.get(venue.key, ()), start, end)
            caps = [cap for cap in (task.carbon_cap_gco2_kwh, venue.carbon_cap_gco2_kwh) if cap is not None]
            waits = [
                wait for wait in (venue.max_deferral, None if task.is_deferrable else timedelta()) if wait is not None
            ]
            kept = {
                "regions": task.regions is None or venue.region_id in task.regions,
                "deadline": end <= task.deadline,
                "deferral": all(start - task.earliest <= wait for wait in waits),
                "forecast": carbon is not None,
                "opening": is_open(venue.window, start, end),
                "power": task.power_kw <= venue.capacity_kw,
                "carbon_cap": carbon is None or all(carbon <= cap for cap in caps),
                "price_cap": task.price_cap_gbp_mwh is None or (price is not None and price <= task.price_cap_gbp_mwh),
                "price": task.weight == 1 or price is not None,
                "capacity": not booked or booked + round(task.power_kw * 1000) <= round(venue.capacity_kw * 1000),
            }
            broken = frozenset(name for name, is_kept in kept.items() if not is_kept)
            score = None
            if not broken and carbon is not None:
                score = weight * Fraction(str(CARBON_VALUE)) * carbon * kwh / 1000
                score += (1 - weight) * (price or 0) * kwh / 1000
            found.append(Candidate(start, place, broken, score))
    return found


def world(seed: int) -> World:
    """A world of its own for each seed."""
    dice = random.Random(seed)
    maybe = lambda chance, make: make() if dice.random() < chance else None  # noqa: E731  shorter than a function of its own
    known_at = START + timedelta(seconds=dice.randrange(86_400))
    length = dice.choice((12, 40, 70, 96))
    intensity = [_row(dice, length, 0, dice.choice((20, 400))) for _ in range(14)]
    pence = _row(dice, length, -3000, 20_000)
    if dice.random() < 0.5:  # the day-ahead auction of tomorrow is still to come
        known = dice.randrange(length)
        pence[known:] = [None] * (length - known)
    windows = [_window(dice, number, known_at) for number in range(dice.randint(0, 4))]
    grid = outlook(intensity, [None if p is None else p / 100 for p in pence], windows, known_at)

    assets: list[dict[str, Any]] = [
        {
            "asset_id": UUID(int=number),
            "name": f"rack {number}",
            "region_id": maybe(0.9, lambda: dice.randint(1, 14)),
            "zone_id": "zone",
            "rated_power_kw": dice.choice((5, 20, 100)),
            "max_deferral_minutes": maybe(0.4, lambda: dice.choice((0, 20, 300, 1000))),
            "carbon_cap_gco2_kwh": maybe(0.3, lambda: dice.uniform(50, 400)),
        }
        for number in range(dice.randint(1, 4))
    ]
    venues = of_operator(OPERATOR, assets if dice.random() < 0.5 else [], grid, region_capacity_kw=50)
    if any(venue.window for venue in venues) and dice.random() < 0.6:
        venues = [venue for venue in venues if venue.window]

    duration = timedelta(minutes=dice.choice((dice.randint(1, 90), dice.randint(1, 600), dice.randint(1, 1800), 120)))
    earliest = known_at + timedelta(seconds=dice.choice((0, dice.randrange(7200), dice.randrange(100_000))))
    if dice.random() < 0.2:
        earliest = known_at.replace(minute=0, second=0) + timedelta(hours=1)
    slack = timedelta(minutes=dice.choice((0, dice.randint(0, 120), dice.randint(0, 1500), 3000)))
    bookings = {
        venue.key: [_booking(dice, known_at, venue) for _ in range(dice.randint(0, 8))]
        for venue in venues
        if dice.random() < 0.7
    }
    task = Task(
        power_kw=dice.choice((1, dice.randint(1, 50_000), dice.randint(1, 120_000))) / 1000,
        duration=duration,
        earliest=earliest,
        deadline=earliest + duration + slack,
        weight=dice.choice((0.0, 0.3, 1.0)),
        carbon_cap_gco2_kwh=maybe(0.3, lambda: dice.uniform(10, 350)),
        price_cap_gbp_mwh=maybe(0.3, lambda: dice.uniform(20, 180)),
        regions=maybe(0.3, lambda: frozenset(dice.sample(range(1, 15), dice.randint(1, 8)))),
        is_deferrable=dice.random() < 0.75,
    )
    return World(task, venues, grid, intensity, pence, bookings)


def _row(dice: random.Random, length: int, least: int, most: int) -> list[int | None]:
    kind, value = dice.random(), dice.randint(least, most)
    row: list[int | None] = [value if kind < 0.15 else dice.randint(least, most) for _ in range(length)]
    for _ in range(dice.choice((0, 0, 1, 3))):
        gap = dice.randrange(length)
        for at in range(gap, min(gap + dice.choice((1, 2, 15)), length)):
            row[at] = None
    return row


def _window(dice: random.Random, number: int, known_at: datetime) -> Window:
    opens, closes = (time(dice.randrange(24), dice.choice((0, 0, 30, 45))) for _ in range(2))
    closes = opens if dice.random() < 0.2 else closes
    return Window(
        window_id=f"w{number}",
        name=f"window {number}",
        region_id=dice.randint(1, 14),
        opens=opens,
        closes=closes,
        crosses_midnight=closes <= opens,  # as dbt has it
        valid_from=dice.choice((None, known_at + timedelta(minutes=dice.randint(-900, 900)))),
        valid_until=dice.choice((None, known_at + timedelta(minutes=dice.randint(0, 3000)))),
        capacity_kw=dice.choice((30.0, 500.0)),
        price_gbp_mwh=dice.choice((None, 55.5, 120.0)),
    )


def _booking(dice: random.Random, known_at: datetime, venue: Venue) -> Booking:
    begins = known_at + timedelta(minutes=dice.randint(-600, 2400), seconds=dice.choice((0, 17)))
    watts = dice.randint(1, int(venue.capacity_kw * 1000))
    return begins, begins + timedelta(minutes=dice.randint(1, 900)), watts
