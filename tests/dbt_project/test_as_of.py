"""`carbon_intensity_as_of()` gives what a reading of every capture gives."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.energy import Energy
from warehouse.periods import HALF_HOUR

NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The day before a clock change"""
REACH = timedelta(days=3)
INSERT = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, are_isolated, is_synthetic, fetched_at, updated_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
Capture = tuple[int, datetime, datetime, list[int | None], list[bool] | None, bool]


def by_hand(
    captures: list[Capture], known_at: datetime
) -> dict[tuple[int, datetime], tuple[int | None, datetime, bool]]:
    """The last real one known by then, a synthetic one only if there is no real one; NULL if it is isolated."""
    best: dict[tuple[int, datetime], tuple[tuple[bool, datetime], int | None]] = {}
    for region_id, captured, first, values, isolated, is_synthetic in captures:
        if not known_at - REACH < captured <= known_at:
            continue
        for n, value in enumerate(values):
            start = first + n * HALF_HOUR
            if value is None or start + HALF_HOUR <= known_at:
                continue
            rank = (not is_synthetic, captured)
            if (region_id, start) not in best or rank > best[region_id, start][0]:
                best[region_id, start] = (rank, None if isolated and isolated[n] else value)
    return {key: (value, captured, not real) for key, ((real, captured), value) in best.items()}


def some(chance: random.Random) -> list[Capture]:
    captures: list[Capture] = []
    for _ in range(120):
        captured = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 5), seconds=chance.randint(0, 59))
        if chance.random() < 0.2:  # on the half-hour itself
            captured = captured.replace(minute=30, second=0)
        first = captured.replace(minute=captured.minute // 30 * 30, second=0) + chance.randint(0, 4) * HALF_HOUR
        length = chance.randint(1, 96)
        values = [chance.randint(0, 400) if chance.random() > 0.1 else None for _ in range(length)]
        isolated = [chance.random() < 0.1 for _ in range(length)] if chance.random() < 0.8 else None
        captures.append((chance.choice([1, 13, 18]), captured, first, values, isolated, chance.random() < 0.3))
    return captures


@pytest.mark.parametrize("seed", range(4))
def test_it_gives_what_every_capture_gives(energy: Energy, seed: int) -> None:
    chance = random.Random(seed)
    captures = some(chance)
    with energy.database.connect() as connection:
        for region_id, captured, first, values, isolated, is_synthetic in captures:
            connection.execute(
                INSERT, [region_id, uuid.uuid4(), captured, first, values, isolated, is_synthetic, captured, captured]
            )
    moments = [NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 5)) for _ in range(12)]
    moments += [captured for _, captured, *_ in captures[:6]] + [NOON, NOON - timedelta(microseconds=1)]
    for known_at in moments:
        rows = energy.query("select * from carbon_intensity_as_of(%s)", known_at)
        expected = by_hand(captures, known_at)
        assert {(row[0], row[1]): row[2:] for row in rows} == expected, known_at
        assert [(row[0], row[1]) for row in rows] == sorted(expected)
        of_one = energy.query("select * from carbon_intensity_as_of(%s, 13::smallint)", known_at)
        assert of_one == [row for row in rows if row[0] == 13]
