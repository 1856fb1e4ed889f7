"""`schedule_when_clean`: a run of a Prefect deployment, scheduled for the moment that the service gives."""

import json
from datetime import datetime

import pytest

from tests.client.conftest import Machine

PROGRAM = """
import json, os, sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from prefect.testing.utilities import prefect_test_harness

with prefect_test_harness(server_startup_timeout=120):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from energy.prefect import schedule_when_clean
    import work
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="pool", type="process"))
        flow_id = client.create_flow(work.job)
        client.create_deployment(flow_id=flow_id, name="here", work_pool_name="pool", entrypoint="work.py:job")
        found = []
        for url in (os.environ["ENERGY_URL"], "http://127.0.0.1:9"):
            os.environ["ENERGY_URL"] = url
            run = schedule_when_clean("job/here", hours=1, deadline="20h", place="13", parameters={"number": 3})
            kept = client.read_flow_run(run.id)
            found.append([kept.state.type.value, kept.expected_start_time.isoformat(), kept.parameters, kept.tags])
print(json.dumps(found))
"""


@pytest.mark.slow
def test_a_run_of_a_deployment_gets_its_moment(machine: Machine) -> None:
    (machine.folder / "work.py").write_text("from prefect import flow\n\n@flow\ndef job(number: int = 1):\n    pass\n")
    machine.settings |= {"PREFECT_HOME": str(machine.folder / "prefect"), "PREFECT_LOGGING_LEVEL": "ERROR"}
    (machine.folder / "program.py").write_text(PROGRAM)
    done = machine.python("program.py", seconds=240)
    assert done.returncode == 0, done.stderr[-3000:]
    placed, at_once = json.loads(done.stdout.splitlines()[-1])
    ((workload_id, starts_at),) = machine.query(
        "select workload_id::text, starts_at from app.workload_placements where released_at is null"
    )
    assert placed[:1] + placed[2:] == ["SCHEDULED", {"number": 3}, [f"energy:{workload_id}"]]

    assert datetime.fromisoformat(placed[1]) == starts_at
    assert at_once[0] == "SCHEDULED" and at_once[3] == []
