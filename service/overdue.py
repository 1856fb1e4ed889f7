"""Work that did not begin by its deadline ends, with the reason.

What Prefect may have begun is left to `dispatch`. What nobody has handed to Prefect, because no `dispatch` runs, is not.
"""

import logging
from datetime import timedelta
from uuid import UUID

import psycopg

from service import records
from service.tenancy import Caller, Connection, Pool, speaking_for
from warehouse.plans import DEADLINE_PASSED

logger = logging.getLogger("service")
MOST_ENDED = 100
"""Deadlines that have passed, looked at at once"""
DISPATCH_GRACE = timedelta(minutes=10)
"""So long after its deadline `dispatch`, which runs each minute, has ended what it did not hand to Prefect; if there is one"""
NEVER_HANDED_OVER = "its deadline passed before anything handed it to Prefect: is dispatch running? (make up)"

_OVERDUE = """
select workload_id, status = 'scheduled' and (run ? 'deployment') is true as is_prefects
from app.compute_workloads
where deadline <= clock_timestamp() and (status = 'pending' or status = 'scheduled' and (
    (run ? 'deployment') is not true or flow_run_id is null and deadline <= clock_timestamp() - %s
))
order by deadline
limit %s
for update skip locked
"""
_FORGOTTEN = """
select from app.compute_workloads as workload
inner join app.workload_placements as placement on workload.placement_id = placement.placement_id
where workload.workload_id = %s and workload.status = 'scheduled' and workload.run ? 'deployment' and workload.flow_run_id is null
    and placement.starts_at <= clock_timestamp() - %s
"""
_CANCEL = "update app.compute_workloads set status = 'cancelled', failed_because = %s where workload_id = %s"


async def end_overdue(pool: Pool, caller: Caller) -> list[UUID]:
    """Cancel what did not begin by its deadline, with the reason. What Prefect may have begun is left to `dispatch`."""
    ended = []
    async with speaking_for(pool, caller) as connection:
        for row in await (await connection.execute(_OVERDUE, [DISPATCH_GRACE, MOST_ENDED])).fetchall():
            try:
                async with connection.transaction():
                    because = NEVER_HANDED_OVER if row["is_prefects"] else DEADLINE_PASSED
                    await connection.execute(_CANCEL, [because, row["workload_id"]])
            except psycopg.IntegrityError as error:
                logger.warning("workload %s cannot be cancelled: %s", row["workload_id"], error)
                continue
            ended.append(row["workload_id"])
    return ended


async def is_forgotten(connection: Connection, workload_id: UUID) -> bool:
    """Whether a workload should have begun in Prefect minutes ago, and nothing has handed it over."""
    return await (await connection.execute(_FORGOTTEN, [workload_id, records.SLACK])).fetchone() is not None
