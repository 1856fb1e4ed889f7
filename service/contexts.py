"""What each agent reads before it speaks, as rows: the grid; patterns of work and limits; the whole.

Any of them may be narrowed: to regions, to so many hours, to what was known at an instant, to so many rows of a list.

As of an instant, nothing is given that was known later. Operators, users, assets and the grid now are kept only as they are now,
so they are empty; of a workload that has changed since, how it stood is null.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service import ages
from service.tenancy import Connection

MOST_WAITING = 20
"""Waiting workloads in a context, whatever `limit` says: those whose deadlines come first"""
GROWING = (
    "compute_windows",
    "preferences",
    "operators",
    "assets",
    "users",
    "workload_history",
    "negotiations",
    "waiting",
)
"""Lists that grow with use, bounded by `limit`; the others are bounded by `hours`, regions, or kinds of work by hour of the day"""
NOT_AS_OF = ("regional_opportunities", "compute_windows", "preferences", "operators", "assets", "users", "waiting")
"""Lists that are kept only as they are now"""
DAY_HOURS = 24
MOST_IN_PATTERNS = 5_000
"""Workloads that patterns are made of: the newest ones of the last 90 days"""

_STATUS = "select * from national_grid_status"
_OPPORTUNITIES = """
select *
from regional_opportunities
where %(regions)s::smallint[] is null or region_id = any(%(regions)s)
order by rank, region_id
"""
_WINDOWS = """
select *
from latest_compute_windows
where %(regions)s::smallint[] is null or region_id = any(%(regions)s)
order by window_id
limit %(limit)s
"""
_PRICES = """
select market, period_start, period_end, price_gbp_mwh, is_synthetic, fetched_at
from wholesale_prices
where period_start > coalesce(%(as_of)s, now()) - make_interval(hours => %(hours)s)
    and updated_at <= coalesce(%(as_of)s, 'infinity'::timestamptz)
order by market, period_start
"""
_FORECAST = """
select *
from carbon_intensity_forecast_24h
where (%(regions)s::smallint[] is null or region_id = any(%(regions)s))
    and period_start < now() + make_interval(hours => %(hours)s)
order by region_id, period_start
"""
_FORECAST_AS_OF = """
select
    region_id, period_start, period_start + interval '30 minutes' as period_end, forecast_gco2_kwh, is_synthetic,
    forecast_known_at as fetched_at
from carbon_intensity_as_of(coalesce(%(as_of)s, now()), null)
where region_id not between 15 and 17 and (%(regions)s::smallint[] is null or region_id = any(%(regions)s))
    and period_start < coalesce(%(as_of)s, now()) + make_interval(hours => %(hours)s)
order by region_id, period_start
"""
_KNOWN = "select forecast_known_at, is_synthetic from carbon_intensity_as_of(%s) where region_id < 15"
# Rows of one operator are asked for by its id too: row level security alone would read everyone's until enough are its own.
_PATTERNS = """
select
    workload_type, extract(hour from earliest_start at time zone 'UTC')::integer as hour_utc, count(*) as workloads,
    avg(energy_kwh) as mean_energy_kwh, avg(power_kw) as mean_power_kw,
    avg(duration_minutes) as mean_duration_minutes,
    count(*) filter (where is_deferrable) as deferrable
from (
    select workload_type, earliest_start, energy_kwh, power_kw, duration_minutes, is_deferrable
    from app.compute_workloads
    where created_at > coalesce(%(as_of)s, now()) - interval '90 days'
        and created_at <= coalesce(%(as_of)s, 'infinity'::timestamptz)
        and (%(operator)s::uuid is null or operator_id = %(operator)s)
    order by created_at desc
    limit %(in_patterns)s
) as newest
group by 1, 2
order by 1, 2
"""
_PREFERENCES = """
select user_id, role, preferences
from app.users
order by created_at desc
limit %(limit)s
"""
_ASSETS = """
select
    asset.asset_id, asset.operator_id, asset.name, asset.region_id, asset.zone_id, asset.rated_power_kw,
    asset.max_deferral_minutes, asset.carbon_cap_gco2_kwh, asset.is_active,
    coalesce((
        select sum(step.power_kw) from app.placement_steps as step
        where step.venue = 'asset:' || asset.asset_id and step.released_at is null
            and step.starts_at <= now() and step.ends_at > now()
    ), 0) as taken_now_kw
from app.compute_assets as asset
where %(regions)s::smallint[] is null or asset.region_id = any(%(regions)s)
order by asset.operator_id, asset.name
limit %(limit)s
"""
# Operators and users are chosen before their work is added up: what is not shown is not counted.
_OPERATORS = """
select *
from operator_summary
where operator_id = any(array(select operator_id from app.operators order by name limit %(limit)s))
order by operator_name
"""
_USERS = """
select *
from user_workload_summary
where user_id = any(array(
    select person.user_id
    from app.users as person
    left join lateral (
        select created_at from app.compute_workloads as workload
        where workload.user_id = person.user_id
        order by created_at desc
        limit 1
    ) as newest on true
    order by newest.created_at desc nulls last, person.user_id
    limit %(limit)s
))
order by last_submitted_at desc nulls last, user_id
"""
_HISTORY = """
select
    workload_id, operator_id, user_id, workload_type, priority, energy_kwh, power_kw, duration_minutes, earliest_start, deadline,
    created_at, is_changed_since,
    case when not is_changed_since then status end as status,
    case when not is_changed_since then actual_start end as actual_start,
    case when not is_changed_since then actual_end end as actual_end,
    case when not is_changed_since then actual_carbon_kg end as actual_carbon_kg,
    case when not is_changed_since then actual_cost_gbp end as actual_cost_gbp
