"""`energy run --split` says when each piece really started and stopped, and never waits for it to be heard."""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from energy import pieces
from energy.api import Api
from energy.settings import Settings

from tests.client.conftest import Machine, started, until
from tests.client.test_split import COMMAND, planning, ran_in, work


@pytest.mark.parametrize("status", [404, 409, 503])
def test_a_service_that_does_not_take_the_reports_does_not_hold_the_work_up(tmp_path: Path, status: int) -> None:
    with planning((0, 1), (2, 3)) as planner:
        planner.pieces_are_refused = status
        began = time.monotonic()
        done = Machine(tmp_path, planner.url).energy(*work(3))
        assert done.returncode == 40 and done.stderr.count("goes on") == 1, done.stderr
        assert time.monotonic() - began < 20
        assert done.stderr.count("of its pieces") == 1, "one line says so"
        assert [path for path, _ in planner.posts][-1] == "/workloads/w/fail", "the end is recorded"


def test_what_happened_while_the_service_was_away_is_said_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    at = datetime.now(UTC)
    monkeypatch.setattr(pieces, "RETRY_SECONDS", 0.05)
    with planning((0, 1)) as planner:
        planner.pieces_are_refused = 503
        reports = pieces.PieceReports(Api(Settings(url=planner.url)), "/workloads/w/chunks", 7, say=said.append)
        reports.add("start", 1, at)
        reports.add("stop", 1, at + timedelta(hours=1))
        until(lambda: planner.posts)
        planner.pieces_are_refused = 0
        reports.add("start", 2, at + timedelta(hours=2))
        until(lambda: "2/start" in planner.reported())
        reports.close()
        kept = [(path.rsplit("/chunks/")[1], sent) for path, sent in planner.posts]
        assert [step for step, _ in kept if step != "1/start"] == ["1/stop", "2/start"], "in their order, each once"
        assert {step: sent["at"] for step, sent in kept}["1/start"] == at.isoformat(), "with its time"
    assert said == []


@pytest.mark.slow
def test_the_service_keeps_when_each_piece_really_ran(machine: Machine) -> None:
    """Two pieces of some seconds, in place of those that were planned; it looks at its plan each half minute."""
    later = ("--hours", "1", "--deadline", "20h", "--earliest", "3h", "--region", "13")
    with started(machine, "run", "--split", *later, "--", sys.executable, "-c", COMMAND, "9") as process:
        until(lambda: machine.statuses() == ["scheduled"])
        in_two_pieces(machine, (33, 36), (39, 60))
        _, said = process.communicate(timeout=90)
    assert process.returncode == 40 and "goes on" in said, said
    rows = machine.query("select number, started_at, stopped_at from app.workload_chunk_runs order by number")
    assert [number for number, *_ in rows] == [1, 2]
    (_, first, paused), (_, resumed, ended) = rows
    assert first < paused < resumed < ended and "recorded" not in said
    for name in ("parent", "child"):
        assert not ran_in(machine.folder, name, paused.timestamp() + 0.5, resumed.timestamp() - 0.5), name
    assert machine.statuses() == ["failed"], "an exit code of 40"
    shown = machine.energy("status").stdout.splitlines()
    assert len(shown) == 3 and all("; started " in line and ", stopped " in line for line in shown[1:]), shown


def in_two_pieces(machine: Machine, *pieces: tuple[float, float]) -> None:
    """Place the one workload in these pieces, in seconds from now, whatever its length."""
    assert machine.database
    with machine.database.connect(autocommit=False) as connection:
        for table in ("workload_placements", "placement_chunks"):
            connection.execute(f"alter table app.{table} disable trigger user")
        row = connection.execute("select placement_id, now() from app.compute_workloads").fetchone()
        assert row
        placed, now = row
        starts, ends = (now + timedelta(seconds=at) for at in (pieces[0][0], pieces[-1][1]))
        connection.execute(
            "update app.workload_placements set chunks = 2, starts_at = %s, ends_at = %s where placement_id = %s",
            [starts, ends, placed],
        )
        connection.execute("delete from app.placement_chunks where placement_id = %s", [placed])
        for number, (begin, end) in enumerate(pieces, start=1):
            connection.execute(
                "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw) "
                "select placement_id, %s, operator_id, %s, %s, power_kw from app.workload_placements where placement_id = %s",
                [number, now + timedelta(seconds=begin), now + timedelta(seconds=end), placed],
            )
        for table in ("workload_placements", "placement_chunks"):
            connection.execute(f"alter table app.{table} enable trigger user")
