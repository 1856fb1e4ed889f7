"""What is done for tasks before it is their turn: whose they are, their places, what their keys were answered, their size.

All of it may be a moment old when their turn comes, except for the answers, which are looked up again then.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from placement.outlook import Outlook
from placement.venues import Venues, of_operator
from service import records, venues
from service.efforts import bounded
from service.outlook import Outlooks
from service.problems import Problem
from service.settings import ServiceSettings
from service.submitted import Submission
from service.tenancy import NOBODY, Connection, Pool, connected, speak_for
from warehouse import known

KEPT = 256
"""Operators whose places are kept as arrays"""
Answers = dict[tuple[UUID, str], Mapping[str, Any]]
"""What was answered before, by operator and Idempotency-Key"""


@dataclass(frozen=True)
class Preparation:
    """Prepares tasks of one service."""

    pool: Pool
    outlooks: Outlooks
    settings: ServiceSettings
    _places: dict[UUID, tuple[Outlook, Sequence[Mapping[str, Any]], Venues]] = field(default_factory=dict)

    async def __call__(self, batch: Sequence[Submission]) -> None:
        """Prepare tasks that have arrived. Holds no lock that anybody waits for, and no connection while it sizes them up."""
        outlook = await self.outlooks.now()
        async with connected(self.pool) as connection, connection.pipeline(), connection.transaction():
            await self._look_up(connection, batch, outlook)
        await _size_up(batch, outlook)

    async def within(self, connection: Connection, batch: Sequence[Submission], outlook: Outlook) -> None:
        """The same in a transaction that is open."""
        await self._look_up(connection, batch, outlook)
        await _size_up(batch, outlook)

    async def _look_up(self, connection: Connection, batch: Sequence[Submission], outlook: Outlook) -> None:
        await _find_operators(connection, batch)
        asked = []
        async with connection.pipeline():  # one round trip
            for operator_id in by_operator(batch):
                await speak_for(connection, operator_id)
                asked.append((operator_id, await connection.execute(known.ASSETS, {"operator_id": operator_id})))
            cursors = await ask_answers(connection, batch)
        places = {operator_id: self._of(operator_id, await c.fetchall(), outlook) for operator_id, c in asked}
        answers = await read_answers(cursors)
        for submission in batch:
            submission.places = places[submission.operator_id]
            submission.before = answers.get(submission.name) if submission.name is not None else None

    def _of(self, operator_id: UUID, assets: Sequence[Mapping[str, Any]], outlook: Outlook) -> Venues:
        """The places of an operator; the same as before if nothing about them has changed."""
        kept = self._places.get(operator_id)
        if kept is not None and kept[0] is outlook and kept[1] == assets:
            return kept[2]
        if len(self._places) >= KEPT:
            self._places.clear()
        made = of_operator(operator_id, assets, outlook, region_capacity_kw=self.settings.region_capacity_kw)
        self._places[operator_id] = (outlook, assets, made)
        return made


async def _size_up(batch: Sequence[Submission], outlook: Outlook) -> None:
    for submission in batch:
        await asyncio.sleep(0)
        await submission.read_again(outlook)
        submission.prepare(outlook)
        submission.effort = 0
        if submission.drafted is not None and submission.places is not None:
            try:
                among = venues.only(submission.asked.asset_id, submission.places)
                submission.effort = bounded(submission.drafted.task, Venues.of(among), outlook)
            except Problem as problem:
                submission.refuse(problem)
        submission.prepared_with = outlook


async def _find_operators(connection: Connection, batch: Sequence[Submission]) -> None:
    """The platform's token speaks for all: there the address says which operator it is."""
    await speak_for(connection, NOBODY)
    of_platform = [submission for submission in batch if submission.caller.operator_id is None]
    if not of_platform:
        return
    addresses = list({submission.asked.user_email for submission in of_platform})
    cursor = await connection.execute(
        "select address, app.operator_for(address) as operator_id from unnest(%s::text[]) as address", [addresses]
    )
    found = {row["address"]: row["operator_id"] for row in await cursor.fetchall()}
    for submission in of_platform:
        if found[submission.asked.user_email] is None:
            raise Problem(503, "there is no operator to take this task")
        submission.operator_id = found[submission.asked.user_email]


def by_operator(batch: Iterable[Submission]) -> dict[UUID, list[Submission]]:
    """Tasks by their operator, each in their order."""
    found: dict[UUID, list[Submission]] = {}
    for submission in batch:
        found.setdefault(submission.operator_id, []).append(submission)
    return found


async def ask_answers(connection: Connection, batch: Sequence[Submission]) -> list[Any]:
    """Ask what was answered to the keys of these tasks; `read_answers` reads it."""
    asked = []
    for operator_id, own in by_operator(submission for submission in batch if submission.key).items():
        await speak_for(connection, operator_id)
        asked.append(await records.ask_answered(connection, operator_id, [s.key for s in own if s.key]))
    return asked


async def read_answers(cursors: Sequence[Any]) -> Answers:
    """What was answered before."""
    return {(row["operator_id"], row["idempotency_key"]): row for cursor in cursors for row in await cursor.fetchall()}
