"""The pieces in which work runs that may be interrupted, and where in them an instant lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy import spans


@dataclass(frozen=True)
class Chunk:
    """From when until when it runs."""

    starts_at: datetime
    ends_at: datetime


def chunks_of(placed: Mapping[str, Any] | None) -> tuple[Chunk, ...]:
    """The pieces of a placement or window, in the order of time; one if it is whole. Raises ValueError, KeyError, TypeError."""
    if placed is None:
        return ()
    pieces = placed.get("chunks") or [placed]
    found = [Chunk(spans.instant(one["starts_at"]), spans.instant(one["ends_at"])) for one in pieces]
    return tuple(sorted(found, key=lambda chunk: chunk.starts_at))


def pause_at(chunks: Sequence[Chunk], now: datetime) -> datetime | None:
    """When the next piece begins, if `now` lies between two; None if the work is to run. After the last one it runs to its end."""
    for before, after in zip(chunks, chunks[1:]):
        if before.ends_at <= now < after.starts_at:
            return after.starts_at
    return None


def planned_seconds(chunks: Sequence[Chunk], now: datetime) -> float:
    """How long it is to have run by now."""
    return sum(max(0.0, (min(chunk.ends_at, now) - chunk.starts_at).total_seconds()) for chunk in chunks)


def number_at(chunks: Sequence[Chunk], now: datetime) -> int:
    """The number, from 1, of the piece that runs then, or of the last one before."""
    return max(1, sum(chunk.starts_at <= now for chunk in chunks))


def next_border(chunks: Sequence[Chunk], now: datetime) -> datetime | None:
    """When a piece begins or ends next; None after the last."""
    ahead = [at for chunk in chunks for at in (chunk.starts_at, chunk.ends_at) if at > now]
    return min(ahead, default=None)
