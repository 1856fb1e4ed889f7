"""A thousand due workloads, eight runners in processes of their own, two of them killed: each workload is finished once."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.service.conftest import TOKEN, Api
from warehouse.database import Database

WORKLOADS, RUNNERS, KILLED = 1000, 8, 2
# Each end that the service accepted is a line in a file of the runner's own.
RUNNER = """
import sys, time
import httpx

url, token, name, record = sys.argv[1:]
idle = 0
with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client, open(record, "a") as file:
    while idle < 40:
        answer = client.post("/workloads/claim", json={"runner": name, "limit": 5, "lease_seconds": 4})
        if answer.status_code == 503:
            time.sleep(0.2)
            continue
        answer.raise_for_status()
        claims = answer.json()["claims"]
        idle = 0 if claims else idle + 1
        if not claims:
            time.sleep(0.25)
        for held in claims:
            print("began", held["workload_id"], held["token"], file=file, flush=True)
            done = client.post(f"/workloads/{held['workload_id']}/finish", json={"token": held["token"]})
            if done.status_code == 200:
                print("ended", held["workload_id"], held["token"], file=file, flush=True)
            elif done.status_code != 409:
                done.raise_for_status()
"""


@pytest.mark.slow
def test_each_workload_is_finished_once(served: httpx.Client, grid: Database, tmp_path: Path) -> None:
    api = Api(served, grid)  # type: ignore[arg-type]
    task = {"request": "Try", "is_deferrable": False, "power_kw": 0.1, "duration_minutes": 30, "max_attempts": 20}
    answer = served.post("/submit_tasks", json={"tasks": [task] * WORKLOADS})
    assert [one["status"] for one in answer.json()["results"]] == [201] * WORKLOADS
    assert api.query("select count(*) from app.compute_workloads where status = 'scheduled'") == [(WORKLOADS,)]
    records = [tmp_path / f"{number}.txt" for number in range(RUNNERS)]
    runners = [
        subprocess.Popen([sys.executable, "-c", RUNNER, str(served.base_url), TOKEN, record.stem, str(record)])
        for record in records
    ]
    try:
        chosen = random.Random(17)
        for number in chosen.sample(range(RUNNERS), KILLED):
            ends = time.monotonic() + 120
            while not records[number].exists() or records[number].read_text().count("began") < 5 + chosen.randrange(20):
                assert time.monotonic() < ends
                time.sleep(0.01)
            runners[number].kill()
        for runner in runners:
            runner.wait(400)
    finally:
        for runner in runners:
            runner.kill()
            runner.wait(20)
    assert api.query("select status, count(*) from app.compute_workloads group by 1") == [("completed", WORKLOADS)]
    began, ended = ([line.split()[1:] for record in records for line in record.read_text().splitlines()
                     if line.startswith(what)] for what in ("began", "ended"))  # fmt: skip
    assert len({token for _, token in began}) == len(began), "no token was given twice"
    is_first_or_follows_a_lost_one = dict(
        api.query(
            "select claim.token::text, coalesce(bool_and(before.outcome = 'lost' and before.ended_at <= claim.claimed_at), true) "
            "from app.workload_claims as claim left join app.workload_claims as before "
            "on before.workload_id = claim.workload_id and before.token < claim.token group by 1"
        )
    )
    assert all(is_first_or_follows_a_lost_one[token] for _, token in began), "no workload is run by two at once"
    assert len({workload_id for workload_id, _ in ended}) == len(ended), "no end was accepted twice"
    holders = dict(
        api.query("select workload_id::text, token::text from app.workload_claims where outcome = 'completed'")
    )
    assert len(holders) == WORKLOADS and all(holders[workload_id] == token for workload_id, token in ended)
    assert WORKLOADS - len(ended) <= KILLED, "an end that a killed runner could not note"
    lost = api.query("select count(*) from app.workload_claims where outcome = 'lost'")[0][0]
    print(json.dumps({"completed": len(holders), "noted": len(ended), "leases lost": lost}))  # noqa: T201  what the session measured
