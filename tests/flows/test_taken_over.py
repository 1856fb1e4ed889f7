"""What becomes of a run is what becomes of its workload, whatever state it is in; and no workload's trouble is another's."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.dispatch import dispatch_all
from tests.client.conftest import Machine
from tests.flows.prefect_under_test import Server
from tests.flows.test_missed import job, runs_of, submit  # noqa: F401  a fixture
from tests.service.conftest import Api, api  # noqa: F401  a fixture
from warehouse.settings import PROJECT_ROOT

pytest_plugins = ["tests.flows.prefect_under_test"]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("work pool")]

HOUR = 3600
DISPATCH = "from flows.dispatch import dispatch_all; from warehouse.server import resolve; dispatch_all(resolve())"


def set_state(server: Server, run: dict[str, Any], type_: str, **more: Any) -> None:
    server.post(f"flow_runs/{run['id']}/set_state", {"state": {"type": type_, **more}, "force": True})


def states(server: Server, workload_id: str) -> list[str]:
    return [run["state"]["type"] for run in runs_of(server, workload_id)]


@contextmanager
def between(server: Server, meddles: Callable[[str, bytes, bool], int | None]) -> Iterator[str]:
    """The server behind a proxy: the address. `meddles` sees path, body and whether the server has done it already; a status from
    it is the response."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = meddles(self.path, body, False), b'{"detail": "no"}'
            if status is None:
                url = f"{server.api.url.removesuffix('/api')}{self.path}"
                answer = httpx.request(
                    self.command, url, content=body, headers={"Content-Type": "application/json"}, timeout=60
                )
                status, content = answer.status_code, answer.content
                meddles(self.path, body, True)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PATCH = do_DELETE = do_POST  # noqa: N815  the library's names

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        proxy.handle_error = lambda *_: None  # type: ignore[method-assign]  its client may have been killed
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_address[1]}/api"
        proxy.shutdown()


