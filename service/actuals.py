"""What a run emitted and cost, by what is known of the half-hours that it ran in."""

from datetime import datetime
from typing import Any

from service.tenancy import Connection
from warehouse import known


async def emitted(connection: Connection, found: dict[str, Any], ended: datetime) -> dict[str, Any]:
    """Carbon (`kg`) and cost (`gbp`) of a workload that ended then; None where one of its half-hours is not known."""
    nothing = {"kg": None, "gbp": None}
    if found["actual_start"] is None or found["placement"] is None or ended <= found["actual_start"]:
        return nothing
    placed = found["placement"]
    cursor = await connection.execute(
        known.EMITTED,
        {
            "placement_id": placed["placement_id"], "region_id": placed["region_id"],
            "began": found["actual_start"], "ended": ended,
        },
    )  # fmt: skip
    return await cursor.fetchone() or nothing
