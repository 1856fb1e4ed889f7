"""`dispatch`: workloads that name a deployment of Prefect become its runs, at their time; what becomes of a run is taken over.

Each call compares what the database wants with what Prefect has, and does what is missing. So it may be killed at any moment: a
run is found again by the tag of its workload, and Prefect itself refuses a second one of the same place (idempotency key). What
fails for one workload is said and tried again by the next call; the others get their turn.

Only deployments with the tag `workloads` are started: who may submit a task may not start everything that Prefect knows.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from psycopg.rows import dict_row

from flows import workload_runs
from flows.outcome import flow, outcome, went_well
from flows.prefect_api import tracking_api
from flows.run_log import say
from flows.workload_step import PlacedWorkload, Rows, detail
from warehouse import command
from warehouse.database import Database, Role
from warehouse.errors import UsageError
from warehouse.locks import exclusive, is_held
from warehouse.prepare import prepare
from warehouse.server import resolve

MOST_SILENT = 3
"""Workloads in a row to which Prefect gives no response: then the others wait for the next call too"""
LOCK = "dispatch"
_WANTED = """
select workload.workload_id, workload.status, workload.run, workload.actual_start, workload.flow_run_id, placement.placement_id,
    placement.starts_at, placement.region_id,
    workload.deadline <= clock_timestamp() as is_past_deadline, placement.ends_at <= clock_timestamp() as is_past_place
from app.compute_workloads as workload
inner join app.workload_placements as placement on workload.placement_id = placement.placement_id
where workload.run ? 'deployment' and workload.status in ('scheduled', 'running')
order by placement.starts_at, workload.workload_id
"""
# A run that waits and is cancelled by us begins nothing any more.
_TAKEN_BACK = """
update app.compute_workloads set flow_run_id = null
where workload_id = %s and flow_run_id = %s and status in ('pending', 'scheduled')
"""
_KNOWN = "select workload_id from app.compute_workloads where workload_id = any(%s)"


@flow(name="dispatch")
def dispatch() -> dict[str, Any]:
    """Create, move and cancel the runs of workloads in Prefect, and take over what became of them."""
    database = resolve()
    prepare(database)
    dispatched = dispatch_all(database)
    say(summary(dispatched.done))
    for failure in dispatched.failures:
        say(failure, is_warning=True)
    return outcome(dispatched.failures, done=dispatched.done)


def after_plan(database: Database) -> str | None:
    """The end of a plan that moved something: Prefect has it at once. A sentence if it has not: the next minute's run does it."""
    try:
        api = tracking_api()
        if api is None:
            return None
        if is_held(database, LOCK):  # that one may have read the plan before; nobody waits for it here
            return "dispatch is running: what was moved reaches Prefect with the next one"
        with api.connected():
            dispatched = dispatch_all(database)
        say(summary(dispatched.done))
        why = "; ".join(dispatched.failures)
    except UsageError as error:  # no Prefect at that address
        why = str(error).partition(". ")[0]
    except Exception as error:  # whatever it is, the plan holds
        why = type(error).__name__
    return f"what was moved reaches Prefect with the next dispatch ({why})" if why else None


@dataclass(frozen=True)
class Dispatched:
    """What one call did."""

    done: dict[str, int]
    """how often what was done"""
    failures: tuple[str, ...] = ()
    """workloads for which it could not be done now, and why"""


def dispatch_all(database: Database) -> Dispatched:
    """Make Prefect's runs what the workloads want. Raises if the database or Prefect as a whole is away."""
    done: Counter[str] = Counter()
    with exclusive(database, LOCK), get_client(sync_client=True) as client, _writing(database) as connection:
        rows = connection.execute(_WANTED).fetchall()
        runs = workload_runs.of(client, [row["workload_id"] for row in rows])
        turns = _Turns(connection)
        for row in rows:
            with turns.of(row["workload_id"]):
                done.update(PlacedWorkload(connection, client, row).take_step(runs.get(row["workload_id"], ())))
        done.update(_cancel_unwanted(connection, client, turns))
    return Dispatched(dict(done), tuple(turns.failures))


@dataclass
class _Turns:
    """Each workload's turn: what fails in it keeps no other from its own."""

    connection: Rows
    failures: list[str] = field(default_factory=list)
    silent: int = 0

    @contextmanager
    def of(self, workload_id: UUID) -> Iterator[None]:
        """What raises in here is noted, unless it is the database that is away, or Prefect."""
        try:
            yield
        except Exception as error:
            if self.connection.closed:
                raise
            self.silent = self.silent + 1 if isinstance(error, httpx.TransportError) else 0
            if self.silent >= MOST_SILENT:
                raise
            self.failures.append(f"workload {workload_id} waits for the next dispatch: {_in_words(error)}")
        else:
            self.silent = 0


def summary(done: Mapping[str, int]) -> str:
    """What was done, in words."""
    return ", ".join(f"{number} {what}" for what, number in sorted(done.items())) or "nothing to do"


def _writing(database: Database) -> Rows:
    """Under the service's role, whose schema `app` is, for every operator."""
    connection: Any = database.connect(role=Role.SERVICE, name="energy-dispatch")
    connection.row_factory = dict_row
    connection.execute("select set_config('energy.operator_id', 'all', false)")
    found: Rows = connection
    return found


def _cancel_unwanted(connection: Rows, client: SyncPrefectClient, turns: _Turns) -> list[str]:
    """Cancel the runs of workloads that are no longer scheduled or running, and a second one, which nothing should have made."""
    open_runs = workload_runs.open_runs(client)
    wanted = {row["workload_id"] for row in connection.execute(_WANTED).fetchall()}
    known_ids = {row["workload_id"] for row in connection.execute(_KNOWN, [list(open_runs)]).fetchall()}
    done = []
    for workload_id, living in open_runs.items():
        if workload_id not in known_ids:  # of another database, whose stack uses the same server
            continue
        for run in living if workload_id not in wanted else living[1:]:
            with turns.of(workload_id):
                workload_runs.cancel(client, run)
                connection.execute(_TAKEN_BACK, [workload_id, run.id])
                done.append("run cancelled")
    return done


def _in_words(error: Exception) -> str:
    if isinstance(error, PrefectHTTPStatusError):
        return f"Prefect responds with {detail(error)}"
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(
        prog="python -m flows.dispatch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()

    def run() -> bool:
        if tracking_api() is None:
            raise UsageError(
                "There is no Prefect to dispatch to: start one with make up and read DATA_DIR/prefect.env, or set PREFECT_API_URL."
            )
        return went_well(dispatch)

    command.run(run)


if __name__ == "__main__":
    main()
