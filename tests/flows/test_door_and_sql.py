"""The door and SQL agree: what is let in can be unpacked and written, whatever value an upstream puts in whatever field."""

import re
import uuid
from collections import Counter
from datetime import UTC, datetime

import psycopg
import pytest

from flows.session import session
from flows.steps import publish, unpack, validate_landed
from pipelines.catalogue import DATASETS, SOURCES
from tests.conftest import RECORDED_DIR
from tests.dbt_project.written import Table, tables
from tests.emulator import Emulator
from tests.energy import Energy
from tests.pipelines.hostile import VALUES, Sample, samples
from tests.pipelines.recorded_bodies import recorded_samples
from warehouse.periods import HALF_HOUR, Window, floor
from warehouse.relations import payload_rows

NOW = datetime.now(UTC)
AT_ONCE = 100
"""Payloads that are written together."""


def land(energy: Energy, sample: Sample, bodies: dict[str, bytes]) -> dict[uuid.UUID, str]:
    """Put these bodies where they land; returns what each is named by."""
    names = {uuid.uuid4(): name for name in bodies}
    with energy.database.connect() as connection, connection.cursor() as cursor, connection.transaction():
        cursor.executemany(
            f"insert into staging.{sample.dataset.payload_table} (payload_id, payload, origin, request_url, request_params, "
            "window_start, window_end, fetched_at, body_bytes, run_id, _dlt_load_id, _dlt_id) "
            "values (%s, %s, 'live', '', '{}', %s, %s, %s, 1, %s, '', %s)",
            [
                [
                    payload_id,
                    bodies[name].decode(),
                    sample.window.start,
                    sample.window.end,
                    NOW,
                    payload_id,
                    str(payload_id),
                ]
                for payload_id, name in names.items()
            ],
        )
    return names


