"""What a process has said: its log, the lines in it that are errors, and how long it may become."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ERROR_LINE = re.compile(
    r"(?:^|\s)(?:ERROR|CRITICAL|FATAL|PANIC)(?::|\s*\|)"  # uvicorn and PostgreSQL put a colon after it, Prefect a bar
    r"|^\s*\[?(?:ERROR|CRITICAL|FATAL)\b"
    r"|Traceback \(most recent call last\)"  # indented and framed ones too
    r"|^\s*Exception (?:in thread|ignored in)\b"
    r"|^\s*Fatal Python error"
)
OF_A_RUN = re.compile(r"\| (?:Flow|Task) run '[^']*' - Finished in state ")
"""How a run ended. It is an error of the run, which Prefect shows, and not of the process that watched it."""
MOST_BYTES = 20_000_000
LAST_BYTES = 4_000_000
"""So much of a log is read"""


@dataclass(frozen=True)
class Mark:
    """A place in a log: the end of it at some moment, and which file it was then."""

    inode: int
    offset: int


@dataclass(frozen=True)
class Log:
    """The log of a process that outlives the command that started it. The one before is kept beside it."""

    path: Path

    @property
    def before(self) -> Path:
        """What the process before this one said, or this one before its log was cut."""
        return self.path.with_suffix(".previous.log")

    def begin(self) -> IO[str]:
        """A new log, for a process that starts."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.path.replace(self.before)
        return self.path.open("a")  # so that a process goes on at the end of a log that was cut

    def cut(self, most_bytes: int = MOST_BYTES) -> bool:
        """Move what a process that still runs has said aside, if that is too much; whether it was."""
        if not self.path.exists() or self.path.stat().st_size <= most_bytes:
            return False
        shutil.copyfile(self.path, self.before)
        os.truncate(self.path, 0)
        return True

    def mark(self) -> Mark:
        """Where it ends now."""
        if not self.path.exists():
            return Mark(0, 0)
        found = self.path.stat()
        return Mark(found.st_ino, found.st_size)

    def errors(self, since: Mark | None = None) -> list[str]:
        """The lines that are errors or begin a traceback: since that mark, and all if the log is another one by now."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as log:
            now = os.fstat(log.fileno())
            is_same = since is not None and since.inode == now.st_ino and since.offset <= now.st_size
            log.seek(max(since.offset if since and is_same else 0, now.st_size - LAST_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return [line for line in lines if ERROR_LINE.search(line) and not OF_A_RUN.search(line)]

    def first(self, pattern: str) -> str | None:
        """The first words in it that match."""
        found = re.search(pattern, self.path.read_text(errors="replace"))
        return found[0] if found else None

    def last_words(self, lines: int = 3) -> str:
        """Its end, in one line."""
        return " | ".join(line.strip() for line in self.path.read_text(errors="replace").splitlines()[-lines:])
