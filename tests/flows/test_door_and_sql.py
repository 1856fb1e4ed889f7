"""The door and SQL agree: what is let in can be unpacked and written, whatever value an upstream puts in whatever field."""

import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from flows.dbt_runner import Dbt
from pipelines.catalogue import DATASETS
from pipelines.periods import HALF_HOUR, Window, floor
from tests.conftest import Energy
from tests.emulator import Emulator
from tests.pipelines.hostile import VALUES, Sample, samples
from warehouse.database import Role

NOW = datetime.now(UTC)


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


def unreadable(energy: Energy, dataset: str, select: str, names: dict[uuid.UUID, str]) -> dict[str, str]:
    """The payloads that a query over the unpacked rows fails on, each with the error."""

    def fails(ids: list[uuid.UUID]) -> str | None:
        try:
            with energy.database.connect(role=Role.TRANSFORMER) as connection:
                connection.execute(
                    f"select count(md5(({select})::text)) from intermediate.int_{dataset}_rows where payload_id = any(%s)",
                    [ids],
                )
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            return str(error).splitlines()[0]
        return None

    def search(ids: list[uuid.UUID]) -> dict[str, str]:
        error = fails(ids)
        if error is None:
            return {}
        if len(ids) == 1:
            return {names[ids[0]]: error}
        return search(ids[: len(ids) // 2]) | search(ids[len(ids) // 2 :])

    return search(list(names))


def casts_to_tables(energy: Energy) -> dict[str, str]:
    """By dataset: its unpacked rows, with each column cast to the types of the columns that it is written to."""
    unpacked: dict[str, set[str]] = {}
    for table, column in energy.query(
        "select table_name, column_name from information_schema.columns where table_schema = 'intermediate'"
    ):
        unpacked.setdefault(table, set()).add(column)
    dbt = Dbt(energy.database, energy.data_dir)
    nodes = list(dbt.parse().result().nodes.values())
    dbt.close()
    found = {}
    for slug in DATASETS:
        columns = [
            column for node in nodes if slug in (node.config.get("publishes") or []) for column in node.columns.values()
        ]
        casts = {
            f"{column.name}::{column.data_type}"
            for column in columns
            if column.name in unpacked[f"int_{slug}_rows"] and column.data_type and not column.data_type.endswith("[]")
        }
        found[slug] = f"row(int_{slug}_rows, {', '.join(sorted(casts))})"
    return found


@pytest.mark.slow
def test_what_the_door_lets_in_can_be_unpacked_and_written(energy: Energy, emulator: Emulator) -> None:
    failed: dict[str, dict[str, str]] = {}
    casts = casts_to_tables(energy)
    for sample in samples(emulator):
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
        wrong = unreadable(energy, slug, casts[slug], land(energy, sample, bodies))
        if wrong:
            failed[slug] = wrong
    assert not failed, "\n".join(
        f"{slug}: {what}: {error}" for slug, all_ in failed.items() for what, error in all_.items()
    )


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


def test_no_payload_is_held_for_what_is_not_its_fault(energy: Energy) -> None:
    energy.query("alter table carbon_intensity_national add column unknown integer")
    outcome = energy.refresh(*OTHERS)
    assert any("carbon_intensity_national" in failure for failure in outcome["failures"])
    assert energy.value("select count(*) from ops.payload_verdicts where verdict = 'held'") == 0
    energy.query("alter table carbon_intensity_national drop column unknown")
    assert not energy.refresh(*OTHERS)["failures"]
    assert energy.value("select count(*) from carbon_intensity_national where not is_synthetic") > 90
