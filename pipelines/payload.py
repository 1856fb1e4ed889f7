"""A payload: a body as an upstream sent it, or a synthetic one of the same shape, with where it came from."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from pydantic import JsonValue

from pipelines.dataset import Dataset
from warehouse.periods import Window, iso


def payload_id(dataset: str, origin: str, window: Window | None, body: bytes) -> uuid.UUID:
    """The key of a payload: the first 16 bytes of a sha256 over dataset, origin, requested window and body.

    The origin is part of it, so that a real body can never be taken for one that is already there as synthetic. The
    window is none of a snapshot's.
    """
    asked = (iso(window.start), iso(window.end)) if window else ()
    digest = hashlib.sha256("\n".join((dataset, origin, *asked, "")).encode())
    digest.update(body)
    return uuid.UUID(bytes=digest.digest()[:16])


@dataclass(frozen=True)
class Payload:
    """A row of `staging.<slug>__<dataset>_payloads`."""

    dataset: Dataset
    origin: Literal["live", "synthetic", "archive"]
    body: bytes
    window: Window
    request_url: str
    request_params: Mapping[str, JsonValue]
    http_status: int | None
    fetched_at: datetime
    came_after: uuid.UUID | None = None
    """The payload that took its place when the same body came before"""

    @cached_property
    def payload_id(self) -> uuid.UUID:
        """The key: the same body for the same window has the same one, until another comes between."""
        if self.came_after is not None:
            digest = hashlib.sha256(f"{self.first_id}\n{self.came_after}".encode())
            return uuid.UUID(bytes=digest.digest()[:16])
        return self.first_id

    def returned_after(self, other: uuid.UUID) -> "Payload":
        """The same body as a new vintage, after another one for the same window."""
        params = {**self.request_params, "returned": str(self.first_id)}
        return replace(self, came_after=other, request_params=params)

    @property
    def first_id(self) -> uuid.UUID:
        """The key of the body when it first comes. The same forecast that was captured twice is two vintages."""
        window = None if self.dataset.is_snapshot else self.window
        key = payload_id(self.dataset.slug, self.origin, window, self.body)
        return uuid.uuid5(key, self.fetched_at.isoformat()) if self.origin == "archive" else key


@dataclass(frozen=True)
class Rejected:
    """A row of `staging.rejected_payloads`: what an upstream sent that is not what it documents."""

    dataset: Dataset
    reason: str
    body: bytes
    window: Window
    request_url: str
    http_status: int | None
    fetched_at: datetime

    @cached_property
    def payload_id(self) -> uuid.UUID:
        """The key: the same bad body for the same window is kept once."""
        return payload_id(self.dataset.slug, "rejected", self.window, self.body)

    @classmethod
    def from_payload(cls, payload: Payload, reason: str) -> "Rejected":
        """A payload that turned out not to be storable."""
        return cls(
            dataset=payload.dataset,
            reason=reason,
            body=payload.body,
            window=payload.window,
            request_url=payload.request_url,
            http_status=payload.http_status,
            fetched_at=payload.fetched_at,
        )

    @property
    def body_text(self) -> str:
        """The body as text PostgreSQL can hold: bytes that are not UTF-8, and NUL, as `\\xNN`."""
        return self.body.decode("utf-8", errors="backslashreplace").replace("\0", "\\x00")


def compact(body: JsonValue) -> bytes:
    """The one way a synthetic body is written, so that the same values are the same bytes."""
    return json.dumps(body, separators=(",", ":")).encode()
