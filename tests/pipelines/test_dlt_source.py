"""The sources, used as any dlt user would: into another destination, and by their own commands."""

import json
import subprocess
import sys
import threading
import unicodedata
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path

import dlt
import duckdb
import pytest

from pipelines.catalogue import DATASETS, SOURCES
from pipelines.dlt_source import windows
from pipelines.landing import configure
from tests.emulator import Emulator
from tests.energy import Energy
from warehouse.settings import PROJECT_ROOT

NOON = datetime(2024, 3, 2, 12, tzinfo=UTC)


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=200, check=False
    )


def of(source: str):
    return getattr(import_module(f"pipelines.{source}.source"), source)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_has_a_resource_for_each_of_its_datasets(source: str) -> None:
    resources = of(source)().resources
    assert set(resources) == {d.payload_table for d in DATASETS.values() if d.source == source}


def test_some_of_its_datasets_can_be_named_and_a_wrong_name_is_said() -> None:
    elexon = of("elexon")
    assert set(elexon(datasets=["market_index"]).resources) == {"elexon__market_index_payloads"}
    with pytest.raises(Exception, match="there is no dataset prices; there are demand_forecast, "):
        list(elexon(datasets=["prices"]).resources)


def test_the_days_that_are_asked_for_are_covered_in_the_fewest_requests_as_far_as_there_are_any() -> None:
    index = DATASETS["elexon__market_index"]
    assert [w.start.date() for w in windows(index, date(2024, 1, 1), date(2024, 1, 14), NOON)] == [
        date(2024, 1, 1), date(2024, 1, 8),
    ]  # fmt: skip
    assert windows(index, date(2024, 3, 2), None, NOON)[0].end == datetime(2024, 3, 2, 10, tzinfo=UTC)
    assert windows(index, date(1999, 1, 1), date(1999, 1, 2), NOON) == []


@pytest.mark.parametrize("source", ["elexon", "carbon_intensity"])
def test_a_source_runs_into_duckdb_and_the_same_responses_land_once(
    energy: Energy, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    configure()
    file = tmp_path / "energy.duckdb"
    counts = []
    for _ in range(2):
        pipeline = dlt.pipeline(
            f"own_{source}",
            destination=dlt.destinations.duckdb(str(file)),
            dataset_name="raw",
            pipelines_dir=str(tmp_path / "pipelines"),
        )
        pipeline.run(of(source)(date(2024, 3, 1), date(2024, 3, 2)))
        with duckdb.connect(str(file)) as connection:
            tables = [d.payload_table for d in DATASETS.values() if d.source == source]
            counts.append([connection.execute(f"select count(*) from raw.{table}").fetchone() for table in tables])
            origin, payload = connection.execute(f"select origin, payload from raw.{tables[0]}").fetchone() or ("", "")
    assert origin == "live" and json.loads(payload)["data"]
    assert counts[0] == counts[1] and all(count[0] > 0 for count in counts[0] if count)


def test_a_source_runs_alone_into_the_warehouse(energy: Energy) -> None:
    done = command("pipelines.elexon", "--from", "2024-03-01", "--datasets", "market_index", "system_prices")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 requests, 2 new payloads in staging" in done.stdout
    assert energy.value("select count(*) from staging.elexon__market_index_payloads") == 1
    assert energy.query("select flow, status from ops.runs") == [("pipelines.elexon", "completed")]
    again = command("pipelines.elexon", "--datasets", "prices")
    assert again.returncode == 2 and "there is no dataset prices" in again.stderr and "Traceback" not in again.stderr


def test_what_an_upstream_says_of_a_failure_is_text_in_the_log(
    energy: Energy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hostile = "\x1b]0;mine\x07\x1b[2J\x9b31m"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": [{"startTime": hostile, hostile: hostile}], hostile: hostile}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ELEXON_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("SYNTHETIC_FALLBACK", "off")
        list(of("elexon")(date(2024, 3, 1), date(2024, 3, 1), ["market_index"]))
        server.shutdown()
    assert "elexon__market_index: " in caplog.text
    assert not [one for one in caplog.text if unicodedata.category(one) == "Cc" and one not in "\n\t"]


@pytest.mark.parametrize(("fault", "fallback"), [("500", "off"), ("html", "on")])
def test_a_source_that_runs_elsewhere_ends_with_1_if_a_request_failed_and_keeps_the_rest(
    energy: Energy, emulator: Emulator, tmp_path: Path, fault: str, fallback: str
) -> None:
    emulator.fault(fault, "/balancing/pricing/market-index")
    file = tmp_path / "energy.duckdb"
    energy.set(
        SYNTHETIC_FALLBACK=fallback, HTTP_ATTEMPTS="1", DLT_DATA_DIR=str(tmp_path / "dlt"),
        DESTINATION__DUCKDB__CREDENTIALS=str(file),
    )  # fmt: skip
    asked = ("--from", "2024-03-01", "--datasets", "market_index", "system_prices", "--destination", "duckdb")
    done = command("pipelines.elexon", *asked)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "elexon__market_index_payloads: 1 request failed" in done.stderr
    assert "elexon__system_prices_payloads: 1 response" in done.stdout and "Traceback" not in done.stderr
    with duckdb.connect(str(file)) as connection:
        prices = connection.execute("select count(*) from staging.elexon__system_prices_payloads").fetchone()
        rejected = connection.execute("select dataset, body is not null from staging.rejected_payloads").fetchone()
    assert (prices, rejected) == ((1,), ("elexon__market_index", True))
    emulator.reset()
    assert command("pipelines.elexon", *asked).returncode == 0
