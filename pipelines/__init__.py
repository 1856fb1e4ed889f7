"""FETCH: upstream APIs to payload rows, untouched, in schema `staging`. Nothing here interprets what it lands.

Where to go for what:

- `carbon_intensity/`  one package a source, named by its slug: datasets, response models, synthetic bodies
- `catalogue`          every dataset of every source, and how a user names them
- `dataset`            what a source says of a dataset: paths, limits, shape, synthetic body
- `periods`            half-hours, settlement days and windows: the one place for time arithmetic
- `client`             the polite HTTP client: rate limit, retries, Retry-After, User-Agent
- `fetch`              a window of a dataset to payloads: shape judged at the door, gaps filled where that is allowed
- `landing`            payloads to PostgreSQL through dlt
- `settings`           what a user may set

Every source runs alone: `python -m pipelines carbon_intensity`.
"""
