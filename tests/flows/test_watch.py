"""`watch`: what has stopped is told once, within a cadence, and its end once; nothing is told that is not so."""

import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.cadence import CADENCES, GRACE, UNANSWERED_AFTER
from flows.watch import Trouble, watch
from pipelines.catalogue import DATASETS
from tests.commands import run
from tests.conftest import Energy

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
WATCHED = sorted(slug for slug, dataset in DATASETS.items() if dataset.refreshes(NOW))
SECRET = "T0-s3cret-B1"


class Webhook:
    """A chat service: keeps each body that it took; `status` and `seconds` are how it answers."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.refused, self.status, self.seconds = 0, 204, 0.0
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                threading.Event().wait(webhook.seconds)
                if webhook.status < 300 and self.path == f"/hooks/{SECRET}":
                    webhook.told.append(body)
                else:
                    webhook.refused += 1
                self.send_response(webhook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/{SECRET}"

    def states(self) -> list[tuple[str, str, str]]:
        return [(body["state"], body["kind"], body["subject"]) for body in self.told]


@pytest.fixture
def webhook(energy: Energy) -> Iterator[Webhook]:
    this = Webhook()
    threading.Thread(target=this.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    energy.set(ALERT_WEBHOOK_URL=this.url)
    yield this
    this.server.shutdown()
    this.server.server_close()


def asked(energy: Energy, at: datetime, *, dead: str = "", datasets: list[str] = WATCHED) -> None:
    """The ledger as a run at that instant leaves it, with one source that gave no answer."""
    outcomes = ["failed" if DATASETS[slug].source == dead else "landed" for slug in datasets]
    energy.query(
        "with run as (insert into ops.runs (run_id, flow, status, started_at, ended_at) "
        "values (gen_random_uuid(), 'refresh', 'completed', %s, %s) returning run_id) "
        "insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at)"
        " select run_id, dataset, 'http://upstream', %s, %s, outcome, 1, 1, %s "
        "from run, unnest(%s::text[], %s::text[]) as fetched (dataset, outcome)",
        *[at] * 5,
        datasets,
        outcomes,
    )


def late(found: list[Trouble]) -> dict[str, str]:
    """The datasets that are late, with the kind of trouble."""
    return {trouble.line.split(":")[0]: trouble.kind for trouble in found}


def test_after_a_refresh_nothing_is_late(energy: Energy, webhook: Webhook) -> None:
    energy.refresh()
    done = run("flows.watch")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Every dataset that is watched is as it should be.\n")
    assert webhook.told == []


def test_a_stopped_scheduler_is_seen_when_a_run_is_overdue_and_not_a_minute_before(energy: Energy) -> None:
    asked(energy, NOW)
    for cadence in sorted(set(CADENCES.values())):
        due = sorted(slug for slug in WATCHED if CADENCES[DATASETS[slug].source] <= cadence)
        before = late(watch(energy.database, NOW + cadence + GRACE - MINUTE))
        overdue = watch(energy.database, NOW + cadence + GRACE + MINUTE)
        assert not set(before) & {slug for slug in due if CADENCES[DATASETS[slug].source] == cadence}
        assert late(overdue) == dict.fromkeys(due, "stopped")
        assert len(overdue) == len(due), "a line a dataset"
        minutes = f"{(cadence + GRACE + MINUTE).seconds // 60} minutes ago"
        assert all(minutes in trouble.line for trouble in overdue)
        assert cadence > GRACE + MINUTE, "within one cadence of the run that did not come"


def test_the_command_ends_with_1_whether_or_not_somebody_is_told(energy: Energy, webhook: Webhook) -> None:
    asked(energy, NOW - timedelta(hours=2))
    silent = run("flows.watch", ALERT_WEBHOOK_URL="")
    assert webhook.told == []
    told = run("flows.watch")
    assert silent.returncode == told.returncode == 1
    assert silent.stdout.count("LATE ") == told.stdout.count("LATE ") == len(WATCHED)
    assert sorted(webhook.states()) == sorted(("open", "stopped", source) for source in CADENCES), "one a source"
    assert all(body["text"].startswith("ALERT energy-data-pipeline, stopped") for body in webhook.told)
    assert SECRET not in silent.stdout + silent.stderr + told.stdout + told.stderr


def test_a_day_without_an_upstream_is_one_alert_and_one_all_clear(energy: Energy, webhook: Webhook) -> None:
    answered = NOW - timedelta(days=1)
    asked(energy, answered)
    told_at = None
    for half_hours in range(1, 48):
        at = answered + half_hours * timedelta(minutes=30)
        asked(energy, at, dead="elexon")
        for look in (MINUTE, 6 * MINUTE):
            found = watch(energy.database, at + look)
            assert set(late(found).values()) <= {"upstream"}
            told_at = told_at or (at + look if webhook.told else None)
    assert sorted(late(found)) == [slug for slug in WATCHED if slug.startswith("elexon")]
    assert webhook.states() == [("open", "upstream", "elexon")]
    patience = UNANSWERED_AFTER + CADENCES["elexon"]
    assert told_at and patience < told_at - answered <= patience + timedelta(minutes=30)
    asked(energy, NOW)
    for look in range(3):
        assert watch(energy.database, NOW + look * MINUTE) == []
    assert webhook.states() == [("open", "upstream", "elexon"), ("closed", "upstream", "elexon")]
    assert webhook.told[1]["text"].startswith("ALL CLEAR")


def test_an_upstream_that_is_down_is_not_all_clear_because_a_run_is_late(energy: Energy, webhook: Webhook) -> None:
    asked(energy, NOW - timedelta(hours=5))
    asked(energy, NOW, dead="elexon")
    watch(energy.database, NOW + MINUTE)
    assert webhook.states() == [("open", "upstream", "elexon")]
    watch(energy.database, NOW + CADENCES["elexon"] + GRACE + MINUTE)
    assert ("closed", "upstream", "elexon") not in webhook.states(), "it has not answered"


@pytest.mark.parametrize("failure", ["500", "refused"])
def test_a_webhook_that_fails_is_told_at_the_next_watch_once(
    energy: Energy, webhook: Webhook, failure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(energy, NOW - timedelta(hours=5), datasets=["beckn__catalogue"])
    asked(energy, NOW, dead="beckn")
    if failure == "refused":
        energy.set(ALERT_WEBHOOK_URL=f"http://127.0.0.1:9/hooks/{SECRET}")
    webhook.status = 500
    for _ in range(2):
        assert list(late(watch(energy.database, NOW)).values()) == ["upstream"]
    assert (webhook.told, webhook.refused) == ([], 0 if failure == "refused" else 2)
    said = "".join(capsys.readouterr())
    assert said.count("ALERT_WEBHOOK_URL could not be told") == 2
    webhook.status = 204
    energy.set(ALERT_WEBHOOK_URL=webhook.url)
    for _ in range(3):
        watch(energy.database, NOW)
    assert webhook.states() == [("open", "upstream", "beckn")]
    assert SECRET not in said + "".join(capsys.readouterr())


def test_a_webhook_that_is_no_address_is_said_in_a_line(energy: Energy) -> None:
    asked(energy, NOW - timedelta(hours=5))
    done = run("flows.watch", ALERT_WEBHOOK_URL=f"http://127.0.0.1:port/hooks/{SECRET}")
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "ALERT_WEBHOOK_URL" in done.stderr and done.returncode in (1, 2)


def test_two_watches_at_the_same_time_tell_once(energy: Energy, webhook: Webhook) -> None:
    asked(energy, NOW)
    webhook.seconds = 0.2
    together = threading.Barrier(3)

    def look(now: datetime) -> int:
        together.wait()
        return len(watch(energy.database, now))

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(look, [NOW + timedelta(hours=2)] * 3)) == [len(WATCHED)] * 3
        assert sorted(webhook.states()) == sorted(("open", "stopped", source) for source in CADENCES)
        assert list(pool.map(look, [NOW] * 3)) == [0] * 3
    assert len(webhook.told) == 2 * len(CADENCES)
    assert sorted(webhook.states()[len(CADENCES) :]) == sorted(("closed", "stopped", source) for source in CADENCES)


def running(energy: Energy, **more: Any) -> uuid.UUID:
    """A run that has not ended."""
    run_id = uuid.uuid4()
    columns = {"run_id": run_id, "flow": "backfill", **more}
    energy.query(
        f"insert into ops.runs ({', '.join(columns)}) values (%s{', %s' * (len(columns) - 1)})", *columns.values()
    )
    return run_id


def test_a_run_whose_process_died_is_marked_and_one_that_lives_is_not(
    energy: Energy, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(energy, NOW)
    dead, alive = running(energy), running(energy)
    with energy.database.connect() as process:
        process.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"run {alive}"])
        for _ in range(2):
            assert watch(energy.database, NOW) == []
        states = dict(energy.query("select run_id, status from ops.runs where flow = 'backfill'"))
        assert states == {dead: "crashed", alive: "running"}
        assert energy.value("select ended_at is not null from ops.runs where run_id = %s", dead)
        assert capsys.readouterr().out.count("is marked as crashed") == 1
    watch(energy.database, NOW)
    assert energy.value("select status from ops.runs where run_id = %s", alive) == "crashed"


def test_a_prefect_server_that_is_away_keeps_nobody_from_being_told(energy: Energy, webhook: Webhook) -> None:
    running(energy, prefect_flow_run_id=uuid.uuid4())
    asked(energy, NOW - timedelta(hours=2))
    done = run("flows.watch", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert len(webhook.told) == len(CADENCES)
    assert (done.returncode, done.stdout.count("LATE ")) == (1, len(WATCHED))
    assert "Traceback" not in done.stderr


def test_what_was_made_up_is_no_answer(energy: Energy, webhook: Webhook) -> None:
    asked(energy, NOW - timedelta(hours=4))
    asked(energy, NOW)
    energy.query("delete from ops.fetches where dataset = 'carbon_intensity__national' and fetched_at = %s", NOW)
    energy.unplug()
    energy.refresh("carbon_intensity__national")
    assert energy.value("select bool_and(is_synthetic) from carbon_intensity_national")
    assert late(watch(energy.database, datetime.now(UTC))) == {"carbon_intensity__national": "upstream"}
    assert webhook.states() == [("open", "upstream", "carbon_intensity")]


def test_a_backfill_is_no_sign_of_life(energy: Energy) -> None:
    asked(energy, NOW - timedelta(hours=5))
    energy.query(
        "insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at) "
        "select run_id, dataset, request_url, window_start - interval '1 year', window_end - interval '1 year', 'landed', 1, "
        "1, %s from ops.fetches",
        NOW,
    )
    assert late(watch(energy.database, NOW)) == dict.fromkeys(WATCHED, "stopped")


def test_an_answer_that_is_not_published_is_told_with_its_dataset_and_since_when(
    energy: Energy, webhook: Webhook
) -> None:
    energy.refresh("carbon_intensity", "elexon")
    now = datetime.now(UTC)
    asked(energy, now)
    assert watch(energy.database, now) == []
    hour_ago = now - timedelta(hours=1)
    energy.query("update staging.elexon__system_prices_payloads set fetched_at = %s, window_end = %s", hour_ago, now)
    energy.query("delete from intermediate.published_payloads where model_name = 'wholesale_prices'")
    (trouble,) = [found for found in watch(energy.database, now) if found.subject == "elexon__system_prices"]
    assert trouble.kind == "unpublished"
    assert f"answers wait to be published since {hour_ago:%Y-%m-%d %H:%M}Z, 60 minutes ago" in trouble.line
    assert ("open", "unpublished", "elexon__system_prices") in webhook.states()
    energy.refresh("carbon_intensity", "elexon")
    assert watch(energy.database, now) == []
    assert ("closed", "unpublished", "elexon__system_prices") in webhook.states()


def test_a_table_that_falls_behind_its_cadence_is_told_with_its_newest_real_half_hour(energy: Energy) -> None:
    energy.refresh("carbon_intensity__national", "elexon__market_index")
    now = datetime.now(UTC)
    asked(energy, now)
    energy.query("delete from carbon_intensity_national where period_start >= %s", now - timedelta(hours=5))
    energy.query("update wholesale_prices set is_synthetic = true where period_start >= %s", now - timedelta(hours=7))
    found = {trouble.subject: trouble for trouble in watch(energy.database, now)}
    assert {subject: trouble.kind for subject, trouble in found.items()} == {
        "carbon_intensity__national": "behind",
        "elexon__market_index": "behind",
    }
    newest = energy.value("select max(period_end) from carbon_intensity_national")
    assert f"ended at {newest:%Y-%m-%d %H:%M}Z" in found["carbon_intensity__national"].line
    newest = energy.value("select max(period_end) from wholesale_prices where not is_synthetic")
    assert f"ended at {newest:%Y-%m-%d %H:%M}Z" in found["elexon__market_index"].line


def test_upstream_last_heard_is_when_it_last_gave_a_real_answer_for_the_present(energy: Energy) -> None:
    energy.refresh("carbon_intensity__national")
    energy.query("update ops.fetches set fetched_at = fetched_at - interval '3 hours'")
    energy.backfill("2024-01-01", "2024-01-01", "carbon_intensity__national")
    energy.unplug()
    energy.refresh("carbon_intensity__national")
    (line,) = [line for line in energy.output.splitlines() if line.startswith("│ carbon_intensity_national ")]
    assert "3 hours ago" in line
