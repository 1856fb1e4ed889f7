"""The dlt source of the Carbon Intensity API: national and regional carbon intensity and generation mix."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dlt

from pipelines.carbon_intensity import DATASETS
from pipelines.dlt_source import resources


@dlt.source(name="carbon_intensity")
def carbon_intensity(
    start: date | None = None, end: date | None = None, datasets: Sequence[str] | None = None
) -> Iterator[Any]:
    """A resource per dataset, one row per response, unchanged.

    For the settlement days from `start` to `end`, both included; by default those of a refresh. `datasets` names some of
    them. Raises ValueError for a name that is none.
    """
    yield from resources(DATASETS, start, end, datasets)
