"""A command that is run for somebody: found before anything is waited for, and its exit code is ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from energy.commands.signals import Signals
from energy.commands.split import Pacer

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""As shells have them"""
KILLED = 128
"""Plus the number of the signal"""


def is_there(command: Sequence[str]) -> bool:
    """Whether such a program exists; said at once, and not after hours."""
    return shutil.which(command[0]) is not None


def run(command: Sequence[str], signals: Signals, pacer: Pacer | None = None) -> int:
    """Run it to its end. Returns its exit code, 128 plus the signal that killed it, or 126 or 127 if it cannot be started.

    With a pacer it is a group of processes of its own, which is stopped between the pieces of its plan.
    """
    try:
        child = subprocess.Popen(list(command), start_new_session=pacer is not None)
    except FileNotFoundError:
        return NOT_FOUND
    except OSError:
        return NOT_EXECUTABLE
    signals.give_to(child, None if pacer is None else pacer.on_signal)
    code = child.wait() if pacer is None else pacer.wait(child)
    signals.child_ended()
    return code if code >= 0 else KILLED - code
