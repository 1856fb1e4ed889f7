"""Elexon's Insights API (BMRS data licence): market index, system prices, demand outturn and day-ahead forecasts.

- one module per dataset: the shape of a response, how it is requested, its synthetic body
- `rows`     what all responses share
- `windows`  which half-hours a request is for
- `source`   all of it as a dlt source

Facts about the upstream: docs/sources/elexon.md.
"""

from pipelines.dataset import datasets_in

DATASETS = datasets_in(__name__)

__all__ = ["DATASETS"]
