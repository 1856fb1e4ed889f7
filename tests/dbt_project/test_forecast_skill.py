"""`forecast_skill` is kept by the days that change; it gives what every vintage beside every outcome gives."""

import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.dbt_runner import Dbt
from tests.energy import Energy
from warehouse.periods import HALF_HOUR

BY_HAND = """
with outcomes as (
    select 'carbon_intensity' as series, 18::smallint as region_id, period_start, actual_gco2_kwh::numeric as outcome
    from carbon_intensity_national where not is_synthetic
    union all
    select 'carbon_intensity', region_id, period_start, forecast_gco2_kwh
    from carbon_intensity_regional where not is_synthetic and region_id < 18 and fetched_at >= period_end
    union all
    select 'national_demand', 18, period_start, national_demand_mw from demand_actual_national where not is_synthetic
),
forecasts as (
    select 'carbon_intensity' as series, 'half_hourly' as forecast_type, region_id, period_start, known_at,
        forecast_gco2_kwh::numeric as forecast
    from carbon_intensity_vintages where not is_synthetic
    union all
    select 'national_demand', forecast_type, 18, period_start, known_at, national_demand_mw
    from demand_forecast_vintages where not is_synthetic
)
select series, region_id, forecast_type,
    greatest(0, floor(extract(epoch from period_start - known_at) / 3600))::smallint as lead_hours,
    count(*) as forecasts, round(avg(forecast - outcome), 2) as mean_error,
    round(avg(abs(forecast - outcome)), 2) as mean_absolute_error,
    round(sqrt(avg((forecast - outcome) ^ 2)), 2) as root_mean_square_error,
    case when series = 'national_demand' then 'MW' else 'gCO2/kWh' end as unit
from forecasts inner join outcomes using (series, region_id, period_start)
where outcome is not null group by series, region_id, forecast_type, lead_hours
"""
ZERO = datetime(2026, 3, 27, 12, tzinfo=UTC)
"""Two days before a clock change: a day of 46 half-hours lies in the middle."""
CLOCK_BACK = datetime(2026, 10, 23, 12, tzinfo=UTC)


def national(start: datetime, forecast: int | None, actual: int | None) -> dict[str, Any]:
    return {
        "from": f"{start:%Y-%m-%dT%H:%MZ}",
        "to": f"{start + HALF_HOUR:%Y-%m-%dT%H:%MZ}",
        "intensity": {"forecast": forecast, "actual": actual, "index": "low"},
    }


def regional(start: datetime, values: list[int]) -> dict[str, Any]:
    mix = [{"fuel": "gas", "perc": 50}, {"fuel": "wind", "perc": 50}]
    regions = [
        {"regionid": region_id, "intensity": {"forecast": value, "index": "low"}, "generationmix": mix}
        for region_id, value in enumerate(values, start=12)
    ]
    return {"from": f"{start:%Y-%m-%dT%H:%MZ}", "to": f"{start + HALF_HOUR:%Y-%m-%dT%H:%MZ}", "regions": regions}


def outturn(start: datetime, demand: int) -> dict[str, Any]:
    at = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "startTime": at,
        "publishTime": at,
        "initialDemandOutturn": demand,
        "initialTransmissionSystemDemandOutturn": demand,
    }


def day_ahead(start: datetime, demand: int) -> dict[str, Any]:
    at = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    return {"startTime": at, "publishTime": at, "nationalDemand": demand, "transmissionSystemDemand": demand}


