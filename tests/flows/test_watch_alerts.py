"""`watch` over a webhook: one alert, one all-clear, whatever fails on the way."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.cadence import CADENCES, GRACE, UNANSWERED_AFTER
from flows.watch import watch
from tests.commands import run
from tests.energy import Energy
from tests.flows.watching import MINUTE, NOW, SECRET, WATCHED, Webhook, asked, late


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
