"""`watch`: what has stopped raises one alert, within a cadence, and one all-clear; nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.cadence import CADENCES, GRACE
from flows.dataset_facts import dataset_facts
from flows.session import session
from flows.steps import land
from flows.watch import watch
from pipelines.catalogue import DATASETS
from pipelines.collect import Request
from tests.commands import run
from tests.energy import Energy
from tests.flows.watching import MINUTE, NOW, WATCHED, Webhook, asked, late


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
