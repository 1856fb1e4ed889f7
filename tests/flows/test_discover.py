"""What NESO's portal has: listed on demand, and what is new once a week."""

import subprocess
import sys

from flows.discover import discover_neso
from pipelines.neso import resources
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.settings import PROJECT_ROOT


def test_new_datasets_are_said_once(energy: Energy, emulator: Emulator) -> None:
    assert discover_neso.fn() == {"failures": [], "new": []}, "the first look reports nothing new"
    energy.query("delete from ops.portal_datasets where name = 'historic-demand-data'")
    assert discover_neso.fn()["new"] == ["historic-demand-data"]
    assert discover_neso.fn()["new"] == []
    assert emulator.neso.calls["datastore"] == 0
    assert energy.query("select distinct status from ops.runs") == [("completed",)]


def test_a_portal_that_is_down_is_said_and_forgets_nothing(energy: Energy, emulator: Emulator) -> None:
    discover_neso.fn()
    noted = energy.value("select count(*) from ops.portal_datasets")
    emulator.fault("html", "package_search")
    (failure,) = discover_neso.fn()["failures"]
    assert "NESO's portal cannot be read" in failure
    assert energy.value("select count(*) from ops.portal_datasets") == noted > 5


def test_a_subject_is_answered_with_columns_and_what_is_loaded(energy: Energy, emulator: Emulator) -> None:
    command = [sys.executable, "-m", "pipelines.neso", "discover", "price"]
    printed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in printed.splitlines() if resources.N2EX.id in line]
    assert "N2EX GB Day-Ahead Price" in line and "LOADED" in line
    assert "columns: Date, Delivery Period, Price" in printed
    assert "not loaded" in printed


def test_a_portal_that_cannot_be_reached_is_an_error_of_one_line(energy: Energy) -> None:
    energy.unplug()
    command = [sys.executable, "-m", "pipelines.neso", "discover", "price", "--no-columns"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "cannot be read" in done.stderr
