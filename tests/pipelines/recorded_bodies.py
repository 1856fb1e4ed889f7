"""What was recorded of the upstreams, as bodies of the datasets that read it: found by the door, which lets them in."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.catalogue import DATASETS
from pipelines.dataset import BodyRejected, Dataset
from tests.pipelines.elexon import bodies as elexon
from tests.pipelines.hostile import Sample, trim
from tests.pipelines.neso import bodies as neso
from warehouse.periods import HALF_HOUR, Window, floor

LARGEST_BYTES = 2_000_000
ROWS_READ = 20
_ANY = Window(floor(datetime.now(UTC)), floor(datetime.now(UTC)) + HALF_HOUR)
"""Of a body that names no half-hours"""


def recorded_samples(folder: Path) -> list[Sample]:
    """A sample of each dataset and each layout that its rows have had: of bodies with other fields, or values of other types."""
    found: dict[tuple[str, frozenset[tuple[object, str]]], Sample] = {}
    for dataset in DATASETS.values():
        for path in sorted((folder / dataset.source).rglob("*")):
            for body in _bodies(dataset, path):
                sample = _sample(dataset, body)
                if sample is not None:
                    found.setdefault((dataset.slug, _layout(sample)), sample)
    return list(found.values())


def _bodies(dataset: Dataset, path: Path) -> Iterator[Any]:
    """A file as the bodies that it may be: JSON as it is, rows as the upstream prints them."""
    if path.suffix == ".json" and path.stat().st_size < LARGEST_BYTES:
        body = json.loads(path.read_text(encoding="utf-8-sig"))
        yield json.loads(elexon.printed(body)) if isinstance(body, list) else body
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(islice(csv.DictReader(file), ROWS_READ))
        if rows and dataset.source == "elexon":
            yield json.loads(elexon.printed(elexon.typed(rows)))
        if rows and dataset.source == "neso":
            yield json.loads(neso.printed(neso.typed(rows)))


def _sample(dataset: Dataset, body: Any) -> Sample | None:
    """The body with a row of its own, if the door lets that in."""
    try:
        if not isinstance(body, dict) or not trim(body):
            return None
        contents = dataset.validate(json.dumps(body).encode())
    except BodyRejected:
        return None
    if not contents.named and not dataset.is_snapshot:
        return None
    first, last = min(contents.named, default=_ANY.start), max(contents.named, default=_ANY.start)
    return Sample(dataset, Window(first, last + HALF_HOUR), body)


def _layout(sample: Sample) -> frozenset[tuple[object, str]]:
    def value(path: tuple[str | int, ...]) -> Any:
        place = sample.body
        for step in path:
            place = place[step]
        return place

    return frozenset((path, type(value(path)).__name__) for path in sample.paths())
