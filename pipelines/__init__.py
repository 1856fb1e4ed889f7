"""FETCH: upstream APIs to payload rows, untouched, in schema `staging`. Nothing here interprets what it lands.

Where to go for what:

- `carbon_intensity/`, `neso/`, `elexon/`  one package a source, named by its slug: datasets, shapes, synthetic bodies
- `catalogue`     every dataset of every source, and how a user names them
- `dataset`       what a source says of a dataset: how it is asked, its limits, shape, synthetic body
- `pieces`        how a range is cut into requests
- `working_days`  working days of England, on which settlement prices are run again
- `periods`       half-hours, settlement days and windows: the one place for time arithmetic
- `client`        the polite HTTP client: rate limits, retries, Retry-After, User-Agent; `rate_limit` counts in the warehouse
- `deadline`      a total time for a request, whatever an upstream spends it on
- `door`          what the judges of shapes share
- `fetch`         a window of a dataset to payloads: judged at the door, holes (`gaps`) filled where that is allowed
- `synthetic`     what synthetic bodies are made of
- `collect`       many windows, side by side, in chunks
- `landing`       payloads to PostgreSQL through dlt; `staging_rows` is what they look like there
- `settings`      what a user may set
"""
