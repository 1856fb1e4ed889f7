"""The GB Carbon Intensity API (NESO, CC BY 4.0): national and regional carbon intensity and generation mix.

- `responses`  the documented shape of each body, as typed models
- `datasets`   the datasets: paths, limits, what refresh asks for
- `synthetic`  bodies of the same shape for when the upstream gives none

Facts about the upstream: docs/sources/carbon_intensity.md.
"""

from pipelines.carbon_intensity.datasets import DATASETS

__all__ = ["DATASETS"]
