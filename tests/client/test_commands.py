"""The other commands of `energy`, as processes against the service."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.client.conftest import Machine
from tests.flows.settling import HOUR, Past
from warehouse.periods import floor


def test_now_and_best_say_what_the_service_says(machine: Machine) -> None:
    rows = machine.energy("now").stdout.splitlines()
    assert len(rows) == 15 and all("gCO2/kWh" in row or "unknown" in row for row in rows[:14])
    for place in (["--region", "13"], ["--postcode", "SW13"], ["--at", "51.5,-0.1"]):
        (row, _) = machine.energy("now", *place).stdout.splitlines()
        assert row.startswith("London: ")
    machine.settings["ENERGY_PLACE"] = "Leeds"
    assert machine.energy("now").stdout.startswith("Yorkshire: ")
    found = machine.energy("best", "--hours", "2", "--within", "24h", "--limit", "3").stdout.splitlines()
    assert len(found) == 4 and all("Yorkshire" in row for row in found[:3])
    answer = json.loads(machine.energy("best", "--hours", "2", "--json").stdout)
    assert {row["region_id"] for row in answer["windows"]} == {5}


def test_a_workload_is_submitted_looked_at_and_cancelled(machine: Machine) -> None:
    done = machine.energy("submit", "Train ResNet-50", "--hours", "4", "--deadline", "18h", "--power-kw", "2.5")
    assert done.returncode == 0, done.stderr
    workload_id = done.stdout.split()[0]
    rows = machine.query("select workload_id::text, request, duration_minutes, power_kw from app.compute_workloads")
    assert rows == [(workload_id, "Train ResNet-50", 240, 2.5)]
    for shown in (machine.energy("status"), machine.energy("status", workload_id)):
        assert shown.stdout.startswith(f"{workload_id}  scheduled") and "Train ResNet-50" in shown.stdout
    assert machine.energy("cancel", workload_id).stdout.split() == [workload_id, "cancelled"]
    assert machine.statuses() == ["cancelled"]
    assert json.loads(machine.energy("status", workload_id, "--json").stdout)["status"] == "cancelled"


def test_a_receipt_is_printed_or_why_there_is_none(machine: Machine) -> None:
    workload_id = machine.energy("submit", "Train", "--hours", "1", "--power-kw", "2").stdout.split()[0]
    done = machine.energy("receipt", workload_id)
    assert (done.returncode, done.stdout) == (1, "") and "there is no receipt yet: it is scheduled" in done.stderr
    assert machine.database
    with machine.database.connect() as connection:
        past = Past(machine.database, connection)
        begins = floor(datetime.now(UTC)) - timedelta(hours=30)
        ran = past.workload(begins)
        past.place(ran, (begins + 4 * HOUR, begins + 6 * HOUR))
        past.run(ran, begins + 4 * HOUR, begins + 6 * HOUR)
        past.settle()
    done = machine.energy("receipt", str(ran))
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == f"{ran}  completed, version 1, preliminary: its actuals may still be revised"
    assert "London, 20 kWh" in lines[1] and lines[3].split() == [
        "as",
        "promised",
        "2.000",
        "kg",
        "CO2",
        "1.0000",
        "GBP",
    ]
    assert [line[:24].strip() for line in lines[7:10]] == ["saved against at once", "by its time", "by its place"]
    assert "never summed" in lines[-1]
    found = json.loads(machine.energy("receipt", str(ran), "--json").stdout)
    assert f"{found['realised']['carbon_kg']:.3f} kg" in lines[2]


def test_schedulers_get_their_time_and_now_without_the_service(machine: Machine, tmp_path: Path) -> None:
    job = ("--hours", "1", "--deadline", "20h", "--earliest", "3h")
    begin = machine.energy("sbatch", *job).stdout
    found = re.fullmatch(r"--begin=now\+(\d+)\n", begin)
    assert found and 3 * 3600 - 60 <= int(found[1]) <= 19 * 3600, begin
    at = datetime.strptime(machine.energy("at", *job).stdout.strip(), "%Y%m%d%H%M")
    assert timedelta(hours=2, minutes=58) <= at - datetime.now() <= timedelta(hours=19, minutes=2)
    assert machine.statuses() == []
    dead = Machine(tmp_path, "http://127.0.0.1:9")
    done = dead.energy("sbatch", *job)
    assert (done.returncode, done.stdout) == (0, "--begin=now\n") and "the time is now" in done.stderr
    at = datetime.strptime(dead.energy("at", *job).stdout.strip(), "%Y%m%d%H%M")
    assert timedelta(seconds=-5) <= at - datetime.now() <= timedelta(minutes=1, seconds=5)
    assert dead.energy("sbatch", "--strict", *job).returncode == 125


def test_without_the_service_a_look_ends_with_1_and_a_sentence(tmp_path: Path) -> None:
    for arguments in (["now"], ["best", "--hours", "1"], ["status"], ["submit", "x", "--hours", "1"]):
        done = Machine(tmp_path, "http://127.0.0.1:9").energy(*arguments)
        assert (done.returncode, done.stdout) == (1, "") and "cannot be reached" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_token_that_is_refused_is_not_shown(machine: Machine) -> None:
    machine.token = "a-token-that-nobody-knows"
    done = machine.energy("now")
    assert done.returncode == 1 and "ENERGY_TOKEN" in done.stderr and machine.token not in done.stderr + done.stdout
