"""The dlt source of NESO's data portal: demand, forecasts of demand, day-ahead prices, auctions."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dlt

from pipelines.dlt_source import resources
from pipelines.neso import DATASETS


@dlt.source(name="neso")
def neso(start: date | None = None, end: date | None = None, datasets: Sequence[str] | None = None) -> Iterator[Any]:
    """A resource per dataset, one row per response, unchanged.

    For the settlement days from `start` to `end`, both included; by default those of a refresh. `datasets` names some of
    them. Raises ValueError for a name that is none.
    """
    yield from resources(DATASETS, start, end, datasets)
