"""The staging checkpoint: what landed, before dbt publishes it. Only rows that are still to be published are read.

A dataset that fails is held back: its payloads get the verdict `held` with the reason, and dbt leaves them out. Where
several payloads wait, each is judged alone, so that one bad payload does not hold back the others.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from great_expectations import expectations as gxe

from checkpoints.suite import Suites, failed, rows_that
from warehouse.database import Database, Role
from warehouse.ledger import QualityResult, Run

BATCH_SCHEMA = "intermediate"
# The shares below are of rows. A few impossible values are an upstream's normal (they become NULL, and are counted);
# a tenth of them means that the upstream, or our reading of it, has changed.
TOLERATED_FAULTS = 0.9


def _common(value_column: str, *, since: int, days_ahead: int = 1, there: float = 0.5) -> list[Any]:
    """What holds of every dataset: rows within its time, few that are impossible, and enough of its value."""
    return [
        rows_that(
            f"rows lie between {since} and {days_ahead} days ahead",
            f"select * from {{batch}} where period_start < '{since - 1}-12-31T00:00:00+00:00' "
            f"or period_start > now() + interval '{days_ahead} days'",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="fault", mostly=TOLERATED_FAULTS, description="at least 90 % of the rows are possible"
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="fault", severity="warning", description="no row had to be set aside as impossible"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column=value_column, mostly=there, description=f"at least {there:.0%} of {value_column} is there"
        ),
    ]


EXPECTATIONS: dict[str, list[Any]] = {
    "carbon_intensity__national": _common("forecast_gco2_kwh", since=2017, days_ahead=15),
    "carbon_intensity__regional": _common("forecast_gco2_kwh", since=2017, days_ahead=15),
    "carbon_intensity__generation": _common("renewable_pct", since=2017, days_ahead=15),
    "neso__demand_history": _common("national_demand_mw", since=2001),
    # a quarter of its rows are forecasts of embedded generation, without a demand
    "neso__demand_update": _common("embedded_wind_mw", since=2017, days_ahead=10),
    "neso__demand_forecast_2_14d": _common("national_demand_mw", since=2017, days_ahead=17),
    "neso__demand_forecast_day_ahead": _common("national_demand_mw", since=2017),
    "neso__demand_forecast_cardinal": _common("national_demand_mw", since=2017, days_ahead=3),
    "neso__n2ex_day_ahead": _common("price_gbp_mwh", since=2021, days_ahead=3),
    "neso__eac_results": _common("price_gbp_mw_h", since=2023, days_ahead=5),
    "neso__dfs_utilisation": _common("price_gbp_mwh", since=2022, days_ahead=15, there=0.1),
    "elexon__market_index": _common("price_gbp_mwh", since=2016),
    "elexon__system_prices": _common("price_gbp_mwh", since=2016),
    "elexon__demand_outturn": _common("national_demand_mw", since=2016),
    "elexon__demand_forecast": _common("national_demand_mw", since=2016, days_ahead=5),
    "beckn__catalogue": _common("renewable_pct", since=2024),
    "elexon__demand_forecast_zonal": _common("demand_mw", since=2016, days_ahead=5),
}


@dataclass(frozen=True)
class Verdict:
    """What became of the payloads of a dataset that waited to be published."""

    dataset: str
    passed: int
    held: dict[uuid.UUID, str]
    set_aside: dict[str, int]
    """Impossible values that stay in the payload and become NULL: how many rows, by fault."""
    results: list[QualityResult]


def judge(database: Database, run: Run, suites: Suites, dataset: str) -> Verdict:
    """Judge what waits of a dataset, and record the verdict payload by payload."""
    waiting = _waiting(database, dataset)
    held: dict[uuid.UUID, str] = {}
    results: list[QualityResult] = []
    if any(rows for rows in waiting.values()):
        results = _run(suites, dataset)
        reason = _reason(results)
        if reason and len(waiting) > 1:
            for payload_id in waiting:
                alone = _reason(_run(suites, dataset, payload_id))
                if alone:
                    held[payload_id] = alone
            reason = None
        elif reason:
            held = dict.fromkeys(waiting, reason)
        run.record_quality(results)
    passed = [payload_id for payload_id in waiting if payload_id not in held]
    run.record_verdicts(dataset, passed, held_because=None)
    for payload_id, because in held.items():
        run.record_verdicts(dataset, [payload_id], held_because=because)
    return Verdict(
        dataset=dataset, passed=len(passed), held=held, set_aside=_faults(database, dataset), results=results
    )


def _waiting(database: Database, dataset: str) -> dict[uuid.UUID, int]:
    """The payloads that wait to be published, with how many rows each has."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        rows = connection.execute(
            f"select batch.payload_id, count(batch.period_start) from {BATCH_SCHEMA}.int_{dataset}_batch as batch "
            "where not exists (select 1 from ops.payload_verdicts as verdict where verdict.payload_id = batch.payload_id) "
            "group by batch.payload_id"
        ).fetchall()
    return dict(rows)


def _faults(database: Database, dataset: str) -> dict[str, int]:
    with database.connect(role=Role.TRANSFORMER) as connection:
        rows = connection.execute(
            f"select fault, count(*) from {BATCH_SCHEMA}.int_{dataset}_batch where fault is not null group by fault"
        ).fetchall()
    return dict(rows)


def _run(suites: Suites, dataset: str, payload_id: uuid.UUID | None = None) -> list[QualityResult]:
    query = f"select * from {BATCH_SCHEMA}.int_{dataset}_batch where period_start is not null"
    if payload_id:
        query += f" and payload_id = '{payload_id}'"
    return suites.run(checkpoint="staging", dataset=dataset, query=query, expectations=EXPECTATIONS[dataset])


def _reason(results: list[QualityResult]) -> str | None:
    """Why these rows are held back, or None if they are not."""
    faults = failed(results)
    return (
        "; ".join(f"not met: {fault.description}" + (f" ({fault.raised})" if fault.raised else "") for fault in faults)
        or None
    )
