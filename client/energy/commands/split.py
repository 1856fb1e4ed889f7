"""Work in pieces: between them the processes of the command stand still (SIGSTOP), and go on at the next one (SIGCONT).

Nothing here ends work or keeps it from going on. It is paused only while it has run as long as planned: what began late, or was
suspended with its machine, makes up for that first. Whatever goes wrong lets it run. If this process is killed while the command
stands still, a guard lets it go on. The service gets to know when each piece started and stopped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from energy import spans
from energy.chunks import next_border, number_at, pause_at, planned_seconds
from energy.clock import SLICE_SECONDS, Clock
from energy.turn import Turn

BEHIND_SECONDS = 60.0
"""So far behind its plan it is still paused: that much is lost between a start and its record"""
# Reads until this process is gone; then the group of processes goes on. A byte first says that there is nothing left to do.
GUARD = "import os, sys\nif not sys.stdin.buffer.read(1):\n    os.killpg(int(sys.argv[1]), int(sys.argv[2]))"
IGNORED = {getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2") if hasattr(signal, name)}
"""Signals that a command which stands still gets when it goes on"""


class Pacer:
    """Stops and continues a command by the plan of its turn."""

    def __init__(self, turn: Turn, *, clock: Clock, say: Callable[[str], None]):
        self._turn, self._clock, self._say = turn, clock, say
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._is_paused = self._is_over = False
        self._ran_seconds, self._looked_at = 0.0, time.monotonic()
        self._piece: int | None = None
        """the number of the piece that runs, as it was reported"""
        self._last_piece = 0

    def wait(self, child: subprocess.Popen[bytes]) -> int:
        """Wait for its end; its exit code. The command is the leader of a group of processes."""
        self._child, self._looked_at = child, time.monotonic()
        try:
            while True:
                seconds = self._step()
                try:
                    return child.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue
        finally:
            self._let_go()

    def on_signal(self, number: int) -> None:
        """The command was sent a signal: so that it can act on it, it goes on, and is not paused any more."""
        if number not in IGNORED:
            self._is_over = True
            self._resume()

    def _step(self) -> float:
        """Stop it or let it go on; how many seconds until the next look."""
        now, monotonic = self._clock.now(), time.monotonic()
        if not self._is_paused:
            self._ran_seconds += monotonic - self._looked_at  # stands still while the machine is suspended
        self._looked_at = monotonic
        if self._turn.is_lost and not self._is_over:
            self._is_over = True
            self._say("it is not paused any more")
        chunks = self._turn.chunks
        until = None if self._is_over else pause_at(chunks, now)
        if (
            until is not None
            and not self._is_paused
            and self._ran_seconds < planned_seconds(chunks, now) - BEHIND_SECONDS
        ):
            until = None  # it makes up for a late start
        if until is not None and not self._is_paused:
            if self._stop():
                self._say(f"paused until {spans.local(until, now)}")
        elif until is None and self._is_paused:
            self._resume()
            self._say("goes on")
        self._report(number_at(chunks, now), len(chunks))
        border = None if self._is_over else next_border(chunks, now)
        left = SLICE_SECONDS if border is None else (border - now).total_seconds()
        return max(0.01, min(left, SLICE_SECONDS))

    def _report(self, number: int, of: int) -> None:
        """Have it said which piece runs. After a pause it is the next one, also if it goes on early."""
        at_least = self._last_piece + 1 if self._piece is None else self._piece
        running = None if self._is_paused else min(of, max(number, at_least))
        if running == self._piece:
            return
        if self._piece is not None:
            self._turn.piece("stop", self._piece)
            self._last_piece = self._piece
        if running is not None:
            self._turn.piece("start", running)
        self._piece = running

    def _stop(self) -> bool:
        """Whether it stands still now."""
        if self._child is None or not self._has_guard(self._child.pid):
            return False
        self._is_paused = True
        try:
            os.killpg(self._child.pid, signal.SIGSTOP)
        except ProcessLookupError:
            return False
        except OSError as error:
            self._is_paused, self._is_over = False, True
            self._say(f"it cannot be paused ({error.strerror}); it goes on")
            return False
        if self._is_over:  # a signal came meanwhile
            self._is_paused = True
            self._resume()
        return self._is_paused

    def _resume(self) -> None:
        if self._is_paused and self._child is not None:
            with suppress(OSError):
                os.killpg(self._child.pid, signal.SIGCONT)
        self._is_paused = False

    def _has_guard(self, group: int) -> bool:
        """Start it once; without it nothing is paused."""
        if self._guard is None:
            try:
                self._guard = subprocess.Popen(
                    [sys.executable, "-c", GUARD, str(group), str(int(signal.SIGCONT))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                self._is_over = True
                self._say(f"it is not paused, because nothing could let it go on again ({error.strerror})")
                return False
        return True

    def _let_go(self) -> None:
        """It has ended, or this process is about to."""
        self._resume()
        if self._guard is not None and self._guard.stdin is not None:
            with suppress(OSError):
                self._guard.stdin.write(b"x")
                self._guard.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._guard.wait(2)