def test_a_run_that_runs_fails_crashes_or_is_gone_is_so_here(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    running, failed, crashed, gone = ids = [submit(api, deployment) for _ in range(4)]
    assert dispatch_all(api.database).done == {"created": 4}
    for workload_id in ids:
        set_state(server, runs_of(server, workload_id)[0], "RUNNING")
    assert dispatch_all(api.database).done == {"begun": 4}
    (run,) = runs_of(server, running)
    began = api.get(f"/workloads/{running}")
    assert (began["status"], began["attempts"]) == ("running", 1)
    assert datetime.fromisoformat(began["actual_start"]) == datetime.fromisoformat(run["start_time"])
    set_state(server, runs_of(server, failed)[0], "FAILED", message="no disk")
    set_state(server, runs_of(server, crashed)[0], "CRASHED", message="its host went down")
    httpx.delete(f"{server.api.url}/flow_runs/{runs_of(server, gone)[0]['id']}").raise_for_status()
    assert dispatch_all(api.database).done == {"failed": 3}
    said = {
        one: (api.get(f"/workloads/{one}")["status"], api.get(f"/workloads/{one}")["failed_because"]) for one in ids
    }
    assert said == {
        running: ("running", None), failed: ("failed", "no disk"), crashed: ("failed", "its host went down"),
        gone: ("failed", "its run is no longer in Prefect"),
    }  # fmt: skip
    api.client.patch(f"/workloads/{running}", json={"status": "cancelled"}).raise_for_status()
    assert dispatch_all(api.database).done == {"run cancelled": 1}
    assert states(server, running) == ["CANCELLING"], "a run that has begun is asked to end"
    assert dispatch_all(api.database).done == {}


def test_a_run_that_waits_for_its_own_retry_is_left_to_it(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    seen, unseen = submit(api, deployment), submit(api, deployment)
    dispatch_all(api.database)
    for workload_id in (seen, unseen):
        (run,) = runs_of(server, workload_id)
        set_state(server, run, "RUNNING")
        if workload_id == seen:
            assert dispatch_all(api.database).done == {"begun": 1}
        retried_at = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
        set_state(server, run, "SCHEDULED", name="AwaitingRetry", state_details={"scheduled_time": retried_at})
    before = [runs_of(server, one)[0]["next_scheduled_start_time"] for one in (seen, unseen)]
    assert dispatch_all(api.database).done == {"begun": 1}
    assert dispatch_all(api.database).done == {}
    assert [runs_of(server, one)[0]["next_scheduled_start_time"] for one in (seen, unseen)] == before
    assert [api.get(f"/workloads/{one}")["status"] for one in (seen, unseen)] == ["running", "running"]


def test_a_run_follows_its_plan_earlier_and_later(
    job: tuple[Server, str], api: Api, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    server, deployment = job
    workload_id = submit(api, deployment)
    dispatch_all(api.database)
    (created,) = runs_of(server, workload_id)
    for hours in (0.5, 9.0):
        Machine(tmp_path, "", api.database).place_at(hours * HOUR)
        assert dispatch_all(api.database).done == {"moved": 1}
        (run,) = runs_of(server, workload_id)
        starts_at = datetime.fromisoformat(api.get(f"/workloads/{workload_id}")["placement"]["starts_at"])
        assert run["id"] == created["id"] and datetime.fromisoformat(run["next_scheduled_start_time"]) == starts_at
        assert dispatch_all(api.database).done == {}


def test_what_fails_for_one_workload_keeps_no_other_from_its_run(job: tuple[Server, str], api: Api) -> None:  # noqa: F811
    server, deployment = job
    never, refused, silent, good, unwanted = (submit(api, deployment) for _ in range(5))
    dispatched = {"is_away": True}

    def meddles(path: str, body: bytes, is_done: bool) -> int | None:
        if is_done or not dispatched["is_away"] or "create_flow_run" not in path:
            return None
        if silent.encode() in body:
            raise ConnectionAbortedError
        return 500 if refused.encode() in body else None

    for other in (never, refused, silent, good):
        api.client.patch(f"/workloads/{other}", json={"status": "pending"}).raise_for_status()
    assert dispatch_all(api.database).done == {"created": 1}
    for other in (never, refused, silent, good):
        api.client.post(f"/workloads/{other}/placement").raise_for_status()
    api.client.patch(f"/workloads/{unwanted}", json={"status": "cancelled"}).raise_for_status()
    with api.database.connect() as connection:  # as an older service took it
        connection.execute("update app.compute_workloads set run = jsonb_set(run, '{deployment}', %s) where workload_id = %s",
                           [psycopg.types.json.Jsonb("job/job\t"), never])  # fmt: skip
    with between(server, meddles) as url, temporary_settings({PREFECT_API_URL: url}):
        first = dispatch_all(api.database)
        assert first.done == {"created": 1, "cancelled": 1, "run cancelled": 1}
        assert sorted(words.split()[1] for words in first.failures) == sorted((refused, silent))
        assert states(server, good) == ["SCHEDULED"] and states(server, unwanted) == ["CANCELLED"]
        ended = api.get(f"/workloads/{never}")
        assert (
            ended["status"] == "cancelled" and "no deployment of Prefect can have the name" in ended["failed_because"]
        )
        dispatched["is_away"] = False
        second = dispatch_all(api.database)
    assert (second.done, second.failures) == ({"created": 2}, ())


def test_killed_between_the_run_and_its_note_it_makes_no_second_one(
    job: tuple[Server, str], api: Api, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    server, deployment = job
    workload_id = submit(api, deployment)
    started: list[subprocess.Popen[bytes]] = []

    def meddles(path: str, _body: bytes, is_done: bool) -> int | None:
        if is_done and "create_flow_run" in path:
            started[0].kill()
            started[0].wait(20)
        return None

    with between(server, meddles) as url:
        ours = {"DATABASE_URL": api.database.address(), "DATA_DIR": str(tmp_path), "PREFECT_API_URL": url}
        started.append(subprocess.Popen([sys.executable, "-c", DISPATCH], cwd=PROJECT_ROOT, env={**os.environ, **ours}))
        assert started[0].wait(120) == -9
    assert states(server, workload_id) == ["SCHEDULED"], "the run is there"
    assert api.query("select flow_run_id from app.compute_workloads") == [(None,)], "and nothing notes it"
    assert dispatch_all(api.database).done == {}
    assert states(server, workload_id) == ["SCHEDULED"]
    (run,) = runs_of(server, workload_id)
    assert api.query("select flow_run_id::text from app.compute_workloads") == [(run["id"],)], "the next call does"
