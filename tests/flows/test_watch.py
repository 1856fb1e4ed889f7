"""`watch`: what has stopped raises one alert, within a cadence, and one all-clear; nothing else does."""

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
from flows.dataset_facts import dataset_facts
from flows.session import session
from flows.steps import land
from flows.watch import Trouble, watch
from pipelines.catalogue import DATASETS
from pipelines.collect import Request
from tests.commands import run
from tests.conftest import Energy

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
WATCHED = sorted(slug for slug, dataset in DATASETS.items() if dataset.refreshes(NOW))
SECRET = "T0-s3cret-B1"


class Webhook:
    """A chat service: keeps each body that it took; `status` and `seconds` are how it answers."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.refused, self.status, self.seconds = 0, 204, 0.0
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                threading.Event().wait(webhook.seconds)
                if webhook.status < 300 and self.path == f"/hooks/{SECRET}":
                    webhook.received.append(body)
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
        return [(body["state"], body["kind"], body["subject"]) for body in self.received]


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
        *[at] * 2,
        *(at - timedelta(days=3), at, at),
        datasets,
        outcomes,
    )


def late(found: list[Trouble]) -> dict[str, str]:
    """The datasets that are late, with the kind of trouble."""
    return {trouble.line.split(":")[0]: trouble.kind for trouble in found}


@pytest.mark.slow
def test_after_a_refresh_nothing_is_late(energy: Energy, webhook: Webhook) -> None:
    energy.refresh()
    done = run("flows.watch")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Every dataset that is watched is as it should be.\n")
    assert webhook.received == []


def test_a_stopped_scheduler_is_seen_when_a_run_is_overdue_and_not_a_minute_before(energy: Energy) -> None:
    asked(energy, NOW)
    for cadence in sorted(set(CADENCES.values())):
        due = sorted(slug for slug in WATCHED if CADENCES[DATASETS[slug].source] <= cadence)
        before = late(watch(energy.database, NOW + cadence + GRACE - MINUTE))
        overdue = watch(energy.database, NOW + cadence + GRACE + MINUTE)
        assert not set(before) & {slug for slug in due if CADENCES[DATASETS[slug].source] == cadence}
        assert late(overdue) == dict.fromkeys(due, "stopped")
        assert len(overdue) == len(due), "one line per dataset"
        minutes = f"{(cadence + GRACE + MINUTE).seconds // 60} minutes ago"
        assert all(minutes in trouble.line for trouble in overdue)
        assert cadence > GRACE + MINUTE, "within one cadence of the run that did not come"


def test_what_is_held_is_said_until_something_later_of_its_dataset_has_passed(energy: Energy) -> None:
    asked(energy, NOW)
    (run_id,) = energy.query("select run_id from ops.runs")[0]

    def validated(verdict: str, days_ago: int) -> None:
        energy.query(
            "insert into ops.payload_verdicts (payload_id, dataset, verdict, reason, run_id, validated_at) "
            "values (gen_random_uuid(), 'elexon__market_index', %s, 'absurd', %s, now() - make_interval(days => %s))",
            verdict,
            run_id,
            days_ago,
        )

    validated("passed", 5)
    validated("held", 3)
    assert [(trouble.kind, trouble.subject) for trouble in watch(energy.database, NOW)] == [
        ("held", "elexon__market_index")
    ]
    validated("passed", 2)
    assert watch(energy.database, NOW) == []
    validated("held", 0)
    (trouble,) = watch(energy.database, NOW)
    assert trouble.kind == "held" and "1 payload is held back" in trouble.line
    validated("held", 0)
    assert "2 payloads are held back" in watch(energy.database, NOW)[0].line


@pytest.mark.slow
@pytest.mark.parametrize("slug", [slug for slug in WATCHED if dataset_facts()[slug].changes_within])
def test_what_gives_nothing_new_is_seen_where_no_half_hour_says_it(energy: Energy, slug: str) -> None:
    now = datetime.now(UTC)
    energy.refresh(slug)
    asked(energy, now)
    assert slug not in late(watch(energy.database, now))
    energy.query(f"update staging.{slug}_payloads set fetched_at = fetched_at - interval '49 hours'")
    assert late(watch(energy.database, now)) == {slug: "behind"}
    another = "'payload_id', gen_random_uuid(), '_dlt_id', gen_random_uuid(), 'fetched_at', now()"
    energy.query(
        f"insert into staging.{slug}_payloads select (jsonb_populate_record(one, to_jsonb(one) || jsonb_build_object("
        f"{another}, 'request_params', request_params || '{{\"size\": 0}}'))).* "
        f"from staging.{slug}_payloads as one where origin = 'live' and window_end >= fetched_at limit 1"
    )
    assert late(watch(energy.database, now))[slug] == "behind", "an empty one is nothing new"


def test_the_command_ends_with_1_whether_or_not_an_alert_is_sent(energy: Energy, webhook: Webhook) -> None:
    asked(energy, NOW - timedelta(hours=2))
    silent = run("flows.watch", ALERT_WEBHOOK_URL="")
    assert webhook.received == []
    received = run("flows.watch")
    assert silent.returncode == received.returncode == 1
    assert silent.stdout.count("LATE ") == received.stdout.count("LATE ") == len(WATCHED)
    assert sorted(webhook.states()) == sorted(("open", "stopped", source) for source in CADENCES), "one per source"
    assert all(body["text"].startswith("ALERT energy-data-pipeline, stopped") for body in webhook.received)
    assert SECRET not in silent.stdout + silent.stderr + received.stdout + received.stderr


@pytest.mark.slow
def test_a_day_without_an_upstream_is_one_alert_and_one_all_clear(energy: Energy, webhook: Webhook) -> None:
    answered = NOW - timedelta(days=1)
    asked(energy, answered)
    alerted_at = None
    for half_hours in range(1, 48):
        at = answered + half_hours * timedelta(minutes=30)
        asked(energy, at, dead="elexon")
        for look in (MINUTE, 6 * MINUTE):
            found = watch(energy.database, at + look)
            assert set(late(found).values()) <= {"upstream"}
            alerted_at = alerted_at or (at + look if webhook.received else None)
    assert sorted(late(found)) == [slug for slug in WATCHED if slug.startswith("elexon")]
    assert webhook.states() == [("open", "upstream", "elexon")]
    patience = UNANSWERED_AFTER + CADENCES["elexon"]
    assert alerted_at and patience < alerted_at - answered <= patience + timedelta(minutes=30)
    asked(energy, NOW)
    for look in range(3):
        assert watch(energy.database, NOW + look * MINUTE) == []
    assert webhook.states() == [("open", "upstream", "elexon"), ("closed", "upstream", "elexon")]
    assert webhook.received[1]["text"].startswith("ALL CLEAR")


def test_an_upstream_that_is_down_is_not_all_clear_because_a_run_is_late(energy: Energy, webhook: Webhook) -> None:
    asked(energy, NOW - timedelta(hours=5))
    asked(energy, NOW, dead="elexon")
    watch(energy.database, NOW + MINUTE)
    assert webhook.states() == [("open", "upstream", "elexon")]
    watch(energy.database, NOW + CADENCES["elexon"] + GRACE + MINUTE)
    assert ("closed", "upstream", "elexon") not in webhook.states(), "it has not answered"


@pytest.mark.parametrize("failure", ["500", "refused"])
def test_a_webhook_that_fails_is_called_again_by_the_next_watch_once(
    energy: Energy, webhook: Webhook, failure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(energy, NOW - timedelta(hours=5), datasets=["beckn__catalogue"])
    asked(energy, NOW, dead="beckn")
    if failure == "refused":
        energy.set(ALERT_WEBHOOK_URL=f"http://127.0.0.1:9/hooks/{SECRET}")
    webhook.status = 500
    for _ in range(2):
        assert list(late(watch(energy.database, NOW)).values()) == ["upstream"]
    assert (webhook.received, webhook.refused) == ([], 0 if failure == "refused" else 2)
    said = "".join(capsys.readouterr())
    assert said.count("ALERT_WEBHOOK_URL could not be reached") == 2
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
    assert len(webhook.received) == 2 * len(CADENCES)
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


def test_a_prefect_server_that_is_away_stops_no_alert(energy: Energy, webhook: Webhook) -> None:
    running(energy, prefect_flow_run_id=uuid.uuid4())
    asked(energy, NOW - timedelta(hours=2))
    done = run("flows.watch", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert len(webhook.received) == len(CADENCES)
    assert (done.returncode, done.stdout.count("LATE ")) == (1, len(WATCHED))
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_was_made_up_is_no_answer(energy: Energy, webhook: Webhook) -> None:
    now = datetime.now(UTC)  # the tests of this module may have begun an hour ago
    asked(energy, now - timedelta(hours=4))
    asked(energy, now)
    energy.query("delete from ops.fetches where dataset = 'carbon_intensity__national' and fetched_at = %s", now)
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


@pytest.mark.slow
def test_an_answer_that_is_not_published_is_said_with_its_dataset_and_since_when(
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
    assert f"payloads are pending since {hour_ago:%Y-%m-%d %H:%M}Z, 60 minutes ago" in trouble.line
    assert ("open", "unpublished", "elexon__system_prices") in webhook.states()
    energy.refresh("carbon_intensity", "elexon")
    assert watch(energy.database, now) == []
    assert ("closed", "unpublished", "elexon__system_prices") in webhook.states()


@pytest.mark.slow
def test_what_was_never_published_is_said_with_its_table_and_since_when(energy: Energy, webhook: Webhook) -> None:
    """Of half-hours, of events and of a snapshot: their payloads landed, and dbt has built nothing of them."""
    never = {
        "carbon_intensity__generation": "generation_mix_national",
        "neso__eac_results": "flexibility_prices",
        "beckn__catalogue": "grid_zones",
    }
    now = datetime.now(UTC)
    with session("refresh", {}) as this:
        land(this, [Request(DATASETS[slug], window) for slug in never if (window := DATASETS[slug].refreshes(now))])
    energy.query("drop view intermediate.pending_payloads cascade")
    for table in never.values():
        energy.query(f"drop table {table} cascade")
    asked(energy, now)
    assert not [trouble for trouble in watch(energy.database, now) if trouble.subject in never], "not within a cadence"
    later = now + timedelta(hours=3)
    asked(energy, later)
    found = {trouble.subject: trouble for trouble in watch(energy.database, later)}
    for slug, table in never.items():
        first = energy.value(f"select min(fetched_at) from staging.{slug}_payloads")
        words = f"nothing has been published to {table} since its first payload landed {first:%Y-%m-%d %H:%M}Z"
        assert (found[slug].kind, words in found[slug].line) == ("unpublished", True), found[slug].line
        assert ("open", "unpublished", slug) in webhook.states()


@pytest.mark.slow
def test_a_table_that_falls_behind_its_cadence_is_said_with_its_newest_real_half_hour(energy: Energy) -> None:
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


@pytest.mark.slow
def test_upstream_last_heard_is_when_it_last_gave_a_real_answer_for_the_present(energy: Energy) -> None:
    energy.refresh("carbon_intensity__national")
    energy.query("update ops.fetches set fetched_at = fetched_at - interval '3 hours'")
    energy.backfill("2024-01-01", "2024-01-01", "carbon_intensity__national")
    energy.unplug()
    energy.refresh("carbon_intensity__national")
    (line,) = [line for line in energy.output.splitlines() if line.startswith("│ carbon_intensity_national ")]
    assert "3 hours ago" in line
