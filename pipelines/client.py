"""The polite HTTP client: one User-Agent, a rate limit held across processes, retries with backoff and jitter.

Retried: time-outs, dropped connections, 429 and 5xx, `Retry-After` honoured. Never retried: any other answer, and one that was
not complete within HTTP_TOTAL_TIMEOUT_SECONDS. All attempts of a request end within HTTP_REQUEST_SECONDS, and all requests of a
fetch within HTTP_FETCH_SECONDS; waiting for a turn does not count. When an upstream cannot be reached at all, later requests of
the same run fail at once instead of waiting through it again. Redirects are followed within the same host only, and an answer
carries the address that gave it. Nothing that an upstream sends raises.
"""

import copy
import http.client
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from pydantic import JsonValue
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_any, wait_exponential_jitter
from tenacity.stop import stop_base

from pipelines.connection_faults import fault_of
from pipelines.deadline import Deadline, Session
from pipelines.patience import NoTimeLeft, Patience
from pipelines.settings import PipelineSettings

USER_AGENT = "energy-data-pipeline/0.1 (open source; British electricity data for placing compute)"
LARGEST_BODY_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 1 << 16
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5
UNREACHABLE_AFTER_SECONDS = 10
LEAST_SECONDS = 0.1
BACKOFF = wait_exponential_jitter(multiplier=0.5, max=8, jitter=0.5)


@dataclass(frozen=True)
class Response:
    """What came of a request: a body with its status, or the reason why there is none."""

    url: str
    """The address that answered; the one that was asked if none did."""
    status: int | None
    body: bytes
    attempts: int
    seconds: float
    received_at: datetime
    failure: str | None = None


class _TryAgain(Exception):
    def __init__(self, reason: str, status: int | None = None, body: bytes = b"", retry_after: float | None = None):
        super().__init__(reason)
        self.status, self.body, self.retry_after = status, body, retry_after


@dataclass
class _Reply:
    """A reply as far as it has come."""

    url: str
    status: int | None = None
    location: str | None = None
    retry_after: float | None = None
    body: bytearray = field(default_factory=bytearray)


class _Unreachable(_TryAgain):
    """Not even a connection: true of every path of the upstream, so the rest of the run need not find out again."""


class _GiveUp(_TryAgain):
    """Worth no further attempt within this run."""


