"""`python -m flows.watch`: is everything still going? For cron or a systemd timer, outside of any scheduler.

Ends runs whose process died, prints a line for each dataset that is later than its cadence allows, alerts ALERT_WEBHOOK_URL
once when an incident begins and once when it ends, and exits 1 while there is one.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import psycopg

from flows import clocks
from flows.cadence import CADENCES, GRACE, UNANSWERED_AFTER
from flows.dataset_facts import dataset_facts
from flows.prefect_api import current_api
from flows.publication import LOOKS_BACK, heard_from, last_change, never_published, newest_real, waiting_since
from flows.settings import FlowSettings
from flows.stale_runs import sweep
from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from warehouse import command
from warehouse.counts import ago, count, duration
from warehouse.database import Database, Role
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve

WEBHOOK_SECONDS = 10
_ASKED = """
select dataset, max(fetched_at)
from ops.fetches
where dataset = any(%s) and window_end >= fetched_at
group by dataset
"""
_HELD = """
select dataset, count(*), min(validated_at), min(reason) from ops.payload_verdicts as held
where verdict = 'held' and (
    validated_at > now() - interval '1 day'
    or not exists (
        select from ops.payload_verdicts as later
        where later.dataset = held.dataset and later.verdict = 'passed' and later.validated_at > held.validated_at
    )
)
group by dataset
order by dataset
"""


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong now. One incident per kind and subject, however many datasets it strikes."""

    kind: str  # stopped | upstream | held | unpublished | behind | clock
    subject: str
    line: str


def troubles(connection: psycopg.Connection, tables: psycopg.Connection, now: datetime) -> Iterator[Trouble]:
    """What is wrong now, one line per dataset. `tables` is a connection that may read clean tables.

    Only answers for the present count: a backfill, a failed request or a synthetic value is no sign of life.
    """
    watched = {slug: dataset for slug, dataset in DATASETS.items() if dataset.refreshes(now) is not None}
    asked_at: dict[str, datetime] = dict(connection.execute(_ASKED, [list(watched)]).fetchall())
    answered_at = heard_from(connection, list(watched))
    if latest := clocks.ahead(tables):
        words = "which has not been: a clock was ahead. The next refresh sets them back"
        line = f"payloads bear times up to {latest:%Y-%m-%d %H:%M}Z, {words}"
        yield Trouble("clock", "database", line)
    for slug, dataset in watched.items():
        cadence = CADENCES[dataset.source]
        # a time that has not been tells nothing of when it was
        asked, answered = (
            None if at is None or at > now + clocks.TOLERATED else at
            for at in (asked_at.get(slug), answered_at.get(slug))
        )
        if asked is None or now - asked > cadence + GRACE:
            line = f"{slug}: last requested {ago(asked, now)}; it should be every {duration(cadence)}"
            yield Trouble("stopped", dataset.source, line)
        elif answered is None or now - answered > cadence + UNANSWERED_AFTER:
            line = f"{slug}: requested {ago(asked, now)}, but its last response is {ago(answered, now)}"
            yield Trouble("upstream", dataset.source, line)
        elif trouble := _unpublished(tables, dataset, now):
            yield trouble
    for slug, held, since, reason in connection.execute(_HELD).fetchall():
        words = f"{count(held, 'payload')} {'is' if held == 1 else 'are'} held back by the quality gate"
        line = f"{slug}: {words}, since {since:%Y-%m-%d %H:%M}Z, {ago(since, now)}: {reason}"
        yield Trouble("held", slug, line)


