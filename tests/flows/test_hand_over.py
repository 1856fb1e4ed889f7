"""What a plan moves is moved in Prefect at once; that Prefect is away is no failure of the plan."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.replan import after_refresh
from tests.flows.test_replan import HELD, cancel, house  # noqa: F401  a fixture
from tests.service.conftest import Api, api  # noqa: F401  a fixture

AWAY = "http://127.0.0.1:9/api"


@contextmanager
def prefect(
    monkeypatch: pytest.MonkeyPatch, *, is_away: bool = False, is_broken: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """A server that knows the one deployment and no run: the runs that it is to create, which it cannot if it is broken."""
    created: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            status, body = 200, "[]"
            if "csrf-token" in self.path:
                status, body = 404, "{}"
            elif "/deployments/name/" in self.path:
                known = DeploymentResponse(id=uuid.uuid4(), name="job", flow_id=uuid.uuid4(), tags=["workloads"])
                body = known.model_dump_json()
            elif "create_flow_run" in self.path and is_broken:
                status, body = 500, '{"detail": "no space left"}'
            elif "create_flow_run" in self.path:
                created.append(sent)
                status, body = 201, FlowRun(id=uuid.uuid4(), flow_id=uuid.uuid4(), name="run").model_dump_json()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST  # noqa: N815  the library's name

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = AWAY if is_away else f"http://127.0.0.1:{server.server_address[1]}/api"
        monkeypatch.setenv("PREFECT_API_URL", url)
        with temporary_settings({PREFECT_API_URL: url}):
            yield created
        server.shutdown()


def test_what_a_plan_moves_reaches_prefect_with_it(
    house: tuple[Api, dict[str, str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]  # noqa: F811
) -> None:  # fmt: skip
    api, names = house  # noqa: F811
    monkeypatch.setenv("REPLAN_GAIN_GBP", "0")
    monkeypatch.setenv("REPLAN_GAIN_PCT", "0")
    api.query("""update app.compute_workloads set run = '{"deployment": "job/job"}'""")
    cancel(api, names["third"])
    with prefect(monkeypatch) as created:
        assert after_refresh(api.database) == [] and created == [], "nothing was moved"
        before = api.query(HELD, names["second"])
        cancel(api, names["first"])
        assert after_refresh(api.database) == []
        ((_, starts_at),) = api.query(HELD, names["second"])
        assert (_, starts_at) != before[0]
        (run,) = created
        scheduled = datetime.fromisoformat(run["state"]["state_details"]["scheduled_time"])
        assert scheduled == starts_at and f"workload:{names['second']}" in run["tags"]
    third = api.submit("Train again", power_kw=10, duration_minutes=240, run={"deployment": "job/job"})
    api.query("update app.compute_workloads set status = 'pending' where workload_id = %s", third["workload_id"])
    with prefect(monkeypatch, is_away=True) as created:
        assert after_refresh(api.database) == [], "the plan holds"
        assert len(api.query(HELD, third["workload_id"])) == 1 and created == []
    with prefect(monkeypatch, is_broken=True):
        cancel(api, names["second"])
        api.query("update app.compute_workloads set status = 'pending' where workload_id = %s", third["workload_id"])
        assert after_refresh(api.database) == [], "the plan holds"
    said = " ".join(capsys.readouterr().out.split())
    assert "with the next dispatch (PREFECT_API_URL: the Prefect server at " in said
    assert "does not answer (ConnectError))" in said
    assert f"workload {third['workload_id']} waits for the next dispatch: Prefect responds with no space left" in said
