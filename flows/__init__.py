"""RUN: what runs, in which order. The rooms do the work; a flow reads like the sentence that describes it.

Where to go for what:

- `refresh`      the newest of everything, from the upstreams to the views
- `backfill`     any past days, resumable
- `transform`    dbt alone, from what has landed
- `replan`       workloads that have not begun, planned anew; a refresh of carbon intensity or prices ends with it
- `settle`       receipts of workloads that have ended, when their actuals are there and when they are revised
- `replay`       what decisions would have captured: `replay_regions` reads what they rest on, `replay_table` prints
- `discover`     which datasets of NESO's portal are new
- `maintenance`  what was superseded goes; `ledger_retention` is how old requests, runs and results of `ops` go
- `export`       Parquet files, one per clean table and month; `export_tables` is which, `parquet` writes one
- `dispatch`     workloads that name a deployment become its runs in Prefect, at their time; `example_job` is one to try,
                 `workload_step` is what one needs, `workload_runs` finds and cancels runs
- `watch`        what is later than its cadence allows, checked from outside the scheduler; `cadence` is how late that is,
                 `publication` whether answers reached the clean tables
- `stack`        `make up` and `make down`; `stack_status` is `make status`, `stack_service` the service as a
                 part of it, `stack_check` whether all is well in the end
- `processes`    what outlives the command that starts it: `process_identity` knows it again, `process_logs` is what it says
- `prefect_server`  the Prefect server of `make up`: start, deployments; `prefect_app` is its process, which looks at the Host
                  header; `prefect_api` is which server is used, and its password
- `work_pool`    what a Prefect server has of our work pool: deployments and runs, whoever else uses the server
- `schedules`    the next run of each schedule; scheduled runs that came due while nothing ran
- `clocks`       times from the future: found, said, put right
- `stale_runs`   runs whose process died end in Prefect too, and give back their slot; `automations` do so unasked

What flows are made of:

- `session`      one run: database, ledger, checkpoints, dbt
- `steps`        the steps, as Prefect tasks
- `plan`         which windows are still to be requested, in the fewest requests; `rereads` what a refresh requests
  again; `pending` is what is still to be published
- `isolate`      which payload unpacking or a table fails on, so that it is held alone
- `elsewhere`    chunks of a backfill on Dask workers
- `dbt_runner`   dbt in this process; `dbt_facts` is what its models say of themselves
- `dataset_facts`  what the dbt source entries say of datasets: for the planner, the watch and the checkpoints
- `dbt_docs`     dbt's page on tables and columns, where the service finds it: `make docs`
- `lineage`      what Prefect's UI shows of a run: nodes, assets, artifacts
- `summary`      what a person reads at the end; `table_states` describes each table, `highlights` the grid now
- `run_log`      a line on the terminal, or in the log of a run that Prefect tracks
- `outcome`      how a run ends, for its caller and for Prefect
- `progress`     a bar on a terminal, plain lines elsewhere
- `settings`     what a user may set; `temporary` is where temporary files lie

`python -m flows.refresh` and `python -m flows.backfill --help` need no Prefect server; with PREFECT_API_URL set the
same runs are tracked by it (docs/decisions/prefect_without_waiting.md).
"""

from flows import settings as _settings  # noqa: F401  before anything of ours imports Prefect, which reads its own at once
