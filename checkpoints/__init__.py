"""VALIDATE: Great Expectations at the edges of dbt. Suites are code; results are rows of `ops.quality_results`.

Where to go for what:

- `staging`    what landed: the pending rows, dataset by dataset
- `clean`      what was built: the clean tables, over the half-hours that this run wrote; `clean_tables` says what must hold
- `subjects`   the facts of a dataset and of a clean table that are validated, as flows read them from the dbt project
- `suite`      runs expectations on a query and says how each one went
- `tally`      what a run's expectations came to, over all its batches
- `data_docs`  the results of the last runs as pages, in `<data_dir>/data_docs`; the service shows them at `/docs/quality`

An expectation is `critical` (what fails it is held back, or fails the run) or a `warning` (it is reported, no more).
A check that raises is reported as raised and counts as failed: it is never taken for good or bad data.
"""
