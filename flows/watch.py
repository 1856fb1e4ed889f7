"""`python -m flows.watch`: is everything still going? For cron or a systemd timer, outside of any scheduler.

Ends runs whose process died, prints a line for each dataset that is later than its cadence allows, tells ALERT_WEBHOOK_URL
once when an incident begins and once when it ends, and exits 1 while there is one.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psycopg

from flows import clocks, command
from flows.cadence import CADENCES, GRACE, UNANSWERED_AFTER
from flows.dbt_runner import Dbt
from flows.prefect_server import current_api
from flows.publication import heard_from, newest_real, waiting_since
from flows.settings import FlowSettings
from flows.stale_runs import sweep
from pipelines.catalogue import DATASETS
from pipelines.dataset import Dataset
from warehouse.counts import ago, duration
from warehouse.database import Database, Role, resolve
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.settings import WarehouseSettings

WEBHOOK_SECONDS = 10
_ASKED = """
select dataset, max(fetched_at)
from ops.fetches
where dataset = any(%s) and window_end >= fetched_at
group by dataset
"""
_HELD = """
select dataset, count(*), min(reason) from ops.payload_verdicts
where verdict = 'held' and judged_at > now() - interval '1 day'
group by dataset
order by dataset
"""


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong now. One incident a kind and subject, however many datasets it strikes."""

    kind: str  # stopped | upstream | held | unpublished | behind | clock
    subject: str
    line: str


def troubles(
    connection: psycopg.Connection, tables: psycopg.Connection, consumers: Mapping[str, Sequence[str]], now: datetime
) -> Iterator[Trouble]:
    """What is wrong now, a line a dataset. `tables` is a connection that may read clean tables.

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
            line = f"{slug}: last asked for {ago(asked, now)}; it should be every {duration(cadence)}"
            yield Trouble("stopped", dataset.source, line)
        elif answered is None or now - answered > cadence + UNANSWERED_AFTER:
            line = f"{slug}: asked for {ago(asked, now)}, but its last answer is {ago(answered, now)}"
            yield Trouble("upstream", dataset.source, line)
        elif trouble := _unpublished(tables, dataset, consumers.get(slug, ()), now):
            yield trouble
    for slug, count, reason in connection.execute(_HELD).fetchall():
        yield Trouble("held", slug, f"{slug}: {count} payloads are held back by the quality gate: {reason}")


def _unpublished(
    tables: psycopg.Connection, dataset: Dataset, consumers: Sequence[str], now: datetime
) -> Trouble | None:
    """What is wrong with the publication of a dataset whose upstream answers."""
    cadence = CADENCES[dataset.source]
    since = waiting_since(tables, dataset, consumers)
    if since and now - since > cadence + GRACE:
        line = f"{dataset.slug}: answers wait to be published since {since:%Y-%m-%d %H:%M}Z, {ago(since, now)}"
        return Trouble("unpublished", dataset.slug, line)
    newest = newest_real(tables, dataset, now)
    if newest and now - newest > dataset.lag + cadence + UNANSWERED_AFTER:
        words = f"its newest real half-hour in {dataset.clean_tables[0]} ended at {newest:%Y-%m-%d %H:%M}Z or before"
        return Trouble("behind", dataset.slug, f"{dataset.slug}: {words}, {ago(newest, now)}")
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


def tell(connection: psycopg.Connection, webhook: str) -> None:
    """Send what has not been told: one message when an incident begins, one when it is over. Tries again at the next watch."""
    rows = connection.execute(
        "select incident_id, kind, subject, message, opened_at, closed_at, opening_told_at is not null "
        "from ops.incidents where opening_told_at is null or (closed_at is not null and closing_told_at is null) "
        "order by incident_id for update skip locked"
    ).fetchall()
    for incident_id, kind, subject, message, opened_at, closed_at, is_told in rows:
        states = [*(["open"] if not is_told else []), *(["closed"] if closed_at else [])]
        for state in states:
            words = f"{'ALERT' if state == 'open' else 'ALL CLEAR'} energy-data-pipeline, {kind} {subject}: {message}"
            body = {"text": words, "state": state, "kind": kind, "subject": subject, "since": opened_at.isoformat()}
            try:
                httpx.post(webhook, json=body, timeout=WEBHOOK_SECONDS).raise_for_status()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                out(
                    f"ALERT_WEBHOOK_URL could not be told ({type(error).__name__}); the next watch tries again",
                    file=sys.stderr,
                )
                return
            column = "opening_told_at" if state == "open" else "closing_told_at"
            connection.execute(
                f"update ops.incidents set {column} = clock_timestamp() where incident_id = %s", [incident_id]
            )


def watch(database: Database, now: datetime) -> list[Trouble]:
    """One look: sweep, judge, keep, tell."""
    settings = FlowSettings()
    for run in sweep(database, current_api()):
        out(f"{run.told} Run it again to go on.")
    with (
        database.connect(role=Role.LOADER, name="energy-watch") as connection,
        database.connect(role=Role.TRANSFORMER, name="energy-watch") as tables,
    ):
        found = list(troubles(connection, tables, _consumers(database), now))
        keep_incidents(connection, found)
        if settings.alert_webhook_url:
            with connection.transaction():
                tell(connection, settings.alert_webhook_url.get_secret_value())
    return found


def _consumers(database: Database) -> dict[str, list[str]]:
    dbt = Dbt(database, WarehouseSettings().data_dir)
    try:
        return dbt.consumers()
    finally:
        dbt.close()


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
