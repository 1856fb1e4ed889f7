"""WHEN: what runs, in which order. The rooms do the work; a flow reads like the sentence that describes it.

Where to go for what:

- `refresh`    the newest of everything, from the upstreams to the views
- `backfill`   any past days, resumable
- `discover`   which datasets of NESO's portal are new
- `steps`      the steps that flows are made of, as Prefect tasks
- `plan`       which windows are still to be asked for, in the fewest requests
- `pending`    what is still to be published
- `transform`  dbt in this process
- `session`    one run: database, ledger, checkpoints, dbt
- `summary`    what a person reads at the end; `table_states` is what it tells of each table
- `progress`   a bar on a terminal, plain lines elsewhere
- `command`    what the command lines share: exit codes, errors in one line
- `settings`   what a user may set

`python -m flows.refresh` and `python -m flows.backfill --help` need no Prefect server; with PREFECT_API_URL set the
same runs are tracked by it (docs/decisions/prefect_without_waiting.md).
"""

from flows import settings as _settings  # noqa: F401  before anything of ours imports Prefect, which reads its own at once
