"""The dlt source of the Beckn compute-energy sandbox: compute windows, grid snapshots and offers."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dlt

from pipelines.beckn.datasets import DATASETS
from pipelines.dlt_source import resources


@dlt.source(name="beckn")
def beckn(start: date | None = None, end: date | None = None, datasets: Sequence[str] | None = None) -> Iterator[Any]:
    """A resource per dataset, one row per response, unchanged.

    For the settlement days from `start` to `end`, both included; by default those of a refresh. `datasets` names some of
    them. Raises ValueError for a name that is none.
    """
    yield from resources(DATASETS, start, end, datasets)
