"""The GB Carbon Intensity API (NESO, CC BY 4.0): national and regional carbon intensity and generation mix.

- one module per dataset: the shape of a response, how it is requested, its synthetic body
- `rows`     what all responses share
- `windows`  how a window is spelled, and what a refresh requests
- `mixes`    plausible mixes, for synthetic bodies
- `archive/` forecasts that others captured, as vintages
- `source`   all of it as a dlt source

Facts about the upstream: docs/sources/carbon_intensity.md.
"""

from pipelines.dataset import datasets_in

DATASETS = datasets_in(__name__)

__all__ = ["DATASETS"]
