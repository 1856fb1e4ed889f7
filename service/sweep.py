"""What nobody asks for ends by itself: each minute leases without a heartbeat are ended, and work whose deadline has passed.

Of every operator, and by each service over a database: what one has locked the others skip. A lease or a pause that is longer than
it was made is of a clock that was ahead: it begins anew now, or a dead runner would keep its work until that time.
"""

import asyncio
import logging
from functools import partial
from uuid import UUID

from service import claims, overdue
from service.access import Service
from service.background import Background
from service.problems import Problem
from service.tenancy import Caller, speaking_for

logger = logging.getLogger("service")
ALL = Caller(None, "sweep")
_OF_A_CLOCK_AHEAD = (
    """
    update app.workload_claims set leased_until = clock_timestamp() + make_interval(secs => lease_seconds)
    where ended_at is null and leased_until > clock_timestamp() + make_interval(secs => lease_seconds) + interval '5 minutes'
    """,
    """
    update app.callback_events set next_attempt_at = clock_timestamp()
    where delivered_at is null and given_up_at is null and next_attempt_at > clock_timestamp() + interval '1 hour'
    """,
)
"""No pause of a callback is as long as an hour"""


async def give_back(service: Service, caller: Caller) -> list[UUID]:
    """Workloads whose leases have ended are placed again (these are returned), or failed."""
    returned = await claims.give_back_lost(service.writes, caller)
    for workload_id in returned:
        await place_again(service, caller, workload_id)
    return returned


async def place_again(service: Service, caller: Caller, workload_id: UUID) -> None:
    """A workload that was given back gets a place, if there is one."""
    try:
        await service.submissions.place_again(caller, workload_id, reason="returned")
    except Problem as problem:  # it stays pending; a later plan may find a place
        logger.info("a workload that was given back has no place yet: %d", problem.status)


async def sweep(service: Service) -> None:
    """Once, until nothing is left."""
    async with speaking_for(service.writes, ALL) as connection:
        for statement in _OF_A_CLOCK_AHEAD:
            await connection.execute(statement)
    while await give_back(service, ALL):
        pass
    while await overdue.end_overdue(service.writes, ALL):
        pass


class Sweep:
    """Sweeps each so many seconds, from the beginning of its `async with` to the end.

    Not at once: after an outage the runners get a while for their heartbeats.
    """

    def __init__(self, service: Service):
        seconds = service.settings.service_sweep_seconds
        self._sweeps = Background(
            partial(sweep, service), partial(asyncio.sleep, seconds), waits="leases and deadlines wait"
        )

    async def __aenter__(self) -> "Sweep":
        self._sweeps.start(pause_first=True)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._sweeps.stop()
