"""The results of the last runs as pages, in `<data_dir>/data_docs`: `index.html` and one page per run.

The pages need nothing but themselves: no script, no other file, no other host (docs/decisions/data_docs.md). Only the last
`KEPT_RUNS` runs are kept, so the cost does not grow with history; history is in `ops.quality_results`.
"""

import fcntl
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from checkpoints.tally import Outcome, Tally, worst

KEPT_RUNS = 20


@dataclass(frozen=True)
class Verdict:
    """A line of the index: a dataset at a checkpoint, and how many of its expectations were met."""

    checkpoint: str
    dataset: str
    outcome: Outcome
    met: int
    expectations: int


@dataclass(frozen=True)
class RunEntry:
    """A run on the index. Kept as `<run_id>.json` beside its page: the index is made of these."""

    run_id: str
    flow: str
    written_at: str
    """UTC, to the microsecond, in ISO 8601: sorts as text"""
    verdicts: tuple[Verdict, ...]

    @property
    def page(self) -> str:
        """The file name of its page."""
        return f"{self.run_id}.html"

    @property
    def time(self) -> str:
        """When its page was written, for people."""
        return f"{datetime.fromisoformat(self.written_at):%Y-%m-%d %H:%M:%S} UTC"

    @property
    def outcome(self) -> Outcome:
        """The worst of its datasets."""
        return worst([verdict.outcome for verdict in self.verdicts])


def write(tallies: Sequence[Tally], data_dir: Path, *, flow: str, run_id: uuid.UUID) -> Path | None:
    """Write the page of a run (again, if it has one) and the index; returns the index. Without results nothing changes.

    Each file appears whole or not at all. The index is replaced before old pages go, so it never links to a missing page.
    """
    if not tallies:
        return None
    folder = data_dir / "data_docs"
    folder.mkdir(parents=True, exist_ok=True)
    tallies = sorted(tallies, key=lambda tally: (tally.checkpoint, tally.dataset))
    verdicts = (Verdict(t.checkpoint, t.dataset, t.outcome, t.met, len(t.entries)) for t in tallies)
    with _alone(folder):
        run = RunEntry(str(run_id), flow, datetime.now(UTC).isoformat(timespec="microseconds"), tuple(verdicts))
        _replace(folder / run.page, _templates().get_template("run.html").render(run=run, tallies=tallies))
        _replace(folder / f"{run.run_id}.json", json.dumps(asdict(run)))
        runs = sorted(_read(folder), key=lambda each: each.written_at, reverse=True)[:KEPT_RUNS]
        _replace(folder / "index.html", _templates().get_template("index.html").render(runs=runs, kept=KEPT_RUNS))
        kept = {"index.html", *(name for each in runs for name in (each.page, f"{each.run_id}.json"))}
        for path in folder.iterdir():
            if path.name not in kept and path.suffix in (".html", ".json", ".new"):
                path.unlink(missing_ok=True)
    return folder / "index.html"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; the lock ends with the process."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    # a name of an upstream may hold half of a surrogate pair
    fresh.write_text(text, encoding="utf-8", errors="replace")
    fresh.replace(path)


def _read(folder: Path) -> Iterator[RunEntry]:
    """The runs that have a page; what cannot be read is not one of them."""
    for path in folder.glob("*.json"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            raw = json.loads(path.read_text(encoding="utf-8"))
            entry = RunEntry(**raw | {"verdicts": tuple(Verdict(**verdict) for verdict in raw["verdicts"])})
            datetime.fromisoformat(entry.written_at)
            if entry.run_id == path.stem and (folder / entry.page).is_file():
                yield entry
