"""What receipts are made from, and how they are kept: all of it in the caller's transaction, speaking for one operator."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse import known

LOOKED_BACK = timedelta(hours=1)
"""A change is dated by the start of its transaction: one that was not visible yet is found by looking back so far"""
LOCK = "select pg_try_advisory_xact_lock(hashtextextended('settle ' || %s, 0)) as is_mine"
OPERATORS = """
select distinct operator_id from app.compute_workloads where status in ('completed', 'failed', 'cancelled') order by 1
"""
# Finished without a receipt; to be settled again at its time; or an actual has changed (of one that is not final: was fetched).
DUE = """
with newest as (
    select workload_id, spans_from, spans_to, again_at, is_final, checked_at
    from app.receipts
    where operator_id = %(operator_id)s and is_newest
),

day as (
    select day, max(changed_at) as changed_at, max(fetched_at) as fetched_at
    from (
        select
            date_bin('1 day', period_start, timestamptz '2000-01-01 00:00Z') as day,
            max(updated_at) as changed_at, max(fetched_at) as fetched_at
        from carbon_intensity_regional
        where not is_synthetic and period_start >= (select min(spans_from) - interval '1 day' from newest)
        group by 1
        union all
        select
            date_bin('1 day', period_start, timestamptz '2000-01-01 00:00Z'), max(updated_at), max(fetched_at)
        from wholesale_prices
        where market = 'n2ex_day_ahead' and not is_synthetic
            and period_start >= (select min(spans_from) - interval '1 day' from newest)
        group by 1
    ) as of_table
    group by day
)

select workload_id
from app.compute_workloads as workload
where workload.operator_id = %(operator_id)s and workload.status in ('completed', 'failed', 'cancelled')
    and workload.workload_id not in (select newest.workload_id from newest)
    and exists (select from app.workload_placements as placement where placement.workload_id = workload.workload_id)
union
select workload_id from newest where again_at <= %(now)s
union
select newest.workload_id
from newest
cross join lateral generate_series(
    date_bin('1 day', spans_from, timestamptz '2000-01-01 00:00Z'), spans_to - interval '1 microsecond', interval '1 day'
) as spanned (day)
inner join day on spanned.day = day.day
where again_at is null and case when is_final then changed_at else fetched_at end > checked_at
order by workload_id
"""
WORKLOAD = """
select
    workload.workload_id, workload.operator_id, workload.asset_id, workload.status, workload.power_kw, workload.duration_minutes,
    workload.earliest_start, workload.deadline, workload.carbon_cap_gco2_kwh, workload.price_cap_gbp_mwh,
    workload.carbon_to_cost_weight, workload.risk, workload.region_ids, workload.is_deferrable, workload.max_chunks,
    workload.min_chunk_minutes, workload.resume_overhead_minutes, workload.power_profile_kw, workload.attempts,
    workload.actual_start as began_at,
    case when workload.actual_start is not null then coalesce(workload.actual_end, placement.released_at) end as ended_at
from app.compute_workloads as workload
left join app.workload_placements as placement on workload.placement_id = placement.placement_id
where workload.workload_id = %s and workload.status in ('completed', 'failed', 'cancelled')
"""
# The first; and the one that it ran by, or the last that it had.
PLACEMENTS = """
select
    placement.placement_id, placement.venue, placement.asset_id, placement.region_id, placement.window_id, placement.starts_at,
    placement.ends_at, placement.mean_price_gbp_mwh, placement.carbon_kg, placement.cost_gbp, placement.known_at,
    placement.replaces is not null as is_move
from app.workload_placements as placement
inner join app.compute_workloads as workload on placement.workload_id = workload.workload_id
where placement.workload_id = %s
order by (placement.placement_id = workload.placement_id) is true, placement.placed_at, placement.placement_id
"""
PIECES = "select starts_at, ends_at from app.placement_chunks where placement_id = %s order by number"
# Those that a runner said it started.
RUNS = "select number, started_at, stopped_at from app.workload_chunk_runs where placement_id = %s order by number"
STRETCHES = """
select starts_at, ends_at, power_kw from workload_run(%(placement_id)s::uuid, %(began)s, %(ended)s) order by starts_at
"""
AS_PLACED = """
select starts_at, ends_at, power_kw from app.placement_steps where placement_id = %s and power_kw > 0 order by starts_at
"""
INTENSITIES = """
select
    region_id, extract(epoch from period_start)::bigint as starts, forecast_gco2_kwh, is_synthetic, fetched_at,
    fetched_at as forecast_known_at, payload_id, is_isolated is true as is_isolated,
    -- what was fetched before the half-hour had ended was its forecast
    not is_synthetic and fetched_at >= period_end and forecast_gco2_kwh is not null as is_real
