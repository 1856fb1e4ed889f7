"""What must hold of the rows of a clean table: what its model says of it, and a few rules of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from checkpoints.subjects import CleanTable
from checkpoints.suite import rows_that
from warehouse.relations import pending_rows

SharedKeys = Mapping[str, Sequence[str]]
"""dataset -> the columns of the table's key that its pending rows have too"""


def expectations(table: CleanTable, shared: SharedKeys) -> list[Any]:
    """Everything that must hold of the rows of a table."""
    return [
        rows_that("each row's payload is in staging", _orphans(list(table.datasets))),
        rows_that("no synthetic row takes the place of a real one", _usurpers(table, shared)),
        rows_that(
            "nothing was fetched in the future",
            "select * from {batch} where fetched_at > now() + interval '5 minutes'",
        ),
        *OWN.get(table.name, []),
    ]


def _orphans(datasets: Sequence[str]) -> str:
    return "select payload_id from (select distinct payload_id from {batch}) as clean where " + " and ".join(
        f"not exists (select 1 from staging.{dataset}_payloads as payload where payload.payload_id = clean.payload_id)"
        for dataset in datasets
    )


def _usurpers(table: CleanTable, shared: SharedKeys) -> str:
    # the synthetic rows first: where there are none, nothing is looked for
    published = " or ".join(
        f"({', '.join(shared[dataset])}) in (select {', '.join(shared[dataset])} from {pending_rows(dataset)} as landed "
        "join passed using (payload_id) where not landed.is_synthetic and landed.period_start is not null "
        f"and exists (select 1 from standing) and {own_rows})"
        for dataset, own_rows in table.datasets.items()
        if shared[dataset]
    )
    return (
        f"with standing as materialized (select {', '.join(table.key)} from {{batch}} where is_synthetic), "
        "passed as materialized (select payload_id from ops.payload_verdicts where verdict = 'passed' "
        f"and exists (select 1 from standing)) select * from standing where {published}"
    )


_ALL_REGIONS = rows_that(
    "each half-hour has all 18 regions",
    "select period_start from {batch} group by period_start having count(*) < 18",
    severity="warning",
)
OWN: dict[str, list[Any]] = {
    "carbon_intensity_national": [
        rows_that(
            "a half-hour that has not begun has no actual",
            "select * from {batch} where actual_gco2_kwh is not null and period_start > now()",
        )
    ],
    "carbon_intensity_regional": [_ALL_REGIONS],
    "generation_mix_regional": [_ALL_REGIONS],
    "demand_actual_national": [
        rows_that(
            "a half-hour that has not ended has no demand that is measured",
            "select * from {batch} where period_end > now() + interval '5 minutes'",
        ),
        rows_that(
            "the settlement day and period are those of the half-hour",
            "select * from {batch} where period_start <> (settlement_date::timestamp at time zone 'Europe/London') "
            "+ (settlement_period - 1) * interval '30 minutes'",
        ),
    ],
    "wholesale_prices": [
        rows_that(
            "a synthetic price exists only where no market has a real one",
            "select period_start from {batch} group by period_start having bool_or(is_synthetic) "
            "and bool_or(not is_synthetic and price_gbp_mwh is not null)",
        )
    ],
}
"""Rules of one table that no constraint of the database can hold, because they look at several rows or at the clock."""
