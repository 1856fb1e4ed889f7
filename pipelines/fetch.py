"""A window of a dataset to payloads: asked for, judged at the door, and filled up where that is allowed.

Synthetic payloads stand in only for half-hours that the upstream did not give: all of a window that failed or was
refused, and the holes of one that did not. The far end of a forecast is no hole: where an upstream gives some of the
future, a shorter horizon is its own word and stays as it is.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from pipelines.client import Answer, UpstreamClient
from pipelines.dataset import BodyRejected, Dataset
from pipelines.payload import Payload, Rejected, compact
from pipelines.periods import HALF_HOUR, Window, floor, iso
from warehouse.ledger import Fetch

_one_at_a_time = Lock()
"""A large body takes 60 MB while it is judged, and the interpreter judges one at a time anyway."""
ESCAPE = b"\\u"


@dataclass(frozen=True)
class Fetched:
    """What one request led to."""

    fetch: Fetch
    payloads: tuple[Payload, ...]
    rejected: tuple[Rejected, ...]


def fetch(client: UpstreamClient, dataset: Dataset, window: Window, *, now: datetime, fill_gaps: bool) -> Fetched:
    """Ask for a window of a dataset. Never raises for what an upstream does."""
    path = dataset.path(window)
    answer = client.get(path)
    payloads: list[Payload] = []
    rejected: list[Rejected] = []
    present: Collection[datetime] = ()
    outcome, detail = "landed", answer.failure
    if answer.failure is None:
        try:
            present = _judge(dataset, window, answer.body)
            payloads.append(_live(dataset, window, answer))
        except BodyRejected as reason:
            outcome, detail = "rejected", str(reason)
    else:
        outcome = "failed"
    if outcome != "landed" and answer.body:
        outcome = "rejected"
        rejected.append(_rejected(dataset, window, answer, detail or "refused"))
    missing = missing_half_hours(window, present, now=now)
    if missing and fill_gaps:
        payloads.append(
            _synthetic(
                dataset, window, missing, url=client.url(path), now=now, because=detail, fetched_at=answer.received_at
            )
        )
    return Fetched(
        fetch=Fetch(
            dataset=dataset.slug,
            request_url=answer.url,
            window_start=window.start,
            window_end=window.end,
            outcome=outcome,
            http_status=answer.status,
            attempts=answer.attempts,
            seconds=answer.seconds,
            half_hours_synthetic=len(missing) if fill_gaps else 0,
            detail=detail,
            fetched_at=answer.received_at,
        ),
        payloads=tuple(payloads),
        rejected=tuple(rejected),
    )


def missing_half_hours(window: Window, present: Collection[datetime], *, now: datetime) -> list[datetime]:
    """The half-hours of the window that are holes: not given, and not merely beyond the upstream's horizon."""
    there = frozenset(present)
    horizon = max(there, default=None)
    future_is_given = horizon is not None and horizon > floor(now)
    return [
        half_hour
        for half_hour in window.half_hours()
        if half_hour not in there and not (future_is_given and horizon is not None and half_hour > horizon)
    ]


def _judge(dataset: Dataset, window: Window, body: bytes) -> Collection[datetime]:
    """The half-hours that the body holds in full. Raises BodyRejected with the reason."""
    with _one_at_a_time:
        contents = dataset.judge(body)
    _require_storable(body)
    # one half-hour before the window is the upstream's own habit at a boundary
    strays = sorted(h for h in contents.named if not window.start - HALF_HOUR <= h < window.end)
    if strays:
        raise BodyRejected(f"holds half-hours that were not asked for, such as {iso(strays[0])}")
    return contents.complete


def _require_storable(body: bytes) -> None:
    """Refuse what is JSON and yet not jsonb: NUL characters and halves of surrogate pairs, which only escapes can hold."""
    if ESCAPE not in body:
        return
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise BodyRejected(f"is not JSON that can be stored: {error}") from None
    if "\\u0000" in text:
        raise BodyRejected("is not JSON that can be stored: it holds a NUL character")


def _live(dataset: Dataset, window: Window, answer: Answer) -> Payload:
    return Payload(
        dataset=dataset,
        origin="live",
        body=answer.body,
        window=window,
        request_url=answer.url,
        request_params={},
        http_status=answer.status,
        fetched_at=answer.received_at,
    )


def _synthetic(
    dataset: Dataset,
    window: Window,
    missing: Collection[datetime],
    *,
    url: str,
    now: datetime,
    because: str | None,
    fetched_at: datetime,
) -> Payload:
    return Payload(
        dataset=dataset,
        origin="synthetic",
        body=compact(dataset.synthesize(missing, now)),
        window=window,
        request_url=url,
        request_params={"synthetic_because": because or "the upstream has no data for these half-hours"},
        http_status=None,
        fetched_at=fetched_at,
    )


def _rejected(dataset: Dataset, window: Window, answer: Answer, reason: str) -> Rejected:
    return Rejected(
        dataset=dataset,
        reason=reason,
        body=answer.body,
        window=window,
        request_url=answer.url,
        http_status=answer.status,
        fetched_at=answer.received_at,
    )
