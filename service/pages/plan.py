"""`/plan`: what runs when and where, over the intensity that it was placed by; capacity, moves, receipts, one workload in full."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi.responses import HTMLResponse
from markupsafe import Markup

from service import records
from service.access import Service
from service.pages import freshness, grid
from service.pages.charts.curve import Line, curve
from service.pages.charts.lanes import Lane, lanes
from service.pages.charts.scale import Span
from service.pages.clock import Clock
from service.pages.readers import Reading
from service.pages.rendering import PRIVATE, address, page
from service.pages.stretches import stretches
from service.pages.tables import table
from service.problems import Problem
from service.routes.workloads import decide_again
from service.tenancy import Caller, Connection, speaking_for
from warehouse.counts import count

PAST = timedelta(hours=12)
MOST = 40
"""Workloads that are drawn; the table and the API have the others"""

_WORKLOADS = """
select
    workload.workload_id, workload.request, workload.status, workload.earliest_start, workload.deadline, workload.is_pinned,
    workload.power_kw, workload.unplaced_because, workload.actual_start, workload.actual_end, operator.name as operator_name,
    placement.region_id, placement.venue, placement.starts_at, placement.ends_at, placement.carbon_kg, placement.cost_gbp,
    (
        select jsonb_agg(
            jsonb_build_array(coalesce(ran.started_at, chunk.starts_at), coalesce(ran.stopped_at, chunk.ends_at))
            order by chunk.number
        )
        from app.placement_chunks as chunk
        left join app.workload_chunk_runs as ran on chunk.placement_id = ran.placement_id and chunk.number = ran.number
        where chunk.placement_id = placement.placement_id
    ) as pieces
from app.compute_workloads as workload
inner join app.operators as operator on workload.operator_id = operator.operator_id
left join app.workload_placements as placement on workload.placement_id = placement.placement_id
where workload.status in ('pending', 'scheduled', 'running')
    or (workload.status in ('completed', 'failed') and workload.actual_end > %(begins)s)
order by placement.starts_at nulls first, workload.workload_id
limit 200
"""
_COUNTS = """
select
    count(*) filter (where status = 'scheduled') as scheduled, count(*) filter (where status = 'running') as running,
    count(*) filter (where status = 'pending') as pending
from app.compute_workloads
where status in ('pending', 'scheduled', 'running')
"""
_CAPACITY = """
with change as (
    select venue, greatest(starts_at, %(now)s) as instant, power_kw as kw
    from app.placement_steps
    where released_at is null and ends_at > %(now)s and starts_at < %(ends)s
    union all
    select venue, ends_at, - power_kw
    from app.placement_steps
    where released_at is null and ends_at > %(now)s and starts_at < %(ends)s
),

load as (
    select venue, sum(sum(kw)) over (partition by venue order by instant) as kw from change group by venue, instant
)

select
    load.venue, max(load.kw)::float8 as most_kw, max(held.capacity_kw)::float8 as capacity_kw, max(asset.name) as name,
    max(held.region_id) as region_id
from load
inner join app.workload_placements as held on load.venue = held.venue and held.released_at is null
left join app.compute_assets as asset on held.asset_id = asset.asset_id
group by load.venue
order by max(load.kw) / max(held.capacity_kw) desc, load.venue
limit 50
"""
_MOVES = """
select
    new.workload_id, workload.request, new.placed_at, new.reason, old.starts_at as old_starts_at, old.region_id as old_region_id,
    new.starts_at, new.region_id, new.gain_carbon_kg::float8 as gain_carbon_kg, new.gain_cost_gbp::float8 as gain_cost_gbp
from app.workload_placements as new
inner join app.workload_placements as old on new.replaces = old.placement_id
inner join app.compute_workloads as workload on new.workload_id = workload.workload_id
order by new.placed_at desc
limit 20
"""
_RECEIPTS = """
select
    receipt.workload_id, workload.request, receipt.status, receipt.ended_at, receipt.is_final,
    receipt.realised_carbon_kg::float8 as realised_kg, receipt.at_once_carbon_kg::float8 as at_once_kg,
    case when receipt.status = 'completed' then (receipt.at_once_carbon_kg - receipt.realised_carbon_kg)::float8 end as saved_kg,
    receipt.realised_cost_gbp::float8 as realised_gbp
