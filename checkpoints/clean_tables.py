"""The clean tables: what feeds each, and what must hold of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkpoints.suite import rows_that


@dataclass(frozen=True)
class CleanTable:
    """A clean table, and what must hold of it besides what holds of all."""

    name: str
    datasets: Mapping[str, str]
    """Each dataset that feeds it, with the keys that its rows have there: a SELECT from `{rows}`."""
    key: str = "period_start"
    starts: str = "period_start"
    """The column that tells when a row's time begins."""
    more: list[Any] = field(default_factory=list)

    @property
    def expectations(self) -> list[Any]:
        """Everything that must hold of the rows."""
        return [
            rows_that("each row's payload is in staging", _orphans(list(self.datasets))),
            rows_that("no synthetic row stands where a real one was published", _usurpers(self.key, self.datasets)),
            rows_that(
                "nothing was fetched in the future",
                "select * from {batch} where fetched_at > now() + interval '5 minutes'",
            ),
            *self.more,
        ]


def _orphans(datasets: Sequence[str]) -> str:
    return "select payload_id from (select distinct payload_id from {batch}) as clean where " + " and ".join(
        f"not exists (select 1 from staging.{dataset}_payloads as payload where payload.payload_id = clean.payload_id)"
        for dataset in datasets
    )


def _usurpers(key: str, datasets: Mapping[str, str]) -> str:
    # the synthetic rows first: where there are none, nothing is looked for
    real = " union all ".join(
        keys.format(
            rows=f"(select landed.* from intermediate.int_{dataset}_batch as landed join passed using (payload_id) "
            "where not landed.is_synthetic and landed.period_start is not null and exists (select 1 from standing)) as landed"
        )
        for dataset, keys in datasets.items()
    )
    return (
        f"with standing as materialized (select {key} from {{batch}} where is_synthetic), passed as materialized "
        "(select payload_id from ops.payload_verdicts where verdict = 'passed' and exists (select 1 from standing)) "
        f"select * from standing intersect ({real})"
    )


def _all_regions() -> list[Any]:
    return [
        rows_that(
            "each half-hour has all 18 regions",
            "select period_start from {batch} group by period_start having count(*) < 18",
            severity="warning",
        )
    ]


_REGIONAL_KEY = "region_id, period_start"
_HALF_HOURS = "select period_start from {rows}"
_REGIONS = "select region_id, period_start from {rows}"
_MEASURED = "select period_start from {rows} where not is_forecast and national_demand_mw is not null"
_FORECAST = "select period_start from {rows} where national_demand_mw is not null"
_NATIONS = (
    "select 'nation', code, period_start, false from {rows} cross join (values ('england_wales'), ('scotland')) as area "
    "(code) where not is_forecast and england_wales_demand_mw is not null"
)
TABLES = {
    table.name: table
    for table in (
        CleanTable(
            "carbon_intensity_national",
            {"carbon_intensity__national": _HALF_HOURS},
            more=[
                rows_that(
                    "a half-hour that has not begun has no actual",
                    "select * from {batch} where actual_gco2_kwh is not null and period_start > now()",
                )
            ],
        ),
        CleanTable(
            "carbon_intensity_regional", {"carbon_intensity__regional": _REGIONS}, _REGIONAL_KEY, more=_all_regions()
        ),
        CleanTable("generation_mix_national", {"carbon_intensity__generation": _HALF_HOURS}),
        CleanTable(
            "generation_mix_regional", {"carbon_intensity__regional": _REGIONS}, _REGIONAL_KEY, more=_all_regions()
        ),
        CleanTable(
            "demand_actual_national",
            {"neso__demand_history": _MEASURED, "neso__demand_update": _MEASURED, "elexon__demand_outturn": _MEASURED},
            more=[
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
        ),
        CleanTable(
            "demand_forecast_national",
            {
                "neso__demand_forecast_2_14d": _FORECAST,
                "neso__demand_forecast_day_ahead": _FORECAST,
                "neso__demand_forecast_cardinal": _FORECAST,
                "elexon__demand_forecast": _FORECAST,
            },
        ),
        CleanTable(
            "demand_regional",
            {
                "neso__demand_history": _NATIONS,
                "neso__demand_update": _NATIONS,
                "elexon__demand_forecast_zonal": "select 'zone', zone, period_start, true from {rows} "
                "where demand_mw is not null",
            },
            key="area_type, area_code, period_start, is_forecast",
        ),
        CleanTable(
            "wholesale_prices",
            {
                "neso__n2ex_day_ahead": "select 'n2ex_day_ahead', period_start from {rows}",
                "elexon__market_index": "select 'apx_market_index', period_start from {rows}",
                "elexon__system_prices": "select 'system_price', period_start from {rows}",
            },
            key="market, period_start",
            more=[
                rows_that(
                    "a synthetic price stands only where no market has a real one",
                    "select period_start from {batch} group by period_start having bool_or(is_synthetic) "
                    "and bool_or(not is_synthetic and price_gbp_mwh is not null)",
                )
            ],
        ),
        CleanTable("grid_zones", {"beckn__catalogue": "select zone_id from {rows}"}, "zone_id", starts="fetched_at"),
        CleanTable(
            "compute_windows", {"beckn__catalogue": "select window_id from {rows}"}, "window_id", starts="fetched_at"
        ),
        CleanTable(
            "flexibility_prices",
            {
                "neso__eac_results": "select 'eac', product, 'GB', period_start from {rows}",
                "neso__dfs_utilisation": "select 'dfs', 'utilisation', unit, period_start from {rows}",
            },
            key="service, product, unit, delivery_start",
            starts="delivery_start",
        ),
    )
}
