"""Callbacks: where an operator is called back, and how that goes."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from service.models.common import Answer


class Callback(Answer):
    """`GET /callback`."""

    operator_id: UUID
    sends_to: str | None = Field(description="Scheme and host of the URL; null: only workloads that name their own.")
    updated_at: datetime
    waiting: int = Field(description="Events that have happened and are not delivered yet.")
    given_up: int = Field(description="Events of the last days that could not be delivered in time.")
    last_failure: str | None = Field(description="Why the newest event that is not delivered yet was not.")


class CallbackSet(Callback):
    """`PUT /callback`."""

    secret: str | None = Field(description="The secret that was made, shown this once; null if it was set, or kept.")


class CallbackGone(Answer):
    """`DELETE /callback`."""

    operator_id: UUID
    forgotten: int = Field(description="Events that had happened and were not delivered.")