from carbon_intensity_regional
where period_start >= %(begins)s and period_start < %(ends)s and region_id between 1 and 14
"""
PRICES = """
select
    extract(epoch from period_start)::bigint as starts, price_gbp_mwh::float8 as price_gbp_mwh, is_synthetic, fetched_at,
    payload_id, not is_synthetic and price_gbp_mwh is not null as is_real
from wholesale_prices
where market = 'n2ex_day_ahead' and period_start >= %(begins)s and period_start < %(ends)s
"""
THEN = known.INTENSITY.replace("null)", "%(region_id)s::smallint)")
# Also those that have expired since.
WINDOWS = known.WINDOWS.replace(" and not is_expired", "")
# Those of today, and the one that it ran on.
ASSETS = known.ASSETS.replace("and is_active", "and (is_active or asset_id = %(ran_on)s)")
NEWEST = "select * from app.receipts where workload_id = %s and is_newest"
Rows = list[dict[str, Any]]


MAY_DIFFER = ("known_at", "again_at", "based_on", "carbon_value_gbp_tonne", "final_at")
"""What two settlements that say the same may differ in"""


class Reader:
    """Rows by name, from a connection whose transaction speaks for an operator."""

    def __init__(self, connection: psycopg.Connection):
        self.cursor = connection.cursor(row_factory=dict_row)

    def rows(self, statement: str, values: Any = None) -> Rows:
        """What a statement selects."""
        return self.cursor.execute(statement, values).fetchall()

    def due(self, operator_id: UUID, now: datetime) -> list[UUID]:
        """Workloads of the operator that are to be settled now, or looked at again."""
        return [row["workload_id"] for row in self.rows(DUE, {"operator_id": operator_id, "now": now})]

    def placements(self, workload_id: UUID, began: datetime | None, ended: datetime | None) -> Rows:
        """The placements of a workload, the first with its pieces and stretches as planned.

        The last, which it ran by, has the stretches as it ran, and the pieces whose start and stop were reported (`runs`).
        """
        found = self.rows(PLACEMENTS, [workload_id])
        for row in {0: found[0], len(found) - 1: found[-1]}.values():
            row["pieces"] = self.rows(PIECES, [row["placement_id"]])
        first, last = dict(found[0]), found[-1]
        last["runs"] = self.rows(RUNS, [last["placement_id"]])
        last["stretches"] = [] if began is None else self.run(last["placement_id"], began, ended)
        first["runs"], first["stretches"] = [], self.rows(AS_PLACED, [first["placement_id"]])
        return [first, *found[1:-1], last] if len(found) > 1 else [first, last]

    def run(self, placement_id: UUID, began: datetime, ended: datetime | None) -> Rows:
        """From when until when a run by a placement drew how much power."""
        return self.rows(STRETCHES, {"placement_id": placement_id, "began": began, "ended": ended})


def keep(connection: psycopg.Connection, row: Mapping[str, Any], now: datetime) -> bool:
    """Keep a receipt as the next version if it says anything else than the newest; whether it did."""
    found = Reader(connection).rows(NEWEST, [row["workload_id"]])
    before = found[0] if found else None
    checked_at, again_at = now - LOOKED_BACK, row.get("again_at")
    if before is not None and not _differs(before, row):
        connection.execute(
            "update app.receipts set checked_at = %s, again_at = %s where workload_id = %s and is_newest",
            [checked_at, again_at, row["workload_id"]],
        )
        return False
    values = {**row, "version": 1 if before is None else before["version"] + 1, "checked_at": checked_at}
    values["based_on"] = Jsonb(row["based_on"])
    connection.execute(
        f"insert into app.receipts ({', '.join(values)}) values ({', '.join(f'%({name})s' for name in values)})",
        values,
    )
    return True


def _differs(before: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    for name, value in row.items():
        was = float(before[name]) if isinstance(before[name], Decimal) else before[name]
        if name not in MAY_DIFFER and was != value:
            return True
    return False


def operators(connection: psycopg.Connection) -> Sequence[UUID]:
    """Operators with a workload that has ended; the session speaks for all of them."""
    return [row[0] for row in connection.execute(OPERATORS).fetchall()]
