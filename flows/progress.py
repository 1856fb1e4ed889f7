"""How far a run has come: a bar on a terminal; plain lines elsewhere, and in the log of a run that Prefect tracks."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from flows.run_log import is_tracked, say
from warehouse.ledger import Fetch


class Progress:
    """Counts requests; use it as a context manager."""

    def __init__(self, what: str, total: int):
        self._what, self._total, self._done = what, total, 0
        self._console = Console(file=sys.stderr, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=self._console, transient=True) if self._console.is_terminal else None

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def fetched(self, fetch: Fetch) -> None:
        """One request is done."""
        self._done += 1
        if self._bar:
            self._bar.update(self._task, completed=self._done)
        is_due = self._done == self._total or self._done % max(1, self._total // 10) == 0
        if is_due and (is_tracked() or not self._bar):
            self.say(f"{self._what}: {self._done} of {self._total} requests")

    def say(self, words: str) -> None:
        """A line of its own."""
        say(words, console=self._console)
