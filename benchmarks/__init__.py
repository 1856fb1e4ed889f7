"""MEASURE: against the floor that PostgreSQL sets, and against what a user would do instead. `make bench`.

- `__main__`     runs the measurements in one go, prints the table of ratios, writes `<data_dir>/bench.json`
- `year`         a year of regional data, against all of the below
- `workers`      the same year landed by two Dask workers, against one
- `history`      a refresh with five years in the tables, against one with a day
- `planning`     a thousand workloads placed together, against a bar; by itself it prints what that saves against one at a time
- `replay`       what decisions would have captured, on the recorded files, by itself: `python -m benchmarks.replay`
- `captures`     what agents read with a year of captures and 10,000 waiting workloads, against bars in seconds; `worked` is the
                 work that is over, and the years of requests, in the same database
- `settings`     what a user may set about the measurements
- `bench`        what each measurement uses
- `flow`         one flow in a process of its own, timed
- `floor`        the same bodies by COPY and plain SQL into the same tables
- `dlt_default`  the same bodies the way dlt lands them by default
- `row_by_row`   one upsert a row
- `crowd`        fifty clients for ten minutes, by itself: `python -m benchmarks.crowd`
- `service`      submissions against a bare route with one insert; what agents read, with five years of history
- `pages`        the pages over five years of history: milliseconds and kilobytes
- `serving`      a server in a process of its own, and requests of it by hand
- `bare`         the bare service: one insert, and a query a route
- `waiting`      submissions with 100,000 workloads in the tables; reads against a route with the same query
- `series`       a year of regional intensity as files against a bare COPY

`make bench` takes about twenty minutes and needs nothing but the embedded server; BENCH=quick leaves out the
five years, the year of captures and the Dask workers.
"""
