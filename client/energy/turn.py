"""The life of one piece of work: submitted, waited for, begun, ended. Whatever the service does, the work goes on."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any

from energy import spans
from energy.answers import Claims, PlacementOption, Submitted, Workload
from energy.api import Api, Budget, Refused, Trouble
from energy.chunks import Chunk, chunks_of
from energy.clock import SLICE_SECONDS, Clock
from energy.job import Job
from energy.pieces import PieceReports, Step
from energy.places import region_ids

LOOK_SECONDS = 30.0
"""A start that was moved is seen within this time"""
LEASE_SECONDS, BEAT_SECONDS = 3600, 60.0
"""Nobody else runs this work, so its lease outlasts a short suspend; each minute begins it anew"""
END_ATTEMPTS = 3
LAST_SECONDS = 1.0
"""For the claim if everything before it has used the time up: the work begins within the patience and this"""
TIDY_SECONDS = 2.0
AT_ONCE = "it begins at once"
Say = Callable[[str], None]


class Cancelled(Exception):
    """Somebody cancelled the work while it was waiting, or it is over already."""


class Turn:
    """A piece of work and its time. `say` gets each sentence for people."""

    def __init__(
        self,
        api: Api,
        job: Job,
        *,
        clock: Clock,
        say: Say,
        is_strict: bool = False,
        on_end: Callable[[Turn], None] = lambda _turn: None,
        beat_seconds: float = BEAT_SECONDS,
    ):
        self._on_end, self._beat_seconds = on_end, beat_seconds
        self._api, self._job, self._clock, self._say, self._is_strict = api, job, clock, say, is_strict
        self._key = str(uuid.uuid4())
        self._runner = f"{socket.gethostname()[:100]} {self._key}"
        self._token: int | None = None
        self._has_ended = threading.Event()
        self._silent_since: str | None = None
        self._budget: Budget | None = None
        """what is left of the service's time before the start; None while it waits"""
        self._is_submitting = self._is_begun = self._is_ended = False
        self._tidying: list[threading.Thread] = []
        self._pieces: PieceReports | None = None
        self.workload_id: str | None = None
        self.starts_at: datetime | None = None
        self.chunks: tuple[Chunk, ...] = ()
        """the pieces in which it runs; none if nothing is planned"""
        self.is_lost = False
        """its lease is another's, or gone: the plan is nobody's any more"""

    def submit(self) -> None:
        """Ask for a time. Raises Trouble if there is none, and only if it is strict."""
        self._budget = budget = self._api.budget()
        try:
            regions = region_ids(self._api, self._job.place, budget)
            self._is_submitting = True
            answer: Submitted = self._api.post("/submit_task", self._body(regions), budget, self._key)
            placed = answer["placement"]
            workload_id, starts_at = answer["workload_id"], spans.instant(placed["starts_at"]) if placed else None
            self.chunks = chunks_of(placed)
            words = self._described(answer, placed, starts_at) if placed and starts_at else ""
        except Trouble as trouble:
            if self._is_submitting and not isinstance(trouble, Refused):
                self._in_background(self._forget)  # it may have been accepted, and would hold a place for nothing
            self._stand_back(str(trouble))
            return
        except Exception:  # whatever it sent, the work begins
            self._stand_back(f"the response of the service at {self._api.url} cannot be understood")
            return
        if starts_at is None or placed is None:
            self._in_background(lambda: self._cancel(workload_id))
            self._stand_back(f"the service has no time for it ({answer['unplaced_because']})")
            return
        self.workload_id, self.starts_at, self._is_submitting = workload_id, starts_at, False
        self._say(words)

    def _body(self, regions: list[int] | None) -> dict[str, Any]:
        """Nobody else may claim it, and if this process dies it is not tried again: its command is known to no other."""
        return {**self._job.body(regions), "run": {"runner": self._runner}, "max_attempts": 1}

    def _described(self, answer: Submitted, placed: PlacementOption, starts_at: datetime) -> str:
        now = self._clock.now()
        words = "begins at once" if starts_at <= now else f"waits until {spans.local(starts_at, now)}"
        if len(self.chunks) > 1:
            words += f", in {len(self.chunks)} pieces until {spans.local(self.chunks[-1].ends_at, now)}"
        where = placed["region_name"] or f"region {placed['region_id']}"
        free = (
            ""
            if self._job.place or self._job.more.get("asset_id")
            else " (no place was given, so it is the service's choice)"
        )
        saved = (placed.get("saving") or {}).get("against_now")
        pct = saved["carbon_pct"] if saved else None
        less = f", {pct:.0f} % less carbon than at once" if pct is not None and round(pct) > 0 else ""
        synthetic = answer["data"]["synthetic_share"]
        doubt = "" if not synthetic else f"; {synthetic:.0%} of the forecast is synthetic"
        return f"{words}: {placed['mean_gco2_kwh']:.0f} gCO2/kWh in {where}{free}{less}{doubt} (workload {self.workload_id})"

    def _stand_back(self, because: str) -> None:
        """Nothing is waited for."""
        self._is_submitting = False
        if self._is_strict:
            raise Trouble(because)
        self._say(f"{because}; {AT_ONCE}")
        self.workload_id, self.starts_at, self.chunks = None, None, ()

    def pauses(self) -> Iterator[float]:
        """Seconds to sleep, one after the other, until it is time. Between them the plan is read again.

        Raises Cancelled, and Trouble if it is strict.
        """
        looked_at = self._clock.now()
        while self.starts_at is not None:
            now = self._clock.now()
            left = (self.starts_at - now).total_seconds()
            since = (now - looked_at).total_seconds()
            if left <= 0 and self._budget is not None:  # its plan has only just come
                return
            if left <= 0 or since >= LOOK_SECONDS or since < 0:  # below 0: the clock was set back
                self._budget = self._api.budget()
                if not self._look(self._budget):
                    return
                looked_at = now
                left = (self.starts_at - self._clock.now()).total_seconds()
                if left <= 0:
                    return
            self._budget = None
            yield min(left, SLICE_SECONDS)

    def wait(self) -> None:
        """Sleep until it is time. Raises what `pauses` raises."""
        for seconds in self.pauses():
            self._clock.sleep(seconds)

    def _look(self, budget: Budget) -> bool:
        """Read the plan again; without the service the last one holds. Whether there is one."""
        try:
            found: Workload = self._api.get(f"/workloads/{self.workload_id}", budget)
            status, placed = found["status"], found["placement"]
            starts_at = spans.instant(placed["starts_at"]) if placed and status == "scheduled" else None
            chunks, because = chunks_of(placed), found.get("failed_because")
        except Exception as error:
            words = str(error) if isinstance(error, Trouble) else "its response cannot be understood"
            if self._silent_since is None:
                self._silent_since = words
                self._say(f"{words}; the last plan holds")
            return True
        self._silent_since = None
        if status == "cancelled" and because:  # by the service itself, as when this machine slept beyond the deadline
            self._stand_back(f"the service has given it up ({because})")
            return False
        if status in ("cancelled", "running", "completed", "failed"):
            raise Cancelled(f"the workload is {status}; it is not run")
        if starts_at is not None and starts_at != self.starts_at:
            self._say(f"moved to {spans.local(starts_at, self._clock.now())}")
        if starts_at is not None:
            self.starts_at, self.chunks = starts_at, chunks
        return True

    def begin(self) -> None:
        """The work begins now."""
        self._is_begun = True
        if self.workload_id is None:
            return
        claim = {"workload_id": self.workload_id, "runner": self._runner, "lease_seconds": LEASE_SECONDS}
        budget = self._budget or self._api.budget()
        if budget.left < LAST_SECONDS:
            budget = self._api.budget(LAST_SECONDS)
        try:
            found: Claims = self._api.post("/workloads/claim", claim, budget)
            for held in found["claims"]:
                self._token = held["token"]
                threading.Thread(target=self._beat, daemon=True, name="energy-heartbeat").start()
            if self._token is None:  # by the service's clock it is not due yet
                self._api.patch(f"/workloads/{self.workload_id}", {"status": "running"}, budget)
        except Trouble as trouble:
            self._say(f"{trouble}; the start is not recorded")
        except Exception:  # whatever it sent, the work begins
            self._say(f"the response of the service at {self._api.url} cannot be understood; the start is not recorded")

    def piece(self, step: Step, number: int) -> None:
        """A piece of it, numbered from 1, has started or stopped now. Said in the background; nothing waits for it."""
        if self._token is None or self.is_lost or len(self.chunks) < 2:
            return
        if self._pieces is None:
            path = f"/workloads/{self.workload_id}/chunks"
            self._pieces = PieceReports(self._api, path, self._token, say=self._say)
        self._pieces.add(step, number, self._clock.now())

    def _beat(self) -> None:
        """Begin the lease anew, until the work ends or the service says that it is another's."""
        while not self._has_ended.wait(self._beat_seconds):
            try:
                self._api.post(f"/workloads/{self.workload_id}/heartbeat", {"token": self._token})
            except Refused as refused:
                if refused.status == 409:
                    self.is_lost = True
                    self._say(f"{refused}; the command goes on")
                    return
            except Trouble:  # the next one may arrive
                continue

    def end(self, *, is_success: bool, reason: str = "it ended with an error") -> None:
        """The work has ended. Only the first call counts."""
        if self._is_ended:
            return
        self._is_ended = True
        self._has_ended.set()
        self._on_end(self)
        for thread in self._tidying:
            thread.join(TIDY_SECONDS)
        if self.workload_id is None:
            return
        path = f"/workloads/{self.workload_id}"
        if self._token is None:
            status = {"status": "completed" if is_success else "failed"}
            self._report(lambda budget: self._api.patch(path, status, budget))
            return
        if self._pieces is not None:
            self._pieces.close()
        if is_success:
            self._report(lambda budget: self._api.post(f"{path}/finish", {"token": self._token}, budget))
        else:
            body = {"token": self._token, "reason": reason}
            self._report(lambda budget: self._api.post(f"{path}/fail", body, budget))

    def _report(self, report: Callable[[Budget], Any]) -> None:
        for attempt in range(1, END_ATTEMPTS + 1):
            try:
                report(self._api.budget())
            except Refused as refused:
                self._say(f"{refused}; the end is not recorded")
            except Trouble as trouble:
                if attempt < END_ATTEMPTS:
                    self._clock.sleep(attempt)
                    continue
                self._say(f"{trouble}; the end is not recorded")
            return

    def give_up(self) -> None:
        """It is not run: its place is free again."""
        if self.workload_id is not None and not self._is_begun:
            self._cancel(self.workload_id)
        elif self._is_submitting:
            self._forget()

    def _cancel(self, workload_id: str) -> None:
        with suppress(Trouble):  # nobody waits for the outcome
            self._api.patch(f"/workloads/{workload_id}", {"status": "cancelled"})

    def _forget(self) -> None:
        """Cancel what may have been accepted though no response came: the same key gives the same workload."""
        with suppress(Trouble, KeyError, TypeError):
            regions = region_ids(self._api, self._job.place)
            answer: Submitted = self._api.post("/submit_task", self._body(regions), key=self._key)
            self._cancel(answer["workload_id"])

    def _in_background(self, what: Callable[[], None]) -> None:
        self._tidying.append(threading.Thread(target=what, daemon=True, name="energy-tidy"))
        self._tidying[-1].start()

    def __enter__(self) -> Turn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(is_success=kind is None)

    async def __aenter__(self) -> Turn:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio

        await asyncio.to_thread(self.end, is_success=kind is None)
