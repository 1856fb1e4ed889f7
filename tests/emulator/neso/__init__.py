"""NESO's data portal: CKAN 2.8.7 over a PostgreSQL database of its own.

- `portal`      the way in: counts, limits, action or page, envelope
- `actions`     the actions on packages and resources; `search` finds them, `printed` writes them
- `catalogue`   what packages and resources are and when they change; `published` lists them
- `datastore`   `datastore_search_sql` and `datastore_search`, run for real; `sql_rules` says what may run
- `tables`      what is in each resource as of now; `changes` made by a test come first
- `recorded`    files as they were published; they replace what is generated
- `demand`, `demand_layouts`, `forecasts`, `prices`, `auctions`, `flexibility`  generated content
- `limits`      the rates that NESO asks clients to keep
- `faults`      bodies as a fault leaves them
"""

from tests.emulator.neso.portal import Neso

__all__ = ["Neso"]