def refused(table: Table, energy: Energy, names: dict[uuid.UUID, str]) -> tuple[int, dict[str, str]]:
    """How many rows a table takes, and the payloads whose rows it does not take, each with the error."""
    rows = 0

    def search(ids: list[uuid.UUID]) -> dict[str, str]:
        nonlocal rows
        try:
            rows += table.write(energy, ids)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(ids) == 1:
                return {names[ids[0]]: f"{table.name}: {str(error).splitlines()[0]}"}
            return search(ids[: len(ids) // 2]) | search(ids[len(ids) // 2 :])
        return {}

    ids = list(names)
    found: dict[str, str] = {}
    for first in range(0, len(ids), AT_ONCE):  # a table that compares responses with each other takes long over many
        found |= search(ids[first : first + AT_ONCE])
    return rows, found


@pytest.mark.slow
def test_what_the_door_lets_in_can_be_unpacked_and_written(energy: Energy, emulator: Emulator) -> None:
    """Each value through the SQL of every table that it may reach, with all that the table's contract demands of a row."""
    failed: dict[str, dict[str, str]] = {}
    written: Counter[str] = Counter()
    consumers = tables(energy)
    assert set(consumers) == set(DATASETS)
    recorded = recorded_samples(RECORDED_DIR) if RECORDED_DIR else []
    assert not RECORDED_DIR or {sample.dataset.source for sample in recorded} == set(SOURCES)
    for sample in [*samples(emulator), *recorded]:
        slug = sample.dataset.slug
        bodies: dict[str, bytes] = {}
        for path in sample.paths():
            made = {number: sample.mutated(path, value) for number, value in enumerate(VALUES)}
            admitted = {number: body for number, body in made.items() if sample.is_admitted(body)}
            # what the door lets in whatever it is, nobody reads, or only SQL does: then any text shows it
            step = 4 if len(admitted) == len(made) else 1
            bodies |= {
                f"{path} = {VALUES[number]!r} #{number}": body for number, body in list(admitted.items())[::step]
            }
        assert bodies, slug
        names = land(energy, sample, bodies)
        with session("refresh", {}) as this:
            this.run.record_verdicts(slug, list(names), held_because=None)
        for table in consumers[slug]:
            rows, wrong = refused(table, energy, names)
            written[slug] += rows
            failed.setdefault(slug, {}).update(wrong)
    assert all(written[slug] > 20 for slug in DATASETS), written
    assert not any(failed.values()), "\n".join(
        f"{slug}: {what}: {error}" for slug, all_ in failed.items() for what, error in all_.items()
    )


def test_every_field_that_sql_reads_is_tried(energy: Energy, emulator: Emulator) -> None:
    """By the definition of each staging view: a field that a model begins to read is mutated, or this fails."""
    tried: dict[str, set[object]] = {}
    for sample in samples(emulator):
        tried.setdefault(sample.dataset.slug, set()).update(step for path in sample.paths() for step in path)
    for slug in DATASETS:
        definition = energy.value("select pg_get_viewdef(%s::regclass, true)", payload_rows(slug))
        of_requests = set(re.findall(r"request_params ->> '([^']+)'::text", definition))
        read = set(re.findall(r"->>? '([^']+)'::text", definition)) - of_requests
        assert read and read <= tried[slug], (slug, read - tried[slug])


OTHERS = "carbon_intensity__national", "elexon__market_index", "elexon__system_prices"
GOOD, BAD = "2026-11-09T10:00Z", "2026-02-30T10:00Z"
# payloads as an older door, or none, let them in: what SQL cannot read, and what a table does not take
UNREADABLE = {
    "carbon_intensity__national": '{{"data": [{{"from": "{0}", "to": "{0}", "intensity": {{"forecast": 5, "actual": 5}}}}]}}',
    "elexon__market_index": '{{"data": [{{"startTime": "{0}", "dataProvider": "APXMIDP", "price": 5, "volume": 5}}]}}',
    "neso__n2ex_day_ahead": '{{"result": {{"records": [{{"Date": "{0}", "Delivery Period": "1", "Price": 5}}]}}}}',
    "neso__dfs_utilisation": '{{"result": {{"records": [{{"Delivery Date": "{0}", "From_UTC": "", "To_UTC": ""}}]}}}}',
}
UNWRITABLE = {  # a half-hour that lasts for nothing
    "carbon_intensity__national": '{"data": [{"from": "2026-11-09T10:00Z", "to": "2026-11-09T10:00Z", "intensity": {}}]}',
}


def slip_in(energy: Energy, dataset: str, body: str) -> None:
    """Land a body past the door."""
    sample = Sample(DATASETS[dataset], Window(floor(NOW), floor(NOW) + HALF_HOUR), None)
    land(energy, sample, {"": body.encode()})


@pytest.mark.slow
def test_payloads_that_cannot_be_unpacked_are_held_and_everything_else_is_published(energy: Energy) -> None:
    for dataset, body in UNREADABLE.items():
        slip_in(energy, dataset, body.format(BAD))
    outcome = energy.refresh(*OTHERS)
    held = sorted(failure.split(" is held back: it cannot be unpacked: ")[0] for failure in outcome["failures"])
    assert held == sorted(UNREADABLE), "exit code 1, and nothing else went wrong"
    assert energy.value("select count(*) from carbon_intensity_national where not is_synthetic") > 90
    assert energy.value("select count(distinct market) from wholesale_prices where not is_synthetic") == 2
    reasons = dict(energy.query("select dataset, reason from ops.payload_verdicts where verdict = 'held'"))
    assert sorted(reasons) == held and all(
        "invalid" in reason or "out of range" in reason for reason in reasons.values()
    )
    assert not energy.refresh(*OTHERS)["failures"], "the next run does not fail alike"


@pytest.mark.slow
@pytest.mark.parametrize("is_first", [False, True])
def test_a_payload_that_a_table_refuses_is_held_and_everything_else_is_published(
    energy: Energy, is_first: bool
) -> None:
    ((dataset, body),) = UNWRITABLE.items()
    if is_first:
        energy.query("drop table carbon_intensity_national cascade")
    slip_in(energy, dataset, body)
    outcome = energy.refresh(*OTHERS)
    assert len(outcome["failures"]) == 1
    assert outcome["failures"][0].startswith(f"{dataset} is held back: carbon_intensity_national cannot take it: ")
    assert energy.value("select count(*) from carbon_intensity_national where not is_synthetic") > 90
    assert energy.value("select count(*) from wholesale_prices where not is_synthetic") > 90
    assert energy.value("select count(*) from ops.payload_verdicts where verdict = 'held'") == 1
    assert not energy.refresh(*OTHERS)["failures"], "the next run does not fail alike"


@pytest.mark.slow
def test_no_payload_is_held_for_what_is_not_its_fault(energy: Energy) -> None:
    energy.query("alter table carbon_intensity_national add column unknown integer")
    outcome = energy.refresh(*OTHERS)
    assert any("carbon_intensity_national" in failure for failure in outcome["failures"])
    assert energy.value("select count(*) from ops.payload_verdicts where verdict = 'held'") == 0
    energy.query("alter table carbon_intensity_national drop column unknown")
    assert not energy.refresh(*OTHERS)["failures"]
    assert energy.value("select count(*) from carbon_intensity_national where not is_synthetic") > 90


@pytest.mark.slow
def test_a_payload_that_cannot_be_validated_is_held_and_the_others_of_its_dataset_are_published(energy: Energy) -> None:
    """As a value would that PostgreSQL stores and cannot compare: reading the rows of one payload divides by zero."""
    slug = "elexon__market_index"
    good, bad = (floor(NOW) - n * HALF_HOUR for n in (4, 5))
    for start in (good, bad):
        slip_in(energy, slug, UNREADABLE[slug].format(f"{start:%Y-%m-%dT%H:%MZ}"))
    rows = f"intermediate.stg_{slug}__pending"
    with session("refresh", {}) as this:
        unpack(this, [slug])
        energy.query(f"alter table {rows} enable row level security")
        energy.query(f"alter table {rows} force row level security")
        fails = f"1 / (case when period_start = '{bad.isoformat()}' then 0 else 1 end) = 1"
        energy.query(f"create policy fails on {rows} using ({fails})")
        published = validate_landed(this, [slug])
        assert published.not_built == {}
        assert published.held == {slug: "it cannot be validated: division by zero"}
        outcome = publish(this)
        assert not outcome.failures, "the next publication does not fail alike"
    assert energy.query("select period_start from wholesale_prices") == [(good,)]
    (verdict,) = energy.query("select dataset, reason from ops.payload_verdicts where verdict = 'held'")
    assert verdict == (slug, "it cannot be validated: division by zero")