class Upstreams:
    """Lands and publishes payloads of random values as the flows do, without fetching them."""

    def __init__(self, energy: Energy, chance: random.Random, dbt: Dbt):
        self.energy, self.chance, self.dbt, self.run_id = energy, chance, dbt, uuid.uuid4()
        energy.query("insert into ops.runs (run_id, flow) values (%s, 'refresh')", self.run_id)

    def land(self, dataset: str, at: datetime, rows: list[dict[str, Any]], *, origin: str = "live") -> None:
        payload_id = uuid.UUID(int=self.chance.getrandbits(128))
        instants = [row.get("from") or row["startTime"] for row in rows]
        with self.energy.database.connect() as connection:
            connection.execute(
                f"insert into staging.{dataset}_payloads (payload_id, payload, origin, request_url, request_params, "
                "window_start, window_end, fetched_at, body_bytes, run_id, _dlt_load_id, _dlt_id) values "
                "(%(id)s, %(body)s, %(origin)s, '', '{}', %(first)s, %(last)s, %(at)s, 1, %(id)s, '', %(id)s::text)",
                {
                    "id": payload_id,
                    "body": json.dumps({"data": rows}),
                    "origin": origin,
                    "first": min(instants),
                    "last": max(instants),
                    "at": at,
                },
            )
            connection.execute(
                "insert into ops.payload_verdicts (payload_id, dataset, verdict, run_id) values (%s, %s, 'passed', %s)",
                [payload_id, dataset, self.run_id],
            )

    def speak(self, at: datetime) -> None:
        """What the upstreams say at an instant: of some hours that have been, and of two days to come."""
        chance = self.chance
        this = at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)
        starts = [this + n * HALF_HOUR for n in range(-chance.randint(0, 60), chance.randint(1, 96))]
        starts = [start for start in starts if chance.random() > 0.05]
        origin = "synthetic" if chance.random() < 0.2 else "live"
        rows = [
            national(s, chance.choice([None, chance.randint(0, 400)]), chance.randint(1, 400))
            if s < this
            else national(s, chance.randint(0, 400), None)
            for s in starts
        ]
        self.land("carbon_intensity__national", at, rows, origin=origin)
        # in a row, and near each other and their mix: what stands apart or contradicts it is no forecast
        first = chance.randrange(len(starts))
        few = starts[first : first + 20]
        origin = "synthetic" if chance.random() < 0.2 else "live"
        rows = [regional(s, [chance.randint(200, 240) for _ in range(3)]) for s in few]
        self.land("carbon_intensity__regional", at, rows, origin=origin)
        been = [s for s in starts if s < this]
        if been:
            self.land("elexon__demand_outturn", at, [outturn(s, chance.randint(20_000, 45_000)) for s in been])
        coming = [s for s in starts if s >= this]
        if coming:
            self.land("elexon__demand_forecast", at, [day_ahead(s, chance.randint(20_000, 45_000)) for s in coming])

    def publish(self) -> None:
        for built in (self.dbt.unpack(self.dbt.pending()), self.dbt.publish(self.dbt.pending())):
            assert not built.failures, built.failures

    def skill(self) -> set[tuple[Any, ...]]:
        return set(self.energy.query("select * from forecast_skill"))

    def by_hand(self) -> set[tuple[Any, ...]]:
        return set(self.energy.query(BY_HAND))


@pytest.fixture
def upstreams(energy: Energy, request: pytest.FixtureRequest) -> Iterator[Upstreams]:
    dbt = Dbt(energy.database, energy.data_dir)
    yield Upstreams(energy, random.Random(getattr(request, "param", 0)), dbt)
    dbt.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("upstreams", "zero"), [(seed, zero) for seed, zero in enumerate((ZERO, CLOCK_BACK))], indirect=["upstreams"]
)
def test_whatever_arrives_in_whatever_order_it_gives_what_every_vintage_gives(
    upstreams: Upstreams, zero: datetime
) -> None:
    chance = upstreams.chance
    for round_ in range(6):
        for _ in range(chance.randint(1, 8)):
            # revisions, late actuals, backfills: an instant may lie before those that were published already
            upstreams.speak(zero + timedelta(minutes=chance.randint(0, 5 * 24 * 60)))
        upstreams.publish()
        assert upstreams.skill() == upstreams.by_hand(), round_
    assert len({(row[0], row[1], row[2]) for row in upstreams.skill()}) == 5
    kept = upstreams.skill()
    for table in ("days", "months"):
        upstreams.energy.query(f"drop table intermediate.int_forecast_skill__{table} cascade")
    upstreams.publish()
    assert upstreams.skill() == kept, "built again from the tables"


def test_an_outcome_that_is_taken_back_no_longer_counts(upstreams: Upstreams) -> None:
    start = ZERO + timedelta(hours=3)
    upstreams.land("carbon_intensity__national", ZERO, [national(start, 100, None)])
    upstreams.land("carbon_intensity__national", start + HALF_HOUR, [national(start, 100, 90)])
    upstreams.publish()
    assert {row[3:6] for row in upstreams.skill()} == {(3, 1, 10)}
    upstreams.land("carbon_intensity__national", start + 2 * HALF_HOUR, [national(start, 100, None)])
    upstreams.publish()
    assert upstreams.skill() == upstreams.by_hand() == set()


def test_sums_outlive_the_vintages_that_maintenance_removes(upstreams: Upstreams) -> None:
    from flows.maintenance import remove_payloads

    energy, start = upstreams.energy, ZERO + timedelta(hours=3)
    for at, forecast in ((ZERO, 100), (ZERO + timedelta(minutes=40), 120)):
        upstreams.land("carbon_intensity__national", at, [national(start, forecast, None)])
    upstreams.land("carbon_intensity__national", start + HALF_HOUR, [national(start, 120, 90)])
    upstreams.publish()
    before = upstreams.skill()
    assert {row[3:6] for row in before} == {(3, 1, 10), (2, 1, 30)}
    assert remove_payloads(energy.database, ZERO + timedelta(minutes=30))["carbon_intensity__national"] == 1
    assert energy.value("select count(*) from carbon_intensity_vintages") == 1, "and the sums stay"
    assert upstreams.skill() == before
    upstreams.land("carbon_intensity__national", start + 2 * HALF_HOUR, [national(start, 120, 95)])
    upstreams.publish()
    assert upstreams.skill() == before, "nothing is counted again without the vintages that are gone"
