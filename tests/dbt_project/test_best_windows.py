"""best_windows() against plain Python: gaps, nulls, ties, clock changes, parts of half-hours.

One set of rows lies around the four clock changes of 2025 and 2026; five hundred questions are put to it.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
import pytest

from tests.dbt_project.test_views import HALF_HOUR, half_hour, insert
from tests.energy import Energy

CLOCK_CHANGES = [
    datetime(*day, 1, tzinfo=UTC) for day in ((2025, 3, 30), (2025, 10, 26), (2026, 3, 29), (2026, 10, 25))
]
REACH = timedelta(hours=36)
REGIONS = (1, 2, 5, 7, 13, 14, 15, 16, 17, 18)
DURATIONS = (1, 20, 30, 30, 45, 50, 60, 60, 75, 90, 100, 120, 160, 240, 241, 480, 1440, 3000)
WEIGHTS = ("1 0", "1 0", "0 1", "0 0", "0.264 1", "0.132 0.5", "1 1", "0.3 0.7", "1 -1")
Value = tuple[int | Decimal | None, bool]


@dataclass(frozen=True)
class Grid:
    """What is in the tables: (region, start) -> intensity, start -> price, each with whether it is synthetic."""

    intensity: dict[tuple[int, datetime], Value]
    price: dict[datetime, Value]

    def best(
        self, length: timedelta, earliest: datetime, deadline: datetime,
        regions: Sequence[int] | None = None, carbon: Fraction = Fraction(1), price: Fraction = Fraction(0),
    ) -> list[tuple[Any, ...]]:  # fmt: skip
        """Every window, one after another, best first; means as fractions."""
        found = []
        on_the_half_hour = [(region, at) for region, at in self.intensity if at >= earliest]
        is_between = (earliest - CLOCK_CHANGES[0]) % HALF_HOUR != timedelta(0)
        at_once = [(region, earliest) for region in REGIONS] if is_between else []
        for region, starts in [*on_the_half_hour, *at_once]:
            if region > 14 or (regions is not None and region not in regions):
                continue
            if length <= timedelta(0) or starts < earliest or starts + length > deadline:
                continue
            ends, first = starts + length, starts - (starts - CLOCK_CHANGES[0]) % HALF_HOUR
            parts = [
                (at, min(at + HALF_HOUR, ends) - max(at, starts))
                for n in range(-((first - ends) // HALF_HOUR))
                if (at := first + n * HALF_HOUR)
            ]
            values = [self.intensity.get((region, at), (None, False)) for at, _ in parts]
            if any(value is None for value, _ in values):
                continue
            prices = [self.price.get(at, (None, False)) for at, _ in parts]
            mean = self._mean(values, parts, length)
            mean_price = None if any(value is None for value, _ in prices) else self._mean(prices, parts, length)
            if price and mean_price is None:
                continue
            score = carbon * mean + (price * mean_price if price and mean_price is not None else 0)
            synthetic = sum(one[1] or other[1] for one, other in zip(values, prices, strict=True))
            found.append((score, starts, region, mean, mean_price, Fraction(synthetic, len(parts))))
        return [
            (rank, region, starts, starts + length, rounded(mean, 3), rounded(mean_price, 3), rounded(score, 6), rounded(part, 4))
            for rank, (score, starts, region, mean, mean_price, part) in enumerate(sorted(found, key=lambda f: f[:3]), start=1)
        ]  # fmt: skip

    @staticmethod
    def _mean(values: list[Value], parts: list[tuple[datetime, timedelta]], length: timedelta) -> Fraction:
        weighed = (
            Fraction(value or 0) * (part // timedelta(seconds=1))
            for (value, _), (_, part) in zip(values, parts, strict=True)
        )
        return sum(weighed, Fraction(0)) / (length // timedelta(seconds=1))


def rounded(value: Fraction | None, places: int) -> Decimal | None:
    """As PostgreSQL rounds: halves away from zero."""
    if value is None:
        return None
    whole = int(abs(value) * 10**places + Fraction(1, 2))
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


@pytest.fixture
def grid(energy: Energy) -> Grid:
    """Coarse values, so that there are many ties; a tenth is missing or null, and six half-hours are missing in a row."""
    chance = random.Random(20261123)
    intensity: dict[tuple[int, datetime], Value] = {}
    price: dict[datetime, Value] = {}
    for change in CLOCK_CHANGES:
        times = [change - REACH + n * HALF_HOUR for n in range(2 * REACH // HALF_HOUR)]
        for region in REGIONS:
            outage = chance.randrange(len(times))
            for number, at in enumerate(times):
                if chance.random() > 0.03 and not outage <= number < outage + 6:
                    value = None if chance.random() < 0.03 else chance.choice((0, 10, 40, 41, 70, 100, 333))
                    intensity[region, at] = (value, chance.random() < 0.1)
        for at in times:
            if chance.random() > 0.03:
                cost = (
                    None
                    if chance.random() < 0.03
                    else Decimal(chance.choice(("-12.50", "0", "30.00", "60.10", "89.99")))
                )
                price[at] = (cost, chance.random() < 0.1)
    fill(energy, intensity, price)
    return Grid(intensity, price)


def fill(energy: Energy, intensity: dict[tuple[int, datetime], Value], price: dict[datetime, Value]) -> None:
    rows = [
        half_hour(at, region_id=region, forecast_gco2_kwh=value, is_synthetic=synthetic)
        for (region, at), (value, synthetic) in intensity.items()
    ]
    insert(energy, "carbon_intensity_regional", *rows)
    of_market = {"market": "n2ex_day_ahead"}
    priced = [half_hour(at, price_gbp_mwh=v, is_synthetic=synthetic) for at, (v, synthetic) in price.items()]
    insert(energy, "wholesale_prices", *(row | of_market for row in priced))
    # no other market is looked at
    insert(energy, "wholesale_prices", *(row | {"market": "system_price", "price_gbp_mwh": -999} for row in priced))


@pytest.fixture
def connection(energy: Energy) -> Iterator[psycopg.Connection]:
    with energy.database.connect() as opened:
        yield opened


def ask(connection: psycopg.Connection, *question: Any, carbon: Any = 1, price: Any = 0) -> list[tuple[Any, ...]]:
    weights = json.dumps({"carbon": carbon, "price": price})
    values = [*question, *([None] if len(question) == 3 else []), weights]
    rows = connection.execute("select * from best_windows(%s, %s, %s, %s::smallint[], %s)", values).fetchall()
    return [(*row[:2], row[2].astimezone(UTC), row[3].astimezone(UTC), *row[4:]) for row in rows]


@pytest.mark.slow
def test_every_ranked_list_is_what_plain_python_finds(grid: Grid, connection: psycopg.Connection) -> None:
    chance = random.Random(500)
    counts = []
    for _ in range(500):
        length = timedelta(minutes=chance.choice(DURATIONS))
        earliest = chance.choice(CLOCK_CHANGES) - timedelta(
            minutes=chance.randrange(0, 48 * 60, chance.choice((1, 30)))
        )
        reach = chance.choice((timedelta(hours=2), timedelta(hours=24), timedelta(hours=90), timedelta(days=300)))
        deadline = earliest + timedelta(seconds=chance.randrange(int(reach.total_seconds())))
        regions = chance.choice((None, *(sorted(chance.sample(range(1, 19), size)) for size in (1, 3, 3, 8, 18))))
        weights = chance.choice(WEIGHTS).split()
        asked = ask(connection, length, earliest, deadline, regions, carbon=float(weights[0]), price=float(weights[1]))
        wanted = grid.best(length, earliest, deadline, regions, *map(Fraction, weights))
        assert asked == wanted, (length, earliest, deadline, regions, weights)
        counts.append(len(wanted))
    assert sum(count > 20 for count in counts) > 200 and sum(count == 0 for count in counts) > 20


def test_the_defaults_are_all_regions_by_carbon_alone(grid: Grid, connection: psycopg.Connection) -> None:
    question = (timedelta(hours=1), CLOCK_CHANGES[0] - REACH, CLOCK_CHANGES[-1] + REACH)
    found = connection.execute("select * from best_windows(%s, %s, %s)", question).fetchall()
    assert found == grid.best(*question, carbon=Fraction(264, 1000)) and {row[1] for row in found} == {
        r for r in REGIONS if r < 15
    }


def test_a_day_lasts_24_hours_across_a_clock_change_wherever_it_is_asked_from(
    grid: Grid, connection: psycopg.Connection
) -> None:
    connection.execute("set timezone = 'Europe/London'")
    for change in CLOCK_CHANGES:
        for length in (timedelta(days=1), timedelta(hours=2)):  # psycopg writes the first as '1 day'
            question = (length, change - REACH, change + REACH)
            assert ask(connection, *question) == grid.best(*question), (change, length)


def test_no_window_is_of_no_length_and_aggregate_regions_are_in_no_answer(
    grid: Grid, connection: psycopg.Connection
) -> None:
    between = (CLOCK_CHANGES[0] - REACH, CLOCK_CHANGES[0] + REACH)
    for minutes in (0, -1, -30, -10_000):
        assert ask(connection, timedelta(minutes=minutes), *between) == []
    for asked, given in (([15, 16, 17, 18], set()), ([18, 13], {13}), ([], set()), ([99, 2], {2})):
        assert {row[1] for row in ask(connection, HALF_HOUR, *between, asked)} == given


def test_green_half_hours_beside_a_gap_or_a_null_make_no_longer_window(
    energy: Energy, connection: psycopg.Connection
) -> None:
    first = CLOCK_CHANGES[0]
    values: tuple[int | str | None, ...] = (100, 1, None, 1, "gap", 1, 90, 95)
    intensity: dict[tuple[int, datetime], Value] = {
        (13, first + n * HALF_HOUR): (v, False) for n, v in enumerate(values) if not isinstance(v, str)
    }
    fill(energy, intensity, {first: (Decimal(5), False)})
    hour = (timedelta(hours=1), first, first + timedelta(hours=9))
    at = {number: first + number * HALF_HOUR for number in range(8)}
    assert [(row[2], row[4]) for row in ask(connection, *hour)] == [
        (at[5], Decimal("45.500")), (at[0], Decimal("50.500")), (at[6], Decimal("92.500")),
    ]  # fmt: skip
    assert [row[2] for row in ask(connection, HALF_HOUR, *hour[1:])] == [at[n] for n in (1, 3, 5, 6, 7, 0)]
    assert [row[2] for row in ask(connection, HALF_HOUR, *hour[1:], price=1)] == [at[0]], "the one with a price"
