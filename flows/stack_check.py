"""What `make up` looks at in the end: each schedule has a run to come, and no process has logged an error."""

from collections.abc import Mapping

from flows.prefect_api import SERVER, PrefectApi
from flows.process_logs import Mark
from flows.processes import Processes
from flows.schedules import unscheduled
from warehouse.printed import out

SCHEDULED_WITHIN_SECONDS = 90


def is_scheduled(api: PrefectApi, processes: Processes, within_seconds: float = SCHEDULED_WITHIN_SECONDS) -> bool:
    """Whether every schedule of ours has a run to come; says which has none."""
    with api.connected():
        missing = unscheduled(within_seconds)
    if missing:
        log = processes.log(SERVER).path
        out(f"NOT SCHEDULED   {', '.join(missing)}: Prefect has planned no run. Its log: {log}")
    return not missing


def is_quiet(processes: Processes, marks: Mapping[str, Mark | None]) -> bool:
    """Whether no process has logged an error since its mark (None: since it started); says how many there are."""
    found = {name: processes.log(name).errors(mark) for name, mark in marks.items()}
    for name, errors in found.items():
        if errors:
            out(f"ERRORS          {len(errors)} in {processes.log(name).path}, the first: {errors[0]}")
    return not any(found.values())
