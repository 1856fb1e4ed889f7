"""A window of a dataset to payloads: asked for, judged at the door, and filled up where that is allowed."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from pydantic import JsonValue

from pipelines.client import Answer, UpstreamClient
from pipelines.dataset import Answered, Asking, BodyRejected, Contents, Dataset, NoDataYet
from pipelines.gaps import missing_half_hours
from pipelines.payload import Payload, Rejected, compact
from pipelines.periods import HALF_HOUR, Window, iso
from warehouse.ledger import Fetch

_one_at_a_time = Lock()
"""A large body takes 60 MB while it is judged, and the interpreter judges one at a time anyway."""
ESCAPE = b"\\u"
LONG_NUMBER = re.compile(rb"[0-9][eE][+-]?[0-9]{3}|[0-9.]{1000}")
LARGEST_EXPONENT = 300
LONGEST_NUMBER = 1000
"""Characters. A number of more digits, or a larger exponent, is beyond what PostgreSQL's numeric holds, or nearly."""


@dataclass(frozen=True)
class Fetched:
    """What one request led to."""

    fetch: Fetch
    payloads: tuple[Payload, ...]
    rejected: tuple[Rejected, ...]


def fetch(asking: Asking, dataset: Dataset, *, now: datetime, fill_gaps: bool) -> Fetched:
    """Ask for a window of a dataset. Never raises for what an upstream does."""
    window = asking.window
    answered = dataset.ask(asking)
    if answered.unchanged:
        return Fetched(_unchanged(dataset, window, answered, asking.client, now), (), ())
    payloads: list[Payload] = []
    rejected: list[Rejected] = []
    present: set[datetime] = set()
    faults: list[str] = []
    notes = [answered.note]
    bodies: list[Answer] = []
    size, window_ignored = 0, False
    for answer in answered.answers:
        reason = answer.failure
        if reason is None:
            try:
                contents = admitted(dataset, window, answer.body)
                present |= contents.complete
                size += contents.size
                window_ignored |= bool(_strays(window, contents))
                bodies.append(answer)
            except NoDataYet as nothing:
                if window.start > now:
                    notes.append(str(nothing))
                else:
                    reason = str(nothing)
            except BodyRejected as refusal:
                reason = str(refusal)
        if reason is not None:
            faults.append(reason)
            if answer.body:
                rejected.append(_rejected(dataset, window, answer, reason))
    last = answered.answers[-1]
    fault = "; ".join(faults) or None
    params, shrunk = _versioned(dataset, asking, answered, size, failed=bool(faults))
    notes.append(shrunk)
    if window_ignored:
        notes.append("the upstream answered with its newest half-hours, not with those asked for")
    payloads += [_live(dataset, window, answer, params) for answer in bodies]
    missing = (
        []
        if shrunk or (window_ignored and not faults)
        else missing_half_hours(dataset, window, present, now=now, failed=bool(faults))
    )
    if missing and fill_gaps:
        payloads.append(
            _synthetic(dataset, window, missing, url=last.url, now=now, because=fault, fetched_at=last.received_at)
        )
    return Fetched(
        fetch=Fetch(
            dataset=dataset.slug,
            request_url=last.url,
            window_start=window.start,
            window_end=window.end,
            outcome="rejected" if rejected else "failed" if faults else "landed",
            http_status=last.status,
            attempts=sum(answer.attempts for answer in answered.answers),
            seconds=sum(answer.seconds for answer in answered.answers),
            half_hours_synthetic=len(missing) if fill_gaps else 0,
            detail="; ".join(filter(None, (fault, *notes))) or None,
            fetched_at=last.received_at,
        ),
        payloads=tuple(payloads),
        rejected=tuple(rejected),
    )


def _versioned(
    dataset: Dataset, asking: Asking, answered: Answered, size: int, *, failed: bool
) -> tuple[Mapping[str, JsonValue], str | None]:
    """What is kept of how it was asked; without the version if the answer is not whole, so that it is asked for again.

    While a portal loads a file anew it answers with none or some of its rows, under the version of the whole file. Returns the
    parameters, and what a person should know if the answer is smaller than the one before it.
    """
    params: dict[str, JsonValue] = dict(answered.params)
    if params.get("version") is None or dataset.is_snapshot:
        return params, None
    before = asking.known_size() or 0
    if failed or size == 0 or size < before:
        params |= {"version": None, "unfinished_version": params["version"]}  # when its values were issued is still true
    if failed or size >= before:
        return {**params, "size": size}, None
    return (
        params,
        f"it holds {size} rows, the answer before it {before}: taken for a file that is being loaded; asked again next time",
    )


def _unchanged(dataset: Dataset, window: Window, answered: Answered, client: UpstreamClient, now: datetime) -> Fetch:
    return Fetch(
        dataset=dataset.slug,
        request_url=client.url(""),
        window_start=window.start,
        window_end=window.end,
        outcome="known",
        http_status=None,
        attempts=0,
        seconds=0,
        half_hours_synthetic=0,
        detail=answered.unchanged,
        fetched_at=now,
    )


def admitted(dataset: Dataset, window: Window, body: bytes) -> Contents:
    """What a body holds. Raises BodyRejected with the reason, also for what SQL could not read."""
    with _one_at_a_time:
        contents = dataset.judge(body)
    _require_storable(body)
    strays = [] if dataset.may_ignore_the_window else _strays(window, contents)
    if strays and max(contents.named) < window.start:
        raise NoDataYet(f"no data yet: the newest half-hour is {iso(max(contents.named))}, before what was asked for")
    if strays:
        raise BodyRejected(f"holds half-hours that were not asked for, such as {iso(strays[0])}")
    return contents


def _strays(window: Window, contents: Contents) -> list[datetime]:
    """The half-hours that were not asked for; one before the window is an upstream's own habit at a boundary."""
    return sorted(h for h in contents.named if not window.start - HALF_HOUR <= h < window.end)


def _require_storable(body: bytes) -> None:
    """Refuse what is JSON and yet not jsonb: NUL characters and halves of surrogate pairs, which only escapes can hold,
    and numbers that no numeric can hold."""
    if ESCAPE not in body and not LONG_NUMBER.search(body):
        return
    try:
        text = json.dumps(json.loads(body, parse_float=_number, parse_int=_number), ensure_ascii=False)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise BodyRejected(f"is not JSON that can be stored: {error}") from None
    if "\\u0000" in text:
        raise BodyRejected("is not JSON that can be stored: it holds a NUL character")


def _number(text: str) -> float:
    exponent = text.lower().partition("e")[2]
    if len(text) > LONGEST_NUMBER or abs(int(exponent or 0)) > LARGEST_EXPONENT:
        raise ValueError(f"the number {text[:20]}... is out of range")
    return float(text)


def _live(dataset: Dataset, window: Window, answer: Answer, params: Mapping[str, JsonValue]) -> Payload:
    return Payload(
        dataset=dataset,
        origin="live",
        body=answer.body,
        window=window,
        request_url=answer.url,
        request_params=params,
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
