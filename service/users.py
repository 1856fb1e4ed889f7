"""The users of a batch of tasks: linked by their addresses, made if need be. A task goes on without its user if that fails."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from placement.outlook import Outlook
from service.submitted import Submission
from service.tenancy import Connection, speak_for

UNTRACKED = "user tracking is not available"


async def link(connection: Connection, operator_id: UUID, own: Sequence[Submission], outlook: Outlook) -> None:
    """Give each task of this operator its user, and the preferences that this user has stated before."""
    named = [submission for submission in own if submission.asked.user_email is not None]
    if not named:
        return
    rows: list[dict[str, Any]] = [{"user_id": None, "failure": UNTRACKED}] * len(named)
    addresses, names = [s.asked.user_email for s in named], [s.asked.user_name for s in named]
    try:
        async with connection.pipeline():  # one round trip, and a savepoint
            await speak_for(connection, operator_id)
            await connection.execute("savepoint linking")
            linked = await connection.execute(
                "select * from app.link_users(%s::text[], %s::text[], %s)", [addresses, names, operator_id]
            )
            await connection.execute("release linking")
        rows = await linked.fetchall()
    except psycopg.Error:
        await connection.execute("rollback to linking")
    for submission, row in zip(named, rows, strict=True):
        if row["user_id"] is None:
            reason = f"{row['failure']}; the task is accepted without its user"
            submission.user = {"tracked": False, "reason": reason}
            continue
        submission.user = {"tracked": True, "user_id": row["user_id"], "is_new": row["is_new"]}
        if row["preferences"]:
            submission.prepare(outlook, row["preferences"])
