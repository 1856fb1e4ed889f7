"""A task as it was sent, and what is known of it on its way in."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from placement.outlook import Outlook
from placement.venues import Venues
from service.aside import WORDS
from service.drafts import Draft, draft
from service.problems import Problem
from service.shapes import TaskRequest
from service.tenancy import Caller
from service.words.joining import Understood, join

AT_ONCE = 200
"""Characters of a request that are read without a thread: that takes some thousandths of a second"""
NO_ADDRESS = {"tracked": False, "reason": "no user_email was given"}


async def _joined(asked: TaskRequest, now: datetime) -> tuple[TaskRequest, Understood]:
    """The words and fields together; other requests of the process get a turn meanwhile."""
    if len(asked.request) > AT_ONCE:
        return await WORDS(join, asked, now)
    await asyncio.sleep(0)
    return join(asked, now)


@dataclass(eq=False)
class Submission:
    """A task on its way in. `drafted` is None where it is refused, and `refusal` says why."""

    caller: Caller
    asked: TaskRequest
    key: str | None
    at: datetime
    """when it was received"""
    filled: TaskRequest
    understood: Understood
    fingerprint: bytes
    """tells one request from another under one Idempotency-Key"""
    operator_id: UUID
    user: dict[str, Any] = field(default_factory=NO_ADDRESS.copy)
    drafted: Draft | None = None
    refusal: Problem | None = None
    places: Venues | None = None
    """of its operator"""
    effort: int = 0
    """of its search for a place"""
    before: Mapping[str, Any] | None = None
    """what was answered to its Idempotency-Key before, as a row"""
    prepared_with: Outlook | None = None
    """what it was sized up with; None: it was not"""

    @classmethod
    async def received(cls, caller: Caller, asked: TaskRequest, key: str | None) -> "Submission":
        """Its words are read as of now."""
        now = datetime.now(UTC)
        fingerprint = hashlib.sha256(asked.model_dump_json(exclude_defaults=True).encode()).digest()
        read = await _joined(asked, now)
        return cls(caller, asked, key, now, *read, fingerprint, caller.operator_id or UUID(int=0))

    @property
    def name(self) -> tuple[UUID, str] | None:
        """What an Idempotency-Key names: it is its operator's own."""
        return (self.operator_id, self.key) if self.key else None

    async def read_again(self, outlook: Outlook) -> None:
        """Read its words anew if it waited across the half-hour."""
        if self.at < outlook.begins:
            self.at = outlook.begins
            self.filled, self.understood = await _joined(self.asked, self.at)

    def prepare(self, outlook: Outlook, preferences: Mapping[str, Any] | None = None) -> None:
        """Its size, times and weights, or why it is refused; that says what was read from the words: the fault may lie there."""
        try:
            self.drafted = self.understood.estimated(draft(self.filled, self.at, preferences))
        except Problem as problem:
            self.refuse(Problem(problem.status, f"{problem.detail}. {self.understood.in_short()}".removesuffix(". ")))

    def refuse(self, problem: Problem) -> None:
        """It is not taken in."""
        self.drafted, self.refusal = None, problem
