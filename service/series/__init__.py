"""Time series: what there is, and one page of it as rows or as a file.

- `catalogue`   which series there are: table, columns, unit, what can be asked of each
- `asked`       what a request asks of a series, with defaults filled in; the cursor of the next page
- `query`       the SELECT of that, for any connection
- `summary`     first and last period and the real share of each series
- `page`        a page as rows, for JSON (connections of kind heavy)
- `columns`     a page as Arrow batches, read from a server-side cursor (connections of kind streams)
- `files`       Arrow batches as CSV, Arrow stream or Parquet
- `streamed`    the response that sends them, which gives its connection back whatever the client does; `pace` is its patience

Why it is done so, with figures: `docs/decisions/series.md`.
"""
