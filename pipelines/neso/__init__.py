"""NESO's data portal (CKAN, NESO Open Data Licence): demand, demand forecasts, day-ahead prices, flexibility.

- one module per dataset: the shape of a response, how it is requested, its synthetic body
- `rows`       what all responses share
- `resources`  the one table of what is read: package, resource, columns
- `windows`    which days each file is requested for
- `ckan`       the portal's actions; a resource whose id has gone is found by its name
- `source`     all of it as a dlt source
- `discover`   what the portal has on a subject: `python -m pipelines.neso discover "price"`

Facts about the upstream: docs/sources/neso.md.
"""

from pipelines.dataset import datasets_in

DATASETS = datasets_in(__name__)

__all__ = ["DATASETS"]
