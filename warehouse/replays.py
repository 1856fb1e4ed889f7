"""What a replay reads, as arrays' raw material, and the sums that it writes to `ops.replay_decisions`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

Forecasts = Literal["live", "archive", "simulated"]
REGIONS = (*range(1, 15), 18)
"""Licence areas, and Great Britain"""
# The first capture of each half-hour; the next minutes' are nearly the same. Values that no decision relies on are null.
CAPTURES = """
select distinct on (extract(epoch from known_at)::bigint / 1800)
    ceil(extract(epoch from known_at))::bigint as known_at, extract(epoch from first_period_start)::bigint / 1800 as first,
    (
        select array_agg(case when value.is_isolated is not true then value.forecast end order by value.at)
        from unnest(forecasts_gco2_kwh, are_isolated) with ordinality as value (forecast, is_isolated, at)
    ) as forecasts
from carbon_intensity_captures
where region_id = %(region_id)s and not is_synthetic and coalesce(is_archive, false) = %(is_archive)s
    and known_at >= %(since)s and known_at < %(until)s
order by extract(epoch from known_at)::bigint / 1800, known_at
"""
# As `forecast_skill` has it: Great Britain is measured, a region has the last estimate that was made when the half-hour was over.
OUTCOMES = """
select extract(epoch from period_start)::bigint / 1800 as at, actual_gco2_kwh as value
from carbon_intensity_national
where %(region_id)s = 18 and not is_synthetic and actual_gco2_kwh is not null and is_isolated is not true
    and period_start >= %(since)s and period_start < %(until)s
union all
select extract(epoch from period_start)::bigint / 1800, forecast_gco2_kwh
from carbon_intensity_regional
where region_id = %(region_id)s and region_id < 18 and not is_synthetic and fetched_at >= period_end
    and forecast_gco2_kwh is not null and is_isolated is not true and period_start >= %(since)s and period_start < %(until)s
"""
PRICES = """
select extract(epoch from period_start)::bigint / 1800 as at, price_gbp_mwh::float8 as value
from wholesale_prices
where market = 'n2ex_day_ahead' and not is_synthetic and price_gbp_mwh is not null
    and period_start >= %(since)s and period_start < %(until)s
"""
SPAN = """
select min(known_at), max(known_at) from carbon_intensity_captures where not is_synthetic and coalesce(is_archive, false) = %s
"""
MEASURED = """
select min(period_start), max(period_start) from carbon_intensity_national where not is_synthetic and actual_gco2_kwh is not null
"""


def read(
    connection: psycopg.Connection, statement: str, since: datetime, until: datetime, **asked: Any
) -> list[dict[str, Any]]:
    """Rows of one of these statements, within a span of time."""
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(statement, {"since": since, "until": until, **asked}).fetchall()


def write(
    connection: psycopg.Connection, forecasts: Forecasts, rows: Sequence[Mapping[str, Any]], run_id: UUID
) -> None:
    """Put the sums in place of those of the same kind, regions and months, in one transaction."""
    if not rows:
        return
    names = [*rows[0], "forecasts", "run_id"]
    with connection.transaction(), connection.cursor() as cursor:
        for region_id, month in {(row["region_id"], row["month"]) for row in rows}:
            cursor.execute(
                "delete from ops.replay_decisions where (forecasts, region_id, month) = (%s, %s::smallint, %s)",
                [forecasts, region_id, month],
            )
        with cursor.copy(f"copy ops.replay_decisions ({', '.join(names)}) from stdin") as copy:
            for values in _values(rows, names, {"forecasts": forecasts, "run_id": run_id}):
                copy.write_row(values)


def _values(rows: Iterable[Mapping[str, Any]], names: Sequence[str], more: Mapping[str, Any]) -> Iterable[list[Any]]:
    for row in rows:
        yield [{**row, **more}[name] for name in names]
