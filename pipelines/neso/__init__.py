"""NESO's data portal (CKAN, NESO Open Data Licence): demand, demand forecasts, day-ahead prices, flexibility.

- `resources`  the one table of what is read: package, resource, columns
- `ckan`       the portal's actions; a resource whose id has gone is found by its name
- `datasets`   the datasets: windows, conditions, limits
- `shapes`     the documented rows, as typed models
- `responses`  bodies judged at the door
- `synthetic`  bodies of the same shape for when the upstream gives none
- `discover`   what the portal has on a subject: `python -m pipelines.neso discover "price"`

Facts about the upstream: docs/sources/neso.md.
"""

from pipelines.neso.datasets import DATASETS

__all__ = ["DATASETS"]
