"""MEASURE: against the floor that PostgreSQL sets, and against what a user would do instead. `make bench`.

- `__main__`     runs the measurements in one go, prints the table of ratios, writes `<data_dir>/bench.json`
- `year`         a year of regional data, against all of the below
- `workers`      the same year landed by two Dask workers, against one
- `history`      a refresh with five years in the tables, against one with a day
- `captures`     what agents read with a year of captures and 10,000 waiting workloads, against bars in seconds
- `bench`        what each measurement uses
- `flow`         one flow in a process of its own, timed
- `floor`        the same bodies by COPY and plain SQL into the same tables
- `dlt_default`  the same bodies the way dlt lands them by default
- `row_by_row`   one upsert a row
- `crowd`        fifty clients for ten minutes, by itself: `python -m benchmarks.crowd`
- `service`      submissions against a bare route with one insert; what agents read, with five years of history

`make bench` takes about twenty minutes and needs nothing but the embedded server; BENCH=quick leaves out the
five years, the year of captures and the Dask workers.
"""