from app.compute_workloads
cross join lateral (select updated_at > coalesce(%(as_of)s, 'infinity'::timestamptz) as is_changed_since) as since
where created_at <= coalesce(%(as_of)s, 'infinity'::timestamptz)
    and (%(back)s::integer is null or created_at > coalesce(%(as_of)s, now()) - make_interval(hours => %(back)s))
    and (%(operator)s::uuid is null or operator_id = %(operator)s)
order by created_at desc
limit %(limit)s
"""
# The workloads are chosen first: each one costs two searches of the forecast, however few are asked for.
_WAITING = """
select *
from workload_opportunities
where workload_id = any(array(
    select workload_id
    from app.compute_workloads
    where status in ('pending', 'scheduled') and is_deferrable and deadline > now()
        and (%(operator)s::uuid is null or operator_id = %(operator)s)
    order by deadline, workload_id
    limit %(waiting)s
)) and (%(regions)s::smallint[] is null or best_region_id = any(%(regions)s))
order by saving_against_soonest_kg desc nulls last, workload_id
"""
_NEGOTIATIONS = """
select negotiation_id, workload_id, attempt, round, agent, stance, proposals, reasons, known_at, created_at
from app.agent_negotiations
where created_at <= coalesce(%(as_of)s, 'infinity'::timestamptz)
    and (%(back)s::integer is null or created_at > coalesce(%(as_of)s, now()) - make_interval(hours => %(back)s))
    and (%(operator)s::uuid is null or operator_id = %(operator)s)
order by created_at desc, negotiation_id desc
limit %(limit)s
"""

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """How a context is narrowed."""

    region_ids: tuple[int, ...] | None = None
    hours: int | None = None
    """of the forecast ahead and of prices back (24 if None); of histories back (all if None)"""
    as_of: datetime | None = None
    limit: int = 100
    """rows of each list of `GROWING`"""
    operator_id: UUID | None = None
    """whose rows the connection sees; None: everyone's"""

    def parameters(self) -> dict[str, Any]:
        """As values of the queries."""
        return {
            "regions": None if self.region_ids is None else list(self.region_ids),
            "hours": self.hours or DAY_HOURS,
            "back": self.hours,
            "as_of": self.as_of,
            "limit": self.limit,
            "operator": self.operator_id,
            "in_patterns": MOST_IN_PATTERNS,
            "waiting": min(self.limit, MOST_WAITING),
        }


async def energy(connection: Connection, wanted: Wanted) -> dict[str, Any]:
    """The grid. As of an instant: its forecast and prices as they were known then."""
    is_now = wanted.as_of is None
    forecast = _FORECAST if is_now and (wanted.hours or DAY_HOURS) <= DAY_HOURS else _FORECAST_AS_OF
    return {
        "grid_status": await _grid_now(connection, wanted),
        "regional_opportunities": await _of_now(connection, _OPPORTUNITIES, wanted),
        "compute_windows": await _of_now(connection, _WINDOWS, wanted),
        "prices": await _rows(connection, _PRICES, wanted),
        "forecast_24h": await _rows(connection, forecast, wanted),
    }


async def compute(connection: Connection, wanted: Wanted) -> dict[str, Any]:
    """Patterns of past work, users' preferences, and what each operator can carry."""
    return {
        "workload_patterns": await _rows(connection, _PATTERNS, wanted),
        "preferences": await _of_now(connection, _PREFERENCES, wanted),
        "operators": await _of_now(connection, _OPERATORS, wanted),
        "assets": await _of_now(connection, _ASSETS, wanted),
        "waiting": await waiting(connection, wanted),
    }


async def head(connection: Connection, wanted: Wanted) -> dict[str, Any]:
    """The history of workloads, users and operators, and every negotiation."""
    return {
        "grid_status": await _grid_now(connection, wanted),
        "workload_history": await _rows(connection, _HISTORY, wanted),
        "users": await _of_now(connection, _USERS, wanted),
        "operators": await _of_now(connection, _OPERATORS, wanted),
        "negotiations": await _rows(connection, _NEGOTIATIONS, wanted),
        "waiting": await waiting(connection, wanted),
    }


async def waiting(connection: Connection, wanted: Wanted) -> Rows:
    """The workloads that wait, whose deadlines come first; of one operator, without a look at those of others."""
    return await _of_now(connection, _WAITING, wanted)


async def age(connection: Connection, as_of: datetime) -> dict[str, Any]:
    """How old the forecast of the licence areas was at an instant, and how much of it was synthetic."""
    return ages.as_of(as_of, await (await connection.execute(_KNOWN, [as_of])).fetchall())


async def _grid_now(connection: Connection, wanted: Wanted) -> dict[str, Any] | None:
    rows = await _of_now(connection, _STATUS, wanted)
    return rows[0] if rows else None


async def _of_now(connection: Connection, query: str, wanted: Wanted) -> Rows:
    """Rows that are kept only as they are now: none as of an instant."""
    return await _rows(connection, query, wanted) if wanted.as_of is None else []


async def _rows(connection: Connection, query: str, wanted: Wanted) -> Rows:
    return await (await connection.execute(query, wanted.parameters())).fetchall()
