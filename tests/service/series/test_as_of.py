"""As-of and horizon: what was known at an instant, and no later."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.conftest import Api, instant
from tests.service.series.series_read import HALF_HOUR, NATIONAL, NOON, REGIONAL, comparable, pages, table_of

CAPTURE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, are_isolated, is_synthetic, fetched_at, updated_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@pytest.fixture
def captured(api: Api) -> Api:
    """With captures of one region and of Great Britain: many of the same half-hours, some synthetic, some isolated."""
    chance = random.Random(7)
    with api.database.connect() as connection:
        for _ in range(150):
            known_at = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 4), seconds=chance.randint(0, 59))
            first = known_at.replace(minute=known_at.minute // 30 * 30, second=0) + chance.randint(0, 4) * HALF_HOUR
            length = chance.randint(1, 96)
            values = [chance.randint(0, 400) if chance.random() > 0.1 else None for _ in range(length)]
            isolated = [chance.random() < 0.1 for _ in range(length)]
            connection.execute(
                CAPTURE,
                [
                    chance.choice([13, 3, 18]), uuid.uuid4(), known_at, first, values, isolated, chance.random() < 0.3,
                    known_at, known_at,
                ],
            )  # fmt: skip
    return api


def as_of(api: Api, known_at: datetime, *regions: int) -> list[tuple[Any, ...]]:
    return api.query(
        "select period_start, region_id, forecast_gco2_kwh::float8, is_synthetic, forecast_known_at "
        "from carbon_intensity_as_of(%s) where region_id = any(%s) order by period_start, region_id",
        known_at, list(regions),
    )  # fmt: skip


def test_as_of_is_what_carbon_intensity_as_of_gives_at_any_instant(captured: Api) -> None:
    chance, compared = random.Random(11), 0
    for _ in range(40):
        known_at = NOON - timedelta(
            minutes=chance.randint(-60 * 26, 60 * 24 * 5), microseconds=chance.randint(0, 10**6)
        )
        spelled = known_at.isoformat()
        rows = captured.get(REGIONAL, params={"as_of": spelled, "limit": 10_000})["rows"]
        found = [
            (instant(r["period_start"]), r["region_id"], r["value"], r["is_synthetic"], instant(r["known_at"]))
            for r in rows
        ]
        assert found == as_of(captured, known_at, *range(1, 19)), known_at
        one = captured.get(REGIONAL, params={"as_of": spelled, "city": "London"})["rows"]
        assert one == [row for row in rows if row["region_id"] == 13]
        national = captured.get(NATIONAL, params={"as_of": spelled})["rows"]
        assert [(r["period_start"], r["value"]) for r in national] == [
            (r["period_start"], r["value"]) for r in rows if r["region_id"] == 18
        ]
        compared += len(rows)
    assert compared > 1000
    both = captured.get(REGIONAL, params={"as_of": NOON.isoformat(), "region_id": [3, 13], "to": "2026-10-24T18:00Z"})
    assert {row["region_id"] for row in both["rows"]} == {3, 13}
    assert max(row["period_start"] for row in both["rows"]) < "2026-10-24T18:00:00Z"


DEMAND_CAPTURE = """
insert into intermediate.int_demand_forecasts__captures
    (payload_id, forecast_type, source, known_at, first_period_start, national_demand_mw, is_synthetic, fetched_at, updated_at)
values (%s, %s, 'neso', %s, %s, %s, %s, %s, %s)
"""


def test_demand_as_of_is_the_best_that_was_known_then(api: Api) -> None:
    chance, captures = random.Random(5), []
    for _ in range(60):
        known_at = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 16), seconds=chance.randint(0, 59))
        first = known_at.replace(minute=known_at.minute // 30 * 30, second=0) + chance.randint(0, 4) * HALF_HOUR
        kind = chance.choice(["day_ahead", "2_to_14_days_ahead", "day_ahead_interpolated"])
        values = [
            chance.randint(20_000, 40_000) if chance.random() > 0.1 else None for _ in range(chance.randint(1, 200))
        ]
        captures.append((known_at, first, kind, values, chance.random() < 0.3))
        mine = [uuid.uuid4(), kind, known_at, first, values, captures[-1][-1], known_at, known_at]
        with api.database.connect() as connection:
            connection.execute(DEMAND_CAPTURE, mine)
    for _ in range(10):
        at = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 5))
        expected: dict[datetime, tuple[Any, ...]] = {}
        for known_at, first, kind, values, is_synthetic in captures:
            for n, value in enumerate(values):
                start = first + n * HALF_HOUR
                if value is None or not at - timedelta(days=14) < known_at <= at or start + HALF_HOUR <= at:
                    continue
                better = (not is_synthetic, kind != "day_ahead_interpolated", known_at, value, is_synthetic)
                expected[start] = max(better, expected.get(start, better))
        asked = {"as_of": at.isoformat(), "limit": 500}
        rows = pages(api, "/series/demand_national_forecast", **asked)
        assert [(instant(r["period_start"]), r["value"], r["is_synthetic"], instant(r["known_at"])) for r in rows] == [
            (start, value, is_synthetic, known_at)
            for start, (*_, known_at, value, is_synthetic) in sorted(expected.items())
        ]
        assert len(rows) > 50
        assert comparable(
            table_of(api, "arrow", "/series/demand_national_forecast", **asked).to_pylist()
        ) == comparable(rows[:500])


@pytest.mark.slow
@pytest.mark.parametrize("horizon", ["30m", "24h", "2d"])
def test_a_horizon_is_what_was_known_so_long_before_each_half_hour(captured: Api, horizon: str) -> None:
    ahead = {"30m": HALF_HOUR, "24h": timedelta(hours=24), "2d": timedelta(days=2)}[horizon]
    asked = {"horizon": horizon, "from": "2026-10-21T00:00Z", "to": "2026-10-26T00:00Z", "region_id": [13, 18]}
    rows = pages(captured, REGIONAL, **asked, limit=100)
    expected = []
    start = datetime(2026, 10, 21, tzinfo=UTC)
    while start < datetime(2026, 10, 26, tzinfo=UTC):
        expected += [row for row in as_of(captured, start - ahead, 13, 18) if row[0] == start]
        start += HALF_HOUR
    assert [
        (instant(r["period_start"]), r["region_id"], r["value"], r["is_synthetic"], instant(r["known_at"]))
        for r in rows
    ] == expected
    assert len(expected) > 50 or horizon == "2d"
    assert comparable(table_of(captured, "arrow", REGIONAL, **asked).to_pylist()) == comparable(rows)
