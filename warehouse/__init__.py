"""KEEP: the PostgreSQL that everything stands in.

Where to go for what:

- `settings`    what a user may set: DATABASE_URL, DATA_DIR
- `database`    the one address of the server; connections, each under its room's role
- `embedded`    the server from a wheel, for when DATABASE_URL is not set
- `prepare`     schemas, roles and the tables of `ops`: brings a database up to date (Alembic)
- `ledger`      writes `ops`: runs, fetches, verdicts, quality results
- `locks`       advisory locks that end with their process
- `trace`       where a value came from: row, payload, request, run, checks (`make trace`)
- `ports`       the port that was asked for, or a free one
- `errors`      what a user did wrong, said in one line

`python -m warehouse up | down | env | psql` is the same from a shell.
"""
