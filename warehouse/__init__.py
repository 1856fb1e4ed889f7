"""KEEP: the PostgreSQL that everything stands in.

Where to go for what:

- `settings`    what a user may set: DATABASE_URL, DATA_DIR
- `database`    the one address of the server; connections, each under its room's own login
- `logins`      the login of each role: made, replaced, kept where only the owner reads
- `embedded`    the server from a wheel, if DATABASE_URL is not set
- `postgres_programs`  the wheel's programs, and the system user that runs them if we are root
- `leftovers`   what a killed server leaves behind
- `prepare`     schemas, roles and the tables of `ops`: brings a database up to date (Alembic)
- `ledger`      writes `ops`: runs, fetches, verdicts, quality results
- `locks`       advisory locks that end with their process
- `trace`       where a value came from: row, payload, request, run, checks (`make trace`)
- `ports`       the port that was asked for, or a free one
- `printed`     lines for a terminal, with control characters spelled out; `counts` are numbers and ages in words
- `errors`      what a user did wrong, said in one line

`python -m warehouse up | down | env | psql | rotate | recover` is the same from a shell.
"""
