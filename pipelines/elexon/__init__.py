"""Elexon's Insights API (BMRS data licence): market index, system prices, demand outturn and day-ahead forecast.

- `datasets`   the datasets: paths, windows
- `responses`  the documented rows as typed models, and bodies judged at the door
- `synthetic`  bodies of the same shape for when the upstream gives none

Facts about the upstream: docs/sources/elexon.md.
"""

from pipelines.elexon.datasets import DATASETS

__all__ = ["DATASETS"]