class UpstreamClient:
    """Asks one upstream. Threads may share it."""

    def __init__(
        self, base_url: str, *, settings: PipelineSettings, turns: Mapping[str, Callable[[], None]] | None = None
    ):
        """`turns` waits for the next request of a kind that the upstream's limits tell apart."""
        self._base_url = base_url.rstrip("/")
        self._settings = settings
        self._turns = turns or {}
        self._session = Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        self._unreachable: list[str] = []
        self._patience: Patience | None = None

    def for_fetch(self) -> "UpstreamClient":
        """The same client, whose requests from now on end within HTTP_FETCH_SECONDS all together."""
        this = copy.copy(self)
        this._patience = Patience(self._settings.http_fetch_seconds)
        return this

    def url(self, path: str) -> str:
        """The address of a path of this upstream."""
        return self._base_url + path

    def get(self, path: str, *, kind: str = "requests") -> Response:
        """GET a path. Never raises for what an upstream or a network does: `Response.failure` says it."""
        return self._ask(path, kind, lambda: None, self._settings.http_attempts, None)

    def post(
        self,
        path: str,
        body: Callable[[], JsonValue],
        *,
        kind: str = "requests",
        attempts: int | None = None,
        read_timeout_seconds: float | None = None,
    ) -> Response:
        """POST a JSON body, made anew for each attempt. Give `attempts=1` to what must not be done twice. Never raises."""
        return self._ask(path, kind, body, attempts or self._settings.http_attempts, read_timeout_seconds)

    def _ask(
        self, path: str, kind: str, body: Callable[[], JsonValue], most: int, read_timeout_seconds: float | None
    ) -> Response:
        started = time.monotonic()
        attempts = 0
        reply = _Reply(self.url(path))

        def answer(status: int | None, content: bytes, failure: str | None) -> Response:
            return Response(
                url=reply.url,
                status=status,
                body=content,
                attempts=attempts,
                seconds=time.monotonic() - started,
                received_at=datetime.now(UTC),
                failure=failure,
            )

        if self._unreachable:
            return answer(None, b"", f"not requested: {self._unreachable[0]}")
        if self._patience and self._patience.left <= 0:
            return answer(None, b"", f"not requested: the requests before it took {self._patience.seconds:g} s")
        patience = Patience(self._settings.http_request_seconds, self._patience)
        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, _TryAgain) and not isinstance(error, _GiveUp)),
            stop=stop_any(stop_after_attempt(most), _UnreachableForLong(), NoTimeLeft(patience)),
            wait=_wait,
            reraise=True,
        )
        timeouts = (
            self._settings.http_connect_timeout_seconds,
            read_timeout_seconds or self._settings.http_read_timeout_seconds,
        )
        try:
            for attempt in retrying:
                with attempt:
                    attempts += 1
                    reply = _Reply(self.url(path))
                    self._once(reply, kind, body(), timeouts, patience)
        except _TryAgain as gave_up:
            if isinstance(gave_up, _Unreachable):
                self._unreachable.append(f"the upstream could not be reached ({gave_up})")
            times = f" after {attempts} attempts" if attempts > 1 else ""
            is_late = attempts < most and not isinstance(gave_up, _GiveUp | _Unreachable)
            late = ", and there is no time for another" if is_late else ""
            return answer(gave_up.status, gave_up.body, f"{gave_up}{times}{late}")
        return answer(reply.status, bytes(reply.body), None if reply.status == 200 else f"HTTP {reply.status}")

    def _once(
        self, reply: _Reply, kind: str, posted: JsonValue, timeouts: tuple[float, float], patience: Patience
    ) -> None:
        """One attempt, with the redirects that it leads to. What has come is in `reply`, also if this raises."""
        if kind in self._turns:
            with patience.paused():
                self._turns[kind]()
        seconds = max(LEAST_SECONDS, min(self._settings.http_total_timeout_seconds, patience.left))
        with Deadline(seconds) as deadline:
            try:
                for _ in range(MOST_REDIRECTS + 1):
                    self._read(reply, posted, timeouts)
                    if reply.status not in REDIRECTS or deadline.has_passed:
                        break
                    reply.url = _target(reply, posted)
                else:
                    raise _GiveUp(f"more than {MOST_REDIRECTS} redirects", reply.status)
            except (
                requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError,
            ) as error:  # fmt: skip
                if not deadline.has_passed:
                    fault = fault_of(error)
                    # half a body is no answer of the upstream's, whose shape could be looked at
                    raise (_Unreachable if fault.is_unreachable else _TryAgain)(fault.words, None, b"") from None
            if deadline.has_passed:  # a body that ends with its connection would seem whole
                raise _GiveUp(f"the answer was not complete after {seconds:.3g} s", None, bytes(reply.body))
        if reply.status == 429 or (reply.status or 0) >= 500:
            if reply.retry_after is not None and reply.retry_after > self._settings.http_retry_after_max_seconds:
                words = f"Retry-After {reply.retry_after:.0f} s is longer than this run waits"
                raise _GiveUp(f"HTTP {reply.status}, {words}", reply.status, bytes(reply.body))
            raise _TryAgain(f"HTTP {reply.status}", reply.status, bytes(reply.body), reply.retry_after)

    def _read(self, reply: _Reply, posted: JsonValue, timeouts: tuple[float, float]) -> None:
        method = "GET" if posted is None else "POST"
        with self._session.request(method, reply.url, json=posted, timeout=timeouts, stream=True) as response:
            reply.status = response.status_code
            reply.location = response.headers.get("Location")
            reply.retry_after = _seconds(response.headers.get("Retry-After"))
            if reply.status in REDIRECTS:
                return  # its body is of no interest, and may never end
            for piece in response.iter_content(PIECE_BYTES):
                reply.body += piece
                if len(reply.body) > LARGEST_BODY_BYTES:
                    raise _GiveUp(f"the body is larger than {LARGEST_BODY_BYTES >> 20} MiB", reply.status)


def _target(reply: _Reply, posted: JsonValue) -> str:
    """Where a redirect leads; _GiveUp where it is not followed: to another host, to no address, or with what was posted."""
    here = urlsplit(reply.url)
    try:
        url = urljoin(reply.url, reply.location or "")
        there = urlsplit(url)
        hosts = [(part.hostname, part.port or {"http": 80, "https": 443}.get(part.scheme)) for part in (here, there)]
    except ValueError:
        raise _GiveUp(f"HTTP {reply.status} to what is no address", reply.status) from None
    is_upgrade = hosts == [(here.hostname, 80), (here.hostname, 443)] and there.scheme == "https"
    if not reply.location or not url.isascii() or not url.isprintable() or there.scheme not in ("http", "https"):
        raise _GiveUp(f"HTTP {reply.status} to what is no address", reply.status)
    if not is_upgrade and (hosts[0] != hosts[1] or here.scheme != there.scheme):
        raise _GiveUp(f"HTTP {reply.status} to another host ({there.hostname}), which is not followed", reply.status)
    if posted is not None and reply.status not in (307, 308):
        raise _GiveUp(f"HTTP {reply.status} of a POST, which is not followed", reply.status)
    return url


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, _TryAgain) else None
    return max(asked or 0.0, BACKOFF(state))


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in either of its forms: seconds, or a date."""
    if not retry_after:
        return None
    if re.fullmatch(r" *[0-9]+ *", retry_after):
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


class _UnreachableForLong(stop_base):
    """Stops sooner where not even a connection comes about, so that a run without a network ends within a minute."""

    def __call__(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return isinstance(error, _Unreachable) and (state.seconds_since_start or 0) > UNREACHABLE_AFTER_SECONDS