from app.receipts as receipt
inner join app.compute_workloads as workload on receipt.workload_id = workload.workload_id
where receipt.is_newest and receipt.ended_at is not null
order by receipt.ended_at desc
limit 20
"""
_SAID = """
select attempt, round, agent, stance, reasons from app.agent_negotiations where workload_id = %s order by attempt, round
"""
_PLACES = """
select placed_at, reason, starts_at, ends_at, region_id, carbon_kg::float8 as carbon_kg, cost_gbp::float8 as cost_gbp, released_at
from app.workload_placements where workload_id = %s order by placed_at
"""
_RECEIPT = "select * from app.receipts where workload_id = %s and is_newest"


async def answer(state: Service, clock: Clock, reader: Reading, workload_id: UUID | None) -> HTMLResponse:
    """The page, of the operators that its reader may see; with a workload, that one is explained."""
    now, caller = datetime.now(UTC), reader.caller
    outlook = await state.outlooks.now()
    over = grid.spine(now, past=PAST)
    async with speaking_for(state.heavy, caller) as connection:
        workloads = await grid.rows(connection, _WORKLOADS, {"begins": over.begins})
        (counts,) = await grid.rows(connection, _COUNTS)
        found = {
            "capacity": await grid.rows(connection, _CAPACITY, {"now": now, "ends": over.ends}),
            "moves": await grid.rows(connection, _MOVES),
            "receipts": await grid.rows(connection, _RECEIPTS),
        }
        national = await grid.national(connection, over)
        one = None if workload_id is None else await _explained(connection, workload_id)
    if one is not None and workload_id is not None:
        one |= {"again": await _decided_again(state, caller, workload_id, one["places"])}
    values = over.align(national, "forecast_gco2_kwh")
    return page(
        "plan.html",
        path="/plan",
        clock=clock,
        notice=state.settings.service_notice,
        signed_in=reader.signed_in,
        headers=PRIVATE,
        state={"workload": workload_id},
        now=now,
        fresh=freshness.of(outlook, now),
        title=f"The plan: {count(counts['scheduled'], 'workload')} to come",
        counts=counts,
        names=outlook.region_names,
        workloads=workloads,
        curve=curve(
            span=Span(over.begins, over.ends), clock=clock, unit="gCO₂/kWh", table="intensity",
            lines=[Line("forecast", list(zip(over.starts, values, strict=True)))], now=now, height=120,
            stretches=stretches(national, "is_synthetic", "synthetic", "synthetic"),
        ),
        has_synthetic=any(row["is_synthetic"] for row in national),
        lanes=_lanes(workloads, over, clock, now),
        table=table(over.starts, [values], over.align(national, "is_synthetic"), clock),
        one=one,
        **found,
    )  # fmt: skip


async def _explained(connection: Connection, workload_id: UUID) -> dict[str, Any]:
    """One workload. Raises Problem 404 where the reader can see none."""
    receipts = await grid.rows(connection, _RECEIPT, [workload_id])
    workload = await records.one(connection, workload_id)
    chunks = (workload["placement"] or {}).get("chunks") or ()
    return {
        "workload": workload,
        "chunks": [
            {name: datetime.fromisoformat(value) if isinstance(value, str) else value for name, value in chunk.items()}
            for chunk in chunks
        ],
        "said": await grid.rows(connection, _SAID, [workload_id]),
        "places": await grid.rows(connection, _PLACES, [workload_id]),
        "receipt": receipts[0] if receipts else None,
    }


async def _decided_again(
    state: Service, caller: Caller, workload_id: UUID, places: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Its decision made again, with what each constraint cost; `because` says why there is none."""
    if not places:
        return {"because": "it has had no place"}
    try:
        again = await decide_again(workload_id, state, caller)
    except Problem as problem:
        return {"because": problem.detail}
    except TimeoutError:
        return {"because": "the service had no time for it; load this page again"}
    return again | {"known_at": datetime.fromisoformat(again["known_at"])}


def _lanes(workloads: Sequence[dict[str, Any]], over: grid.Spine, clock: Clock, now: datetime) -> Markup:
    rows: list[Lane] = []
    for row in workloads:
        pieces = [
            (datetime.fromisoformat(begins), max(datetime.fromisoformat(ends), datetime.fromisoformat(begins)))
            for begins, ends in row["pieces"] or ()
        ]
        if row["actual_start"] and len(pieces) == 1:
            pieces = [(row["actual_start"], row["actual_end"] or max(now, pieces[0][1]))]
        if any(ends > over.begins and begins < over.ends for begins, ends in pieces) and len(rows) < MOST:
            link = address("/plan", clock, workload=row["workload_id"]) + "#one"
            words = f"{row['request'][:40]} ({row['status']})"
            rows.append(Lane(words, row["status"], pieces, link, (row["earliest_start"], row["deadline"])))
    return lanes(Span(over.begins, over.ends), clock, rows, now, "Workloads by when they run") if rows else Markup()
