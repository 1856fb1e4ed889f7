"""The clean checkpoint: what dbt built, over the half-hours that this run published. Nothing older is read again."""

from typing import Any

from checkpoints.suite import Suites, rows_that
from warehouse.database import Database, Role
from warehouse.ledger import QualityResult, Run


def _provenance(dataset: str, key: str) -> list[Any]:
    return [
        rows_that(
            "each row's payload is in staging",
            f"select * from (select * from {{batch}}) as clean where not exists (select 1 from "
            f"staging.{dataset}_payloads as payload where payload.payload_id = clean.payload_id)",
        ),
        rows_that(
            "no synthetic row stands where a real one was published",
            # the synthetic rows first: where there are none, nothing is looked for
            f"with standing as materialized (select {key} from {{batch}} where is_synthetic), passed as materialized "
            f"(select payload_id from ops.payload_verdicts where verdict = 'passed') select {key} from standing join "
            f"intermediate.int_{dataset}_batch as landed using ({key}) join passed using (payload_id) "
            "where not landed.is_synthetic",
        ),
        rows_that(
            "nothing was fetched in the future", "select * from {batch} where fetched_at > now() + interval '5 minutes'"
        ),
    ]


def _all_regions() -> list[Any]:
    return [
        rows_that(
            "each half-hour has all 18 regions",
            "select period_start from {batch} group by period_start having count(*) < 18",
            severity="warning",
        )
    ]


_REGIONAL_KEY = "region_id, period_start"
# table -> (the dataset that feeds it, expectations)
TABLES: dict[str, tuple[str, list[Any]]] = {
    "carbon_intensity_national": (
        "carbon_intensity__national",
        [
            *_provenance("carbon_intensity__national", "period_start"),
            rows_that(
                "a half-hour that has not begun has no actual",
                "select * from {batch} where actual_gco2_kwh is not null and period_start > now()",
            ),
        ],
    ),
    "carbon_intensity_regional": (
        "carbon_intensity__regional",
        [*_provenance("carbon_intensity__regional", _REGIONAL_KEY), *_all_regions()],
    ),
    "generation_mix_national": (
        "carbon_intensity__generation",
        _provenance("carbon_intensity__generation", "period_start"),
    ),
    "generation_mix_regional": (
        "carbon_intensity__regional",
        [*_provenance("carbon_intensity__regional", _REGIONAL_KEY), *_all_regions()],
    ),
}


def judge(database: Database, run: Run, suites: Suites, table: str) -> list[QualityResult]:
    """Judge the half-hours of a table that the last batch of its dataset spoke of."""
    dataset, expectations = TABLES[table]
    with database.connect(role=Role.TRANSFORMER) as connection:
        span = connection.execute(
            f"select min(period_start), max(period_start) from intermediate.int_{dataset}_batch"
        ).fetchone()
    if span is None or span[0] is None:
        return []
    first, last = span
    query = f"select * from public.{table} where period_start between '{first.isoformat()}' and '{last.isoformat()}'"
    results = suites.run(checkpoint="clean", dataset=table, query=query, expectations=expectations)
    run.record_quality(results)
    return results
