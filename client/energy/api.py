"""Requests to the service. Each ends within its time, whatever the other side does, and each way to fail is a type."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from math import inf
from typing import Any, TypeVar

import httpx

from energy.settings import Settings

LOOK_SECONDS = 30.0
"""For a command that only looks: nobody's work waits for it"""
Found = TypeVar("Found")


class Trouble(Exception):
    """The service is of no help now; the message is one sentence."""


class Unreachable(Trouble):
    """No connection, no response in time, or an error of the service's own."""


class Refused(Trouble):
    """The service responded, and refused."""

    def __init__(self, status: int, detail: str):
        super().__init__(detail)
        self.status = status


class Budget:
    """So many seconds for several requests together."""

    def __init__(self, seconds: float):
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; a little more than nothing at the end, so that a request can still fail by itself."""
        return max(0.05, self._ends - time.monotonic())


class Api:
    """The service at an address. Redirects are not followed: a token goes nowhere else."""

    def __init__(self, settings: Settings):
        self.url, self._seconds = settings.url, settings.patience_seconds
        self._headers = {"User-Agent": "energy-client", "Accept": "application/json"}
        if settings.token:
            self._headers["Authorization"] = f"Bearer {settings.token}"

    def budget(self, most: float = inf) -> Budget:
        """For everything that stands before the start of somebody's work; so many seconds at most."""
        return Budget(min(self._seconds, most))

    def get(self, path: str, budget: Budget | None = None, **parameters: Any) -> Any:
        """The response to a GET. Raises Trouble."""
        return self._ask("GET", path, budget, params={k: v for k, v in parameters.items() if v is not None})

    def post(self, path: str, body: dict[str, Any], budget: Budget | None = None, key: str | None = None) -> Any:
        """The response to a POST; the same `key` again makes nothing twice. Raises Trouble."""
        return self._ask("POST", path, budget, json=body, headers={"Idempotency-Key": key} if key else {})

    def patch(self, path: str, body: dict[str, Any], budget: Budget | None = None) -> Any:
        """The response to a PATCH. Raises Trouble."""
        return self._ask("PATCH", path, budget, json=body)

    def _ask(self, method: str, path: str, budget: Budget | None, **more: Any) -> Any:
        seconds = (budget or self.budget()).left
        headers = {**self._headers, **more.pop("headers", {})}

        def ask() -> httpx.Response:
            with httpx.Client(base_url=self.url, headers=headers, timeout=seconds) as client:
                return client.request(method, path, **more)

        try:
            response = _within(seconds, ask)
        except TimeoutError:
            raise Unreachable(f"the service at {self.url} did not respond within {seconds:.1f} s") from None
        except Exception as error:  # a proxy without its package, no certificates: whatever it is, the work begins
            raise Unreachable(f"the service at {self.url} cannot be reached ({_reason(error)})") from None
        return self._read(response)

    def _read(self, response: httpx.Response) -> Any:
        try:
            found = response.json()
        except (ValueError, RecursionError):
            found = None
        detail = found.get("detail") if isinstance(found, dict) else None
        if response.status_code == 401:
            raise Refused(401, f"the service at {self.url} refuses the token (ENERGY_TOKEN)")
        if 400 <= response.status_code < 500:
            raise Refused(response.status_code, f"the service refuses: {detail or response.reason_phrase}")
        if not response.is_success:
            what = detail or response.reason_phrase or "no reason given"
            raise Unreachable(f"the service at {self.url} answers {response.status_code} ({what})")
        if not isinstance(found, dict):
            raise Unreachable(f"what answers at {self.url} is not the service: its response is not JSON")
        return found


def _within(seconds: float, ask: Callable[[], Found]) -> Found:
    """What a call gives, or TimeoutError: a server that sends a byte now and then never meets httpx's own limits."""
    future: Future[Found] = Future()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:
            future.set_exception(error)

    # not an executor's thread: Python waits for those when it ends
    threading.Thread(target=run, daemon=True, name="energy-request").start()
    try:
        return future.result(seconds)
    except (FutureTimeout, httpx.TimeoutException):  # before Python 3.11 the first is no TimeoutError
        raise TimeoutError from None


def _reason(error: BaseException) -> str:
    words = str(error).strip() or type(error).__name__
    return words.splitlines()[0][:200]
