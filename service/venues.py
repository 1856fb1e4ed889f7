"""What is taken of the venues of an operator, and the one asset that was asked for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from placement.venues import Taken, Venue, taken_of
from service.problems import Problem
from service.tenancy import Connection
from warehouse import known


def only(asset_id: UUID | None, places: Sequence[Venue]) -> Sequence[Venue]:
    """The asset that was asked for, or all places if none was. Raises Problem 422 if the operator has no such active asset."""
    if asset_id is None:
        return places
    found = [venue for venue in places if venue.asset_id == asset_id]
    if not found:
        raise Problem(422, f"asset_id: there is no active asset {asset_id} of this operator")
    return found


async def taken(
    connection: Connection, venues: Sequence[Venue], start: datetime, end: datetime, known_at: datetime | None = None
) -> dict[str, Taken]:
    """What is taken of these venues between two instants, by their key."""
    cursor = await connection.execute(
        known.TAKEN, {"venues": [venue.key for venue in venues], "begins": start, "ends": end, "known_at": known_at}
    )
    return taken_of(await cursor.fetchall())
