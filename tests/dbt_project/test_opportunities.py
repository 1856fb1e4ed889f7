"""What is offered now, against plain Python: regional_opportunities, carbon_intensity_forecast_24h, workload_opportunities.

Each case is a transaction, in which now() stands still; it is undone at the end.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.dbt_project.test_best_windows import rounded
from tests.dbt_project.test_views import HALF_HOUR, half_hour, insert
from tests.energy import Energy
from tests.warehouse.app_rows import HOUR, add, become, operator, place, workload
from warehouse.prepare import limit_regions

LENGTHS = (1, 2, 4, 8)
DAY = timedelta(days=1)
US = timedelta(microseconds=1)


@dataclass
class Moment:
    """An instant: what is in the tables and what the views say of it."""

    db: psycopg.Connection[Any]
    now: datetime
    this: datetime
    """Start of the half-hour that holds now"""

    def query(self, statement: str, *values: Any) -> list[Any]:
        cursor = self.db.execute(statement, values or None)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self.db.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query).fetchall()  # type: ignore[arg-type]

    def put(self, table: str, *rows: dict[str, Any]) -> None:
        insert(self, table, *({"fetched_at": self.now - HOUR} | row for row in rows))  # type: ignore[arg-type]

    @contextmanager
    def case(self) -> Iterator[None]:
        with self.db.transaction(force_rollback=True):
            yield


@pytest.fixture
def moment(energy: Energy) -> Iterator[Moment]:
    with energy.database.connect(autocommit=False) as db:
        db.execute("truncate app.operators cascade")  # the examples
        limit_regions(db, 99_999)
        row = db.execute("select now(), date_bin('30 minutes', now(), timestamptz '2000-01-01 00:00Z')").fetchone()
        assert row
        yield Moment(db, *row)
        db.rollback()


Values = dict[tuple[int, datetime], dict[str, Any]]


def some_grid(moment: Moment, chance: random.Random) -> tuple[Values, dict[datetime, Decimal | None]]:
    """Intensity of some regions with gaps, nulls and ties, from yesterday until beyond the horizon; and prices."""
    regions = chance.sample(range(1, 15), chance.choice((1, 9, 14)))
    spread = chance.choice((2, 30, 300))
    grid: Values = {}
    for region in [*regions, *range(15, 19)]:
        for n in range(-3, chance.choice((8, 60, 96, 110))):
            if chance.random() > 0.04:
                value = None if chance.random() < 0.04 else chance.randrange(spread) if region < 15 else 0
                fetched = moment.now - timedelta(seconds=chance.randrange(9999))
                grid[region, moment.this + n * HALF_HOUR] = {
                    "forecast_gco2_kwh": value, "is_synthetic": chance.random() < 0.2, "fetched_at": fetched,
                    "intensity_index": chance.choice(("low", "high")),
                }  # fmt: skip
    prices = {
        moment.this + n * HALF_HOUR: None if chance.random() < 0.05 else Decimal(chance.choice(("-3.5", "40.25", "77")))
        for n in range(-3, 50)
        if chance.random() > 0.1
    }
    moment.put("carbon_intensity_regional", *(half_hour(at, region_id=r, **row) for (r, at), row in grid.items()))
    day_ahead = {"market": "n2ex_day_ahead"}
    moment.put("wholesale_prices", *(half_hour(at, price_gbp_mwh=p, **day_ahead) for at, p in prices.items()))
    return grid, prices


def opportunity(moment: Moment, region: int, grid: Values, prices: dict[datetime, Any]) -> dict[str, Any]:
    """The row of a region but for its name, mix, capacity and rank, found by looking everywhere."""
    end = moment.now + 48 * HOUR
    known = {at: row for (r, at), row in grid.items() if r == region and moment.this <= at < end}
    green = {at: row["forecast_gco2_kwh"] for at, row in known.items() if row["forecast_gco2_kwh"] is not None}
    here = known.get(moment.this, {})
    now = here.get("forecast_gco2_kwh")
    row: dict[str, Any] = {
        "now_period_start": moment.this if here else None, "now_gco2_kwh": now,
        "now_intensity_index": here.get("intensity_index"), "now_price_gbp_mwh": prices.get(moment.this),
        "data_age": _age(moment, grid, known, region),
        "synthetic_age": min((moment.now - r["fetched_at"] for r in known.values() if r["is_synthetic"]), default=None),
        "synthetic_share": rounded(Fraction(sum(r["is_synthetic"] for r in known.values()), len(known)), 4) if known else None,
    }  # fmt: skip
    for hours in LENGTHS:
        sums = []
        for start in (at for at in green if at >= moment.now):
            run = [start + n * HALF_HOUR for n in range(2 * hours)]
            if all(at in green for at in run):
                sums.append((sum(green[at] for at in run), start))
        total, start = min(sums, default=(None, None))
        mean = None if total is None else rounded(Fraction(total, 2 * hours), 1)
        run = timedelta(hours=hours)
        used = [
            (green.get(at), min(at + HALF_HOUR, moment.now + run) - max(at, moment.now))
            for n in range(2 * hours + 1)
            if (at := moment.this + n * HALF_HOUR) < moment.now + run
        ]
        is_known = all(value is not None for value, _ in used)
        at_once = (
            sum(Fraction(value or 0) * Fraction(part // US, run // US) for value, part in used) if is_known else None
        )
        soonest = None if at_once is None else rounded(at_once, 1)
        if at_once is not None and (total is None or at_once <= Fraction(total, 2 * hours)):
            start, mean = moment.now, soonest
        saving = None if mean is None or soonest is None else soonest - mean
        pct = rounded(Fraction(saving) * 100 / Fraction(soonest), 1) if saving is not None and soonest else None
        held = None if start is None else moment.this if start == moment.now else start
        row |= {
            f"now_{hours}h_gco2_kwh": soonest,
            f"best_{hours}h_start": start, f"best_{hours}h_gco2_kwh": mean, f"saving_{hours}h_gco2_kwh": saving,
            f"saving_{hours}h_pct": pct,
            f"best_{hours}h_price_gbp_mwh": prices.get(held) if held else None,
        }  # fmt: skip
    return row


def _age(moment: Moment, grid: Values, known: dict[datetime, Any], region: int) -> timedelta | None:
    """Of the newest real value to come; if none is real, of the last real one that there was."""
    real = [row["fetched_at"] for row in known.values() if not row["is_synthetic"]]
    if real:
        return moment.now - max(real)
    past = {
        at: row["fetched_at"]
        for (r, at), row in grid.items()
        if r == region and not row["is_synthetic"] and row["forecast_gco2_kwh"] is not None
    }
    return moment.now - past[max(past)] if past else None


def test_opportunities_are_what_looking_everywhere_finds(moment: Moment) -> None:
    for seed in range(30):
        chance = random.Random(seed)
        with moment.case():
            grid, prices = some_grid(moment, chance)
            mixes = {region: round(chance.uniform(0, 100), 1) for region in chance.sample(range(1, 19), 12)}
            moment.put("generation_mix_regional", *(
                half_hour(moment.this + n * HALF_HOUR, region_id=region, renewable_pct=share if n == 0 else 0)
                for region, share in mixes.items() for n in (-1, 0, 1)
            ))  # fmt: skip
            found = {row["region_id"]: row for row in moment.rows("select * from regional_opportunities")}
        assert sorted(found) == list(range(1, 15)), "always fourteen, and no aggregate"
        means = {
            region: row["best_4h_gco2_kwh"] for region, row in found.items() if row["best_4h_gco2_kwh"] is not None
        }
        for region, row in found.items():
            wanted = opportunity(moment, region, grid, prices)
            savings = [row[f"saving_{hours}h_gco2_kwh"] for hours in LENGTHS]
            assert all(saving is None or saving >= 0 for saving in savings), (
                "nothing is recommended that is worse than now"
            )
            assert {column: row[column] for column in wanted} == wanted, (seed, region)
            assert row["now_renewable_pct"] == (Decimal(str(mixes[region])) if region in mixes else None)
            assert row["open_capacity_mw"] == 0
            ahead = sum(mean < means[region] for mean in means.values()) if region in means else None
            assert row["rank"] == (None if ahead is None else ahead + 1)


def test_fourteen_rows_know_nothing_where_nothing_is_known(moment: Moment) -> None:
    rows = moment.rows("select * from regional_opportunities order by region_id")
    assert [row["region_id"] for row in rows] == list(range(1, 15))
    for row in rows:
        assert row.pop("region_name") and row.pop("region_id") and row.pop("open_capacity_mw") == 0
        assert set(row.values()) == {None}


def windows(moment: Moment, *rows: dict[str, Any]) -> None:
    """Beckn windows of 1 MW in region 13, all day long, unless something else is said."""
    zones = {"of 13": 13, "of 2": 2, "of the sea": None}
    zone = {"grid_area": "a", "zone_code": "b", "geometry": {}, "address_differs": False}
    moment.put("grid_zones", *(zone | {"zone_id": key, "region_id": region} for key, region in zones.items()))
    whole_day = {"zone_id": "of 13", "starts_at_time": "00:00", "ends_at_time": "00:00", "crosses_midnight": True}
    always = {"provider_id": "p", "name": "w", "capacity_mw": 1, "reservation_required": False, **whole_day}
    moment.put("compute_windows", *(always | {"window_id": str(n)} | row for n, row in enumerate(rows)))
    for back in (2, 1):  # the snapshot before the last counts for nothing
        moment.put("grid_snapshots", *(
            {"window_id": str(n), "observed_at": moment.now - back * HOUR, "available_capacity_mw": 1 if back == 1 else 500}
            for n in range(len(rows))
        ))  # fmt: skip


def open_capacity(moment: Moment) -> dict[int, Any]:
    found = moment.query("select region_id, open_capacity_mw from regional_opportunities where open_capacity_mw <> 0")
    return dict(found)


def test_capacity_is_that_of_the_windows_that_are_open_now_across_midnight_too(moment: Moment) -> None:
    minute = timedelta(minutes=1)
    clock = datetime.combine(moment.now.date(), moment.now.time())
    chance = random.Random(24)
    pairs = [
        (-1, 1),
        (1, 2),
        (-2, -1),
        (-1, -2),
        (2, 1),
        (1, -1),
        *((chance.randrange(1440), chance.randrange(1440)) for _ in range(40)),
    ]
    rows, expected = [], Counter[int]()
    for opens, closes in pairs:
        begins, ends = ((clock + n * minute).time() for n in (opens, closes))
        crosses = ends <= begins
        zone, region = chance.choice((("of 13", 13), ("of 2", 2), ("of the sea", None)))
        rows.append({"starts_at_time": begins, "ends_at_time": ends, "crosses_midnight": crosses, "zone_id": zone})
        since = (clock - datetime.combine(clock, begins)) % DAY
        if since < ((datetime.combine(clock, ends) - datetime.combine(clock, begins)) % DAY or DAY) and region:
            expected[region] += 1
    windows(moment, *rows)
    assert open_capacity(moment) == expected and min(expected.values()) > 3


def test_a_window_that_expired_is_not_open(moment: Moment) -> None:
    at = {"past": moment.now - HOUR, "coming": moment.now + HOUR}
    windows(moment, {"valid_until": at["past"]}, {"valid_until": at["coming"]}, {"valid_from": at["past"]}, {})
    assert open_capacity(moment) == {13: 3}


def test_a_window_that_is_not_valid_yet_is_not_open(moment: Moment) -> None:
    windows(moment, {"valid_from": moment.now + HOUR}, {"valid_from": moment.now - HOUR})
    assert open_capacity(moment) == {13: 1}


def test_the_forecast_of_24_hours_begins_with_the_half_hour_that_holds_now(moment: Moment) -> None:
    chance = random.Random(48)
    grid, _ = some_grid(moment, chance)
    national = {moment.this + n * HALF_HOUR: 500 + n for n in range(-10, 80)}
    moment.put("carbon_intensity_national", *(half_hour(at, forecast_gco2_kwh=v) for at, v in national.items()))
    coming = [moment.this + n * HALF_HOUR for n in range(49) if moment.this + n * HALF_HOUR < moment.now + DAY]
    wanted = {(r, at): row["forecast_gco2_kwh"] for (r, at), row in grid.items() if r < 15 and at in coming}
    wanted |= {(18, at): national[at] for at in coming}
    rows = moment.rows("select * from carbon_intensity_forecast_24h")
    assert {(row["region_id"], row["period_start"]): row["forecast_gco2_kwh"] for row in rows} == wanted
    assert len(rows) == len(wanted) and all(row["period_end"] == row["period_start"] + HALF_HOUR for row in rows)
    assert {row["region_name"] for row in rows if row["region_id"] == 18} == {"Great Britain"}
    assert all(row["data_age"] == moment.now - row["fetched_at"] for row in rows)


def some_workload(
    moment: Moment, chance: random.Random, by: Any, assets: list[tuple[Any, list[int]]]
) -> dict[str, Any]:
    """A workload of any kind, as it was requested; and where it may run."""
    asset, at_asset = chance.choice([(None, None), (None, None), *assets])
    asked = {
        "asset_id": asset, "region_ids": chance.choice((None, [13], sorted(chance.sample(range(1, 15), 4)))),
        "is_deferrable": chance.random() < 0.85, "carbon_to_cost_weight": Decimal(chance.choice(("1", "1", "0", "0.25"))),
        "carbon_cap_gco2_kwh": chance.choice((None, None, None, 10)), "price_cap_gbp_mwh": chance.choice((None, None, None, 41)),
        "minutes": chance.choice((1, 30, 45, 60, 240)), "kw": Decimal(chance.choice(("6.5", "120", "0.75"))),
        "earliest_start": moment.now + chance.choice((-20, -2, 3)) * HOUR,
    }  # fmt: skip
    asked["deadline"] = asked["earliest_start"] + max(
        chance.choice((1, 30, 50)) * HOUR, timedelta(minutes=asked["minutes"])
    )
    this = workload(moment.db, by, **asked)
    placement_id = None
    status = chance.choice(("pending", "pending", "scheduled", "running", "cancelled"))
    if status in ("scheduled", "running"):
        placement_id = place(moment.db, this, at=asked["earliest_start"], capacity_kw=99_999)
        become(moment.db, this, "scheduled", placement_id=placement_id)
    if status in ("running", "cancelled"):
        become(moment.db, this, status)
    places = at_asset if asset else asked["region_ids"]
    return {**asked, "workload_id": this, "status": status, "places": places, "is_placed": placement_id is not None}


def best_window(moment: Moment, asked: dict[str, Any]) -> dict[str, Any]:
    """What workload_opportunities says of a workload, by best_windows() and its caps."""
    between = [timedelta(minutes=asked["minutes"]), max(asked["earliest_start"], moment.now), asked["deadline"]]
    weight = asked["carbon_to_cost_weight"]
    weights = json.dumps({"carbon": str(weight * Decimal("0.264")), "price": str(1 - weight)})
    query = "select region_id, starts_at, ends_at, mean_gco2_kwh, mean_price_gbp_mwh, synthetic_share from best_windows"
    carbon_cap, price_cap = asked["carbon_cap_gco2_kwh"], asked["price_cap_gbp_mwh"]
    best = [
        row
        for row in moment.query(f"{query}(%s, %s, %s, %s::smallint[], %s)", *between, asked["places"], weights)
        if (carbon_cap is None or row[3] <= carbon_cap)
        and (price_cap is None or (row[4] is not None and row[4] <= price_cap))
    ]
    names = ("best_region_id", "best_start", "best_end", "best_gco2_kwh", "best_price_gbp_mwh", "synthetic_share")
    said = dict.fromkeys((*names, "best_carbon_kg", "saving_against_soonest_kg", "saving_against_placement_kg"))
    if best:
        region, mean, mwh = best[0][0], best[0][3], Fraction(asked["kw"]) * asked["minutes"] / 60_000
        soonest = min(moment.query(f"{query}(%s, %s, %s, %s::smallint[])", *between, [region]), key=lambda row: row[1])
        said |= dict(zip(names, best[0], strict=True)) | {
            "best_carbon_kg": rounded(Fraction(mean) * mwh, 4),
            "saving_against_soonest_kg": rounded(Fraction(soonest[3] - mean) * mwh, 4),
            "saving_against_placement_kg": rounded((100 - Fraction(mean)) * mwh, 4) if asked["is_placed"] else None,
        }
    return said


def test_each_waiting_and_deferrable_workload_has_its_best_window_within_its_caps(moment: Moment) -> None:
    counts = Counter[str]()
    for seed in range(8):
        chance = random.Random(seed)
        with moment.case():
            some_grid(moment, chance)
            windows(moment, {})
            by = operator(moment.db)
            rack = {"operator_id": by, "rated_power_kw": 999_999}
            assets = [(add(moment.db, "compute_assets", name="r", region_id=5, **rack), [5])]
            for zone, regions in (("of 13", [13]), ("of the sea", [None]), ("unheard of", [None])):
                assets.append((add(moment.db, "compute_assets", name=zone, zone_id=zone, **rack), regions))
            asked = [some_workload(moment, chance, by, assets) for _ in range(40)]
            waiting = [a for a in asked if a["status"] in ("pending", "scheduled") and a["is_deferrable"]]
            found = {row["workload_id"]: row for row in moment.rows("select * from workload_opportunities")}
            assert set(found) == {one["workload_id"] for one in waiting}
            for one in waiting:
                row, wanted = found[one["workload_id"]], best_window(moment, one)
                assert {column: row[column] for column in wanted} == wanted, (seed, one)
                placed = (one["earliest_start"], 13, 100) if one["is_placed"] else (None, None, None)
                assert (row["placed_start"], row["placed_region_id"], row["placed_gco2_kwh"]) == placed
                counts["none" if wanted["best_start"] is None else "some"] += 1
                counts["saves"] += bool(wanted["saving_against_placement_kg"])
    assert min(counts.values()) > 15, counts
