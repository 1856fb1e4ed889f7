"""FETCH: upstream APIs to payload rows, untouched, in schema `staging`. Nothing here interprets what it lands.

Where to go for what:

- `carbon_intensity/`, `neso/`, `elexon/`, `beckn/`  one package a source, named by its slug: datasets, shapes, synthetic bodies;
  `source` is its dlt source, `python -m pipelines.<slug>` fetches it alone (`command`)
- `dlt_source`    what the dlt sources share
- `catalogue`     every dataset of every source, and how a user names them
- `dataset`       what a source says of a dataset: how it is asked, its limits, shape, synthetic body
- `pieces`        how a range is cut into requests
- `working_days`  working days of England, on which settlement prices are run again
- `client`        the polite HTTP client: rate limits, retries, Retry-After, User-Agent; `rate_limit` counts in the warehouse;
  `connection_faults` says why a request failed
- `deadline`      a total time for an attempt, whatever an upstream spends it on; `patience` the same for all attempts and pages
- `door`          what the validation of shapes shares
- `admission`     what is let in: a body of the documented shape, of the requested window, that PostgreSQL can hold
- `fetch`         a window of a dataset to payloads: validated, holes (`gaps`) filled where that is allowed;
  `whole` says whether a response is complete, `remembered` what earlier responses held
- `synthetic`     what synthetic bodies are made of
- `collect`       many windows, side by side, in chunks
- `payload`       a body with where it came from, and its key
- `landing`       payloads to PostgreSQL through dlt; `staging_rows` is what they look like there, `work_folder` where dlt works
- `settings`      what a user may set
"""
