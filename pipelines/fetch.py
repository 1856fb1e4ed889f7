"""A window of a dataset to payloads: requested, validated, and filled up where that is allowed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter

import psycopg
from pydantic import JsonValue

from pipelines.admission import admitted, strays_of
from pipelines.client import Response, UpstreamClient
from pipelines.dataset import NOTHING, BodyRejected, Dataset, FetchRequest, FetchResult, NoDataYet
from pipelines.gaps import missing_half_hours
from pipelines.payload import Payload, Rejected, compact
from pipelines.whole import kept_of
from warehouse.errors import LockTimeoutError, UsageError
from warehouse.ledger import Fetch
from warehouse.periods import HALF_HOUR, Window, floor
from warehouse.printed import storable


@dataclass(frozen=True)
class Fetched:
    """What one request led to."""

    fetch: Fetch
    payloads: tuple[Payload, ...]
    rejected: tuple[Rejected, ...]


def fetch(request: FetchRequest, dataset: Dataset, *, now: datetime, fill_gaps: bool) -> Fetched:
    """Ask for a window of a dataset. Never raises for what an upstream does."""
    window = request.window
    result = _asked(request, dataset)
    if result.unchanged:
        return Fetched(_unchanged(dataset, window, result, request.client, now), (), ())
    payloads: list[Payload] = []
    rejected: list[Rejected] = []
    faults: list[str] = []
    notes = [result.note]
    bodies: list[Response] = []
    held, window_ignored = NOTHING, False
    for response in result.responses:
        reason = response.failure
        if reason is None:
            try:
                contents = admitted(dataset, window, response.body)
                held |= contents
                window_ignored |= bool(strays_of(window, contents))
                bodies.append(response)
            except NoDataYet as nothing:
                if window.start + HALF_HOUR > now:
                    notes.append(str(nothing))
                else:
                    reason = str(nothing)
            except BodyRejected as refusal:
                reason = str(refusal)
            except Exception as error:
                reason = _unforeseen(error)
        if reason is not None:
            faults.append(reason)
            if response.body:
                rejected.append(_rejected(dataset, window, response, reason))
    last = result.responses[-1]
    is_empty = not faults and not held.size
    missing = missing_half_hours(dataset, window, held.complete, now=now, failed=bool(faults))
    if window_ignored and not faults:
        notes.append("the upstream answered with its newest half-hours, not with those requested")
        missing = []
    elif bodies and not faults and missing and not any(window.start <= h < window.end for h in held.complete):
        faults.append("the response holds no half-hour that was requested")
        missing = missing_half_hours(dataset, window, held.complete, now=now, failed=True)
    has_holes = window_ignored or any(half_hour < floor(now) - dataset.lag for half_hour in missing)
    failed = bool(faults) and not is_empty
    params, doubt, is_short = kept_of(dataset, request, result.params, held, failed=failed, has_holes=has_holes)
    notes.append(doubt)
    fault = "; ".join(faults) or None
    if is_short:  # the rest of it has been there
        missing = []
    payloads += [_live(dataset, window, response, params) for response in bodies]
    if missing and fill_gaps:
        payloads.append(
            _synthetic(dataset, window, missing, url=last.url, now=now, because=fault, fetched_at=last.received_at)
        )
    return Fetched(
        fetch=Fetch(
            dataset=dataset.slug,
            request_url=storable(last.url),
            window_start=window.start,
            window_end=window.end,
            outcome="rejected" if rejected else "failed" if faults else "landed",
            http_status=last.status,
            attempts=sum(response.attempts for response in result.responses),
            seconds=sum(response.seconds for response in result.responses),
            half_hours_synthetic=len(missing) if fill_gaps else 0,
            detail=storable("; ".join(filter(None, (fault, *notes)))) or None,
            fetched_at=last.received_at,
        ),
        payloads=tuple(payloads),
        rejected=tuple(rejected),
    )


def _asked(request: FetchRequest, dataset: Dataset) -> FetchResult:
    """What the upstream gave. What nobody thought an upstream could send is a failed request, not the end of the run."""
    begun = perf_counter()
    try:
        return dataset.fetch(replace(request, client=request.client.for_fetch()))
    except (UsageError, LockTimeoutError, psycopg.Error):
        raise  # of ours
    except Exception as error:
        seconds = perf_counter() - begun
        return FetchResult(
            [Response(request.client.url(""), None, b"", 1, seconds, datetime.now(UTC), failure=_unforeseen(error))]
        )


def _unforeseen(error: Exception) -> str:
    return f"it cannot be read ({type(error).__name__}: {str(error)[:200]})"


def _unchanged(dataset: Dataset, window: Window, result: FetchResult, client: UpstreamClient, now: datetime) -> Fetch:
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
        detail=result.unchanged,
        fetched_at=now,
    )


def _live(dataset: Dataset, window: Window, response: Response, params: Mapping[str, JsonValue]) -> Payload:
    return Payload(
        dataset=dataset,
        origin="live",
        body=response.body,
        window=window,
        request_url=response.url,
        request_params=params,
        http_status=response.status,
        fetched_at=response.received_at,
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


def _rejected(dataset: Dataset, window: Window, response: Response, reason: str) -> Rejected:
    return Rejected(
        dataset=dataset,
        reason=reason,
        body=response.body,
        window=window,
        request_url=response.url,
        http_status=response.status,
        fetched_at=response.received_at,
    )