def _unpublished(tables: psycopg.Connection, dataset: Dataset, now: datetime) -> Trouble | None:
    """What is wrong with the publication of a dataset whose upstream answers."""
    cadence = CADENCES[dataset.source]
    never = never_published(tables, dataset)
    if never and now - never[1] > cadence + GRACE:
        table, landed = never
        words = f"nothing has been published to {table} since its first payload landed"
        return Trouble(
            "unpublished", dataset.slug, f"{dataset.slug}: {words} {landed:%Y-%m-%d %H:%M}Z, {ago(landed, now)}"
        )
    since = waiting_since(tables, dataset)
    if since and now - since > cadence + GRACE:
        line = f"{dataset.slug}: payloads are pending since {since:%Y-%m-%d %H:%M}Z, {ago(since, now)}"
        return Trouble("unpublished", dataset.slug, line)
    facts = dataset_facts()[dataset.slug]
    within = facts.changes_within
    changed = last_change(tables, dataset, now - within - LOOKS_BACK) if within else None
    if changed and within and now - changed > within:
        words = f"its responses have held nothing new since {changed:%Y-%m-%d %H:%M}Z, {ago(changed, now)}"
        return Trouble("behind", dataset.slug, f"{dataset.slug}: {words}; that is usual for {duration(within)} at most")
    looks = [(facts.published_value, dataset.lag + cadence + UNANSWERED_AFTER)]
    looks += [(facts.measured, timedelta(hours=facts.measured_within_hours))] if facts.measured else []
    for column, at_most in looks:
        newest = newest_real(tables, dataset, now, column)
        if newest and now - newest.at > at_most:
            where = f"{column} in {dataset.clean_tables[0]}"
            words = (
                f"the newest real half-hour with {where} ended" if newest.is_seen else f"there is no real {where} since"
            )
            at = f"at {newest.at:%Y-%m-%d %H:%M}Z" if newest.is_seen else f"{newest.at:%Y-%m-%d %H:%M}Z"
            return Trouble("behind", dataset.slug, f"{dataset.slug}: {words} {at}, {ago(newest.at, now)}")
    return None


def keep_incidents(connection: psycopg.Connection, found: Sequence[Trouble]) -> None:
    """Open an incident for what is new, close those that are over."""
    wrong = {(trouble.kind, trouble.subject): trouble.line for trouble in found}
    for (kind, subject), line in wrong.items():
        connection.execute(
            "insert into ops.incidents (kind, subject, message) values (%s, %s, %s) "
            "on conflict (kind, subject) where closed_at is null do nothing",
            [kind, subject, line],
        )
    for incident_id, kind, subject in connection.execute(
        "select incident_id, kind, subject from ops.incidents where closed_at is null"
    ).fetchall():
        # an upstream that nobody asks is not known to answer again
        if (kind, subject) not in wrong and not (kind == "upstream" and ("stopped", subject) in wrong):
            connection.execute(
                "update ops.incidents set closed_at = clock_timestamp() where incident_id = %s", [incident_id]
            )


def send_alerts(connection: psycopg.Connection, webhook: str) -> None:
    """Send what has not been sent: one message when an incident begins, one when it is over. Tries again at the next watch."""
    rows = connection.execute(
        "select incident_id, kind, subject, message, opened_at, closed_at, opening_sent_at is not null "
        "from ops.incidents where opening_sent_at is null or (closed_at is not null and closing_sent_at is null) "
        "order by incident_id for update skip locked"
    ).fetchall()
    for incident_id, kind, subject, message, opened_at, closed_at, is_sent in rows:
        states = [*(["open"] if not is_sent else []), *(["closed"] if closed_at else [])]
        for state in states:
            words = f"{'ALERT' if state == 'open' else 'ALL CLEAR'} energy-data-pipeline, {kind} {subject}: {message}"
            body = {"text": words, "state": state, "kind": kind, "subject": subject, "since": opened_at.isoformat()}
            try:
                httpx.post(webhook, json=body, timeout=WEBHOOK_SECONDS).raise_for_status()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                out(
                    f"ALERT_WEBHOOK_URL could not be reached ({type(error).__name__}); the next watch tries again",
                    file=sys.stderr,
                )
                return
            column = "opening_sent_at" if state == "open" else "closing_sent_at"
            connection.execute(
                f"update ops.incidents set {column} = clock_timestamp() where incident_id = %s", [incident_id]
            )


def watch(database: Database, now: datetime) -> list[Trouble]:
    """One look: sweep, look, keep, alert."""
    settings = FlowSettings()
    for run in sweep(database, current_api()):
        out(f"{run.summary} Run it again to go on.")
    with (
        database.connect(role=Role.LOADER, name="energy-watch") as connection,
        database.connect(role=Role.TRANSFORMER, name="energy-watch") as tables,
    ):
        found = list(troubles(connection, tables, now))
        keep_incidents(connection, found)
        if settings.alert_webhook_url:
            with connection.transaction():
                send_alerts(connection, settings.alert_webhook_url.get_secret_value())
    return found


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(prog="python -m flows.watch", description=__doc__).parse_args()

    def run() -> bool:
        database = resolve()
        prepare(database)
        found = watch(database, datetime.now(UTC))
        for trouble in found:
            out(f"HELD {trouble.line}" if trouble.kind == "held" else f"LATE {trouble.line}")
        if not found:
            out("Every dataset that is watched is as it should be.")
        return not found

    command.run(run)


if __name__ == "__main__":
    main()
