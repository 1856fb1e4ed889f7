"""Bodies of every dataset as the emulator sends them, small, and what becomes of them when one of their values is another."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.admission import admitted
from pipelines.catalogue import DATASETS
from pipelines.client import UpstreamClient
from pipelines.dataset import BodyRejected, Dataset, FetchRequest
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator
from tests.energy import FAST
from warehouse.periods import Window, floor

Path = tuple[str | int, ...]
ABSENT = object()
"""Stands for a key that is not there."""
ROWS_KEPT = 1
ABOUT = {"help", "sql", "fields", "metadata", "context"}
"""Parts of a body that say nothing of its rows."""

VALUES: tuple[Any, ...] = (
    ABSENT, None, True, False, [], {}, [None], {"a": 1}, 0, -0.0, 1, -1, 5.0, 0.5, 1e-7, 31, 51, 1440, 2**31, -(2**31) - 1,
    2**53, 10**15, 10**30, 1e300, 99999, -99999.9, 20261109, 20261109.0, 99991231,
    "", " ", "\t", "NA", "N/A", "-", "null", "nan", "NaN", "Infinity", "-inf", "0", "-0", "+5", "5\n", "\n5", " 5 ", "\t5",
    "5\u00a0", "\u00a05", "٣", "५", "1e5", "1,000", "0x10", ".5", "5.", "5.0", "1" * 400, "1_000", "--5",
    "2026-11-09", "2026-11-9", "2026-1-5T00:00:00", "9-Nov-2026", "09-Nov-2026", "09-nov-26", "09-November-2026", "9/11/2026",
    "09/11/2026", "11/31/2026", "31/02/2026", "2026-02-30", "2026-13-01", "2026-02-30T00:00:00", "20261109", "20260230",
    "2026-W10-1", "2026-11-09T00:00:00", "2026-11-09T10:00", "2026-11-09T10:00Z", "2026-11-09T10:00:00Z", "2026-11-09T10:00:00z",
    "2026-11-09 10:00:00", "2026-11-09T10:00:00+00:00", "2026-11-09T10:00:00+01:00", "2026-11-09T16:00:00+16:00",
    "2026-11-09T10:00:00-15:59", "2026-11-09T10:00:00+99:99", "2026-11-09T10:00:00+0000", "2026-11-09T10:00:00.0000001Z",
    "2026-11-09T10:00:00.5Z", "2026-11-09T24:00:00", "2026-11-09T24:00Z", "2026-11-09T23:59:60Z", "2026-11-09T10:00:00ZZ",
    "2026-11-09T10:00:00ZZZ", "２０２６-11-09", "٢٠٢٦-11-09T10:00Z", "2026-11-09T10", "20261109T100000", "+2026-11-09",
    "-0001-01-01",    "0000-01-01", "0001-01-01",
    "0001-01-01T00:00:00", "9999-12-31", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z", "now", "today",
    "infinity", "epoch", "25:00", "24:00", "24:00:00", "10:00", "10:00:00", "9:00", "10:00:60", "10:60", "10", "1000", "10:00Z",
    "10:00:00Z", "noon", "allballs", "22:00 - 23:00", "22:00 - 23:00\n", "\u00a022:00 - 23:00", "\u3000", "F", "A",
    "a'b\"c\\d", "é" * 100,
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A body of a dataset with a few rows, and the window that it was sent for."""

    dataset: Dataset
    window: Window
    body: Any

    def paths(self) -> Iterator[Path]:
        """Every value of its rows that is no object or list, one of each list's elements standing for all."""
        yield from (path for path in _paths(self.body, ()) if not ABOUT.intersection(path))

    def mutated(self, path: Path, value: Any) -> bytes:
        """The body with another value, or without the key, at a path."""
        body = copy.deepcopy(self.body)
        *parents, last = path
        place = body
        for step in parents:
            place = place[step]
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
        return json.dumps(body).encode()

    def is_admitted(self, body: bytes) -> bool:
        """Whether the door lets it in."""
        try:
            admitted(self.dataset, self.window, body)
        except BodyRejected:
            return False
        return True


def samples(emulator: Emulator) -> list[Sample]:
    """A sample of each dataset; two of those that read two files. Fails if a dataset has no rows to mutate."""
    settings = PipelineSettings(
        **{name.lower(): value for name, value in {**FAST, **emulator.settings}.items()}  # type: ignore[arg-type]
    )
    now = datetime.now(UTC)
    found = []
    for dataset in DATASETS.values():
        client = UpstreamClient(settings.upstreams[dataset.source].url, settings=settings)
        windows = [dataset.refreshes(now), Window(floor(now) - timedelta(days=60), floor(now) - timedelta(days=59))]
        for asked in windows:
            if asked is None or (dataset.is_snapshot and asked is windows[1]):
                continue
            window = next(iter(dataset.pieces.cover(asked.half_hours())))
            for answer in dataset.fetch(FetchRequest(client, window)).responses[:1]:
                body = json.loads(answer.body)
                if answer.failure is None and trim(body):
                    found.append(Sample(dataset, window, body))
    without = set(DATASETS) - {sample.dataset.slug for sample in found}
    assert not without, f"no rows to mutate, so nothing of these is tried: {sorted(without)}"
    return found


def trim(body: Any) -> int:
    """Keep a few rows; returns how many there are, 0 for a body that has its rows elsewhere."""
    rows = (
        body.get("data")
        or (body.get("result") or {}).get("records")
        or (body.get("message") or {}).get("catalogs")
        or []
    )
    if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        return 0
    del rows[ROWS_KEPT:]
    for row in rows:
        for inner in ("regions", "beckn:items", "beckn:offers"):
            del row.get(inner, [])[ROWS_KEPT:]
    return len(rows)


def _paths(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value[:1]:
            yield from _paths(inner, (*path, 0))
    else:
        yield path
