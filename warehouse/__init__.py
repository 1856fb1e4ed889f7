"""STORE: the PostgreSQL that holds everything.

Where to go for what:

- `settings`    what a user may set: DATABASE_URL, DATA_DIR; what a decision counts with
- `server`      which server is used: the one of DATABASE_URL, or the embedded one
- `database`    an address of a database; connections, each under its room's own login
- `cut_off`     an end for a connection whose server says nothing
- `logins`      the login of each role: made, replaced, kept where only the owner reads
- `embedded`    the server from a wheel, if DATABASE_URL is not set
- `embedded_files`  where it is, and its port and password
- `postgres_programs`  the wheel's programs, and the system user that runs them if we are root
- `leftovers`   what a killed server leaves behind
- `server_log`  what that server says unasked: crashes, a full disk, damage
- `periods`     half-hours, settlement days and windows: the one place for time arithmetic in Python
- `known`       what decisions are made from, as SQL: the service and the flows read it
- `plans`       what a plan of workloads reads and writes in `app`; `receipts` the same of settlements
- `replays`     what a replay of decisions reads, and its sums in `ops`
- `relations`   what dbt calls the relations of a dataset
- `prepare`     schemas, roles and the tables of `ops`: brings a database up to date (Alembic)
- `new_migration`  writes the file of a new migration (`make migration NAME=...`)
- `ledger`      writes `ops`: runs, fetches, verdicts, quality results
- `locks`       advisory locks that end with their process; `table_locks` bounds waits for tables, and readers
- `trace`       where a value came from: row, payload, request, run, checks (`make trace`)
- `exports`     the folder of exported files and its manifest; `licences` is what each source requires
- `examples`    example operators and users, for an embedded database
- `ports`       the port that was requested, or a free one
- `printed`     lines for a terminal, with control characters spelled out; `counts` are numbers and ages in words
- `command`     what all command lines share: exit codes, errors in one line
- `errors`      what a user did wrong, and what the database or the disk did, said in one line

`python -m warehouse up | down | env | psql | rotate | recover` is the same from a shell.
"""
