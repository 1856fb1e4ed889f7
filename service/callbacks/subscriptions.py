"""Who is called back, and where: set by the operator itself, or for it by `python -m service callback`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from service.callbacks import signing
from service.callbacks.addresses import NOT_ALLOWED, Network, Target, is_allowed
from service.problems import Problem
from service.submitted import Submission
from service.tenancy import Connection, speak_for
from warehouse.database import Database
from warehouse.errors import UsageError

_SET = """
insert into app.operator_callbacks as known (operator_id, url, secret) values (%(operator_id)s, %(url)s, %(secret)s)
on conflict (operator_id) do update
set url = excluded.url, secret = case when %(is_new)s then excluded.secret else known.secret end, updated_at = clock_timestamp()
returning secret = %(secret)s as is_new
"""
_SHOWN = """
select
    callback.operator_id, callback.url, callback.updated_at,
    (
        select count(*) from app.callback_events as event
        where event.operator_id = callback.operator_id and event.delivered_at is null and event.given_up_at is null
            and event.happened_at <= clock_timestamp()
    ) as waiting,
    (
        select count(*) from app.callback_events as event
        where event.operator_id = callback.operator_id and event.given_up_at is not null
    ) as given_up,
    (
        select event.last_failure from app.callback_events as event
        where event.operator_id = callback.operator_id and event.delivered_at is null and event.last_failure is not null
        order by event.happened_at desc limit 1
    ) as last_failure
from app.operator_callbacks as callback
where callback.operator_id = %s
"""


async def shown(connection: Connection, operator_id: UUID) -> dict[str, Any]:
    """Where an operator is called back and how that goes; neither its secret nor the path of its URL. Raises Problem 404."""
    row = await (await connection.execute(_SHOWN, [operator_id])).fetchone()
    if row is None:
        raise Problem(404, "this operator is not called back; PUT /callback sets where")
    url = row.pop("url")
    return {**row, "sends_to": None if url is None else _origin(url)}


def _origin(url: str) -> str:
    target = Target.of(url)
    return f"{target.url.scheme}://{target.url.netloc.decode('ascii')}"


async def put(
    connection: Connection, operator_id: UUID, url: str | None, secret: str | None, *, is_renewed: bool
) -> str | None:
    """Call an operator back from now on. Its secret if one was made: it is shown this once. Raises Problem 404."""
    known = await connection.execute("select from app.operators where operator_id = %s", [operator_id])
    if await known.fetchone() is None:
        raise Problem(404, f"there is no operator {operator_id}")
    made = secret or signing.make_secret()
    values = {"operator_id": operator_id, "url": url, "secret": made, "is_new": is_renewed or secret is not None}
    row = await (await connection.execute(_SET, values)).fetchone()
    return made if row and row["is_new"] and secret is None else None


async def remove(connection: Connection, operator_id: UUID) -> None:
    """Call an operator back no more; what waited to be sent is forgotten."""
    await connection.execute("delete from app.operator_callbacks where operator_id = %s", [operator_id])


async def that_can_be_called_back(
    connection: Connection, submissions: Sequence[Submission], allowed: Sequence[Network]
) -> list[Submission]:
    """Those without a callback_url, and those whose callbacks can be signed and may go there; the others are refused."""
    named = [one for one in submissions if one.asked.callback_url is not None]
    for operator_id in {one.operator_id for one in named}:
        await speak_for(connection, operator_id)
        cursor = await connection.execute("select from app.operator_callbacks where operator_id = %s", [operator_id])
        has_secret = await cursor.fetchone() is not None
        for one in named:
            if one.operator_id == operator_id and not has_secret:
                one.refuse(
                    Problem(422, "body.callback_url: this operator has no secret to sign with; PUT /callback makes one")
                )
    for one in named:
        literal = Target.of(str(one.asked.callback_url)).literal
        if literal is not None and not is_allowed(literal, allowed):
            one.refuse(Problem(422, f"body.callback_url: {NOT_ALLOWED}"))
    return [one for one in submissions if one.drafted is not None]


def set_up(database: Database, *, operator: str, url: str | None, secret: str | None) -> str | None:
    """The same by the owner of the database: the secret if one was made. Raises UsageError for what is wrong."""
    try:
        if url is not None:
            Target.of(url)
        if secret is not None:
            signing.key_of(secret)
    except ValueError as error:
        raise UsageError(f"The {'URL' if secret is None else 'URL or the secret'} {error}.") from None
    made = secret or signing.make_secret()
    with database.connect() as connection:
        row = connection.execute("select operator_id from app.operators where name = %s", [operator]).fetchone()
        if row is None:
            known = [name for (name,) in connection.execute("select name from app.operators order by name")]
            raise UsageError(f"There is no operator {operator!r}. There are: {', '.join(known) or 'none yet'}.")
        values = {"operator_id": row[0], "url": url, "secret": made, "is_new": secret is not None}
        written = connection.execute(_SET, values).fetchone()
    return made if written and written[0] and secret is None else None


def take_down(database: Database, *, operator: str) -> bool:
    """Call an operator back no more; whether it was."""
    with database.connect() as connection:
        cursor = connection.execute(
            "delete from app.operator_callbacks as callback using app.operators as operator "
            "where callback.operator_id = operator.operator_id and operator.name = %s",
            [operator],
        )
        return cursor.rowcount > 0
