"""WHEN: what runs, in which order. The rooms do the work; a flow reads like the sentence that describes it.

Where to go for what:

- `refresh`      the newest of everything, from the upstreams to the views
- `backfill`     any past days, resumable
- `transform`    dbt alone, from what has landed
- `discover`     which datasets of NESO's portal are new
- `maintenance`  what was superseded, and old entries of the ledger, go
- `watch`        what is later than its cadence allows, told from outside of the scheduler; `cadence` is how late that is,
                 `publication` whether answers reached the clean tables
- `stack`        `make up` and `down`; `processes` keeps what it starts, `stack_status` is `make status`
- `prefect_server`  the Prefect server of `make up`: address, password, start, deployments
- `schedules`    the next run of each schedule; scheduled runs that came due while nothing ran
- `clocks`       times from the future: found, said, put right
- `stale_runs`   runs whose process died end in Prefect too, and give back their slot

What flows are made of:

- `session`      one run: database, ledger, checkpoints, dbt
- `steps`        the steps, as Prefect tasks
- `plan`         which windows are still to be asked for, in the fewest requests; `pending` is what is still to be published
- `isolate`      which payload unpacking or a table fails on, so that it is held alone
- `elsewhere`    chunks of a backfill on Dask workers
- `dbt_runner`   dbt in this process
- `dbt_docs`     dbt's page on tables and columns, where the service finds it: `make docs`
- `lineage`      what Prefect's UI shows of a run: nodes, assets, artifacts
- `summary`      what a person reads at the end; `table_states` describes each table, `highlights` the grid now
- `run_log`      a line on the terminal, or in the log of a run that Prefect tracks; `counts` are numbers in words
- `outcome`      how a run ends, for its caller and for Prefect
- `progress`     a bar on a terminal, plain lines elsewhere
- `command`      what the command lines share: exit codes, errors in one line
- `settings`     what a user may set

`python -m flows.refresh` and `python -m flows.backfill --help` need no Prefect server; with PREFECT_API_URL set the
same runs are tracked by it (docs/decisions/prefect_without_waiting.md).
"""

from flows import settings as _settings  # noqa: F401  before anything of ours imports Prefect, which reads its own at once
