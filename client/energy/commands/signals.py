"""Signals that `energy run` gets: while it waits they end it, while the command runs they are the command's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
FROM_THE_TERMINAL = tuple(getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name))
WAITING, STARTING, RUNNING = "waiting", "starting", "running"


class Stopped(Exception):
    """A signal came while no command ran."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


class Signals:
    """Handlers for the time of a `with` block. A signal that is ignored, as under nohup, stays ignored.

    `is_apart`: the command is a group of processes of its own, to which the terminal sends nothing by itself.
    """

    def __init__(self, *, is_apart: bool = False) -> None:
        self._phase, self._is_apart = WAITING, is_apart
        self._passed: Callable[[int], None] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._pending: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_raised: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def start_child(self) -> None:
        """From here on signals are kept for the command that is about to start."""
        self._phase = STARTING

    def give_to(self, child: subprocess.Popen[bytes], passed: Callable[[int], None] | None = None) -> None:
        """The command runs: it gets those that were kept, and those that come; `passed` hears of each."""
        self._child, self._passed, self._phase = child, passed, RUNNING
        for number in self._pending:
            self._pass_on(number)

    def child_ended(self) -> None:
        """What comes now ends what is left to do."""
        self._phase = WAITING

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._phase == WAITING:
            raise Stopped(number)
        if self._phase == STARTING:
            self._pending.append(number)
        else:
            from_terminal = number in FROM_THE_TERMINAL and _is_in_the_foreground()
            if self._is_apart or not from_terminal:  # the terminal gives these to the command itself
                self._pass_on(number, to_all=from_terminal)

    def _pass_on(self, number: int, *, to_all: bool = False) -> None:
        if self._child is None:
            return
        if to_all and self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)
        else:
            self._child.send_signal(number)  # does nothing once it has ended
        if self._passed is not None:
            self._passed(number)


def _is_in_the_foreground() -> bool:
    """Whether a terminal sends its signals to our process group, and so to the command too."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        try:
            if os.isatty(stream.fileno()):
                return os.tcgetpgrp(stream.fileno()) == os.getpgrp()
        except (OSError, ValueError, AttributeError):
            continue
    return False
