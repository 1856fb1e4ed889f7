"""Landing: the same body once, a changed one beside it, and nothing that PostgreSQL cannot hold."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from pipelines.catalogue import DATASETS
from pipelines.landing import Landing
from pipelines.payload import Payload, Rejected
from warehouse.database import Database
from warehouse.periods import HALF_HOUR, Window

NATIONAL = DATASETS["carbon_intensity__national"]
WINDOW = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC) + HALF_HOUR)


def payload(body: bytes, origin: str = "live") -> Payload:
    return Payload(
        dataset=NATIONAL,
        origin=origin,  # type: ignore[arg-type]
        body=body,
        window=WINDOW,
        request_url="http://upstream/intensity",
        request_params={},
        http_status=200,
        fetched_at=datetime.now(UTC),
    )


@pytest.fixture
def landing(database: Database, tmp_path: Path):
    with Landing(database, run_id=uuid.uuid4(), work_dir=tmp_path) as landing:
        yield landing


def count(database: Database, table: str = NATIONAL.payload_table) -> int:
    with database.connect() as connection:
        return connection.execute(f"select count(*) from staging.{table}").fetchone()[0]


def test_a_row_says_where_it_came_from(landing: Landing, database: Database) -> None:
    one = payload(b'{"data": [1.10, "\xc2\xa3"]}')
    landing.load([one], [])
    with database.connect() as connection:
        row = connection.execute(
            "select payload_id, payload, origin, request_url, window_start, window_end, fetched_at, http_status, body_bytes, "
            f"_dlt_load_id is not null, _dlt_id is not null from staging.{NATIONAL.payload_table}"
        ).fetchone()
    assert row == (
        one.payload_id, {"data": [1.1, "£"]}, "live", one.request_url, WINDOW.start, WINDOW.end, one.fetched_at, 200,
        len(one.body), True, True,
    )  # fmt: skip


def test_the_same_body_lands_once_and_a_changed_one_beside_it(landing: Landing, database: Database) -> None:
    assert len(landing.load([payload(b'{"data":[]}')], []).added) == 1
    again = landing.load([payload(b'{"data":[]}'), payload(b'{"data":[1]}')], [])
    assert (len(again.added), len(again.known)) == (1, 1)
    assert count(database) == 2


@pytest.mark.slow
def test_a_body_that_comes_back_after_another_is_a_new_vintage(landing: Landing, database: Database) -> None:
    first, other = b'{"data":[]}', b'{"data":[1]}'
    for body, lands in ((first, 1), (other, 1), (first, 1), (first, 0), (other, 1), (other, 0)):
        landed = landing.load([payload(body)], [])
        assert (len(landed.added), len(landed.known)) == (lands, 1 - lands)
    with database.connect() as connection:
        rows = connection.execute(
            f"select payload -> 'data' from staging.{NATIONAL.payload_table} order by fetched_at"
        ).fetchall()
    assert rows == [([],), ([1],), ([],), ([1],)]


def test_the_same_body_synthetic_and_live_are_two(landing: Landing, database: Database) -> None:
    landing.load([payload(b'{"data":[]}', "synthetic"), payload(b'{"data":[]}')], [])
    assert count(database) == 2


def speak(database: Database, language: str, of_nothing: str) -> None:
    """Have the server speak a language; skips the test if what it says of a division by zero is in another one."""
    with database.connect() as connection:
        try:
            connection.execute(f"alter database {database.name} set lc_messages = '{language}'")
        except psycopg.Error:
            pytest.skip(f"this server does not know {language}")
    with database.connect() as connection, pytest.raises(psycopg.errors.DivisionByZero) as refusal:
        connection.execute("select 1 / 0")
    said = refusal.value.diag.message_primary
    if said != of_nothing:
        pytest.skip(f"this server has no messages in {language}: it says {said!r}")


@pytest.mark.slow
@pytest.mark.parametrize(("language", "of_nothing"), [("C", "division by zero"), ("de_DE.utf8", "Division durch Null")])
def test_what_postgresql_refuses_is_set_aside_and_the_rest_lands(
    landing: Landing, database: Database, language: str, of_nothing: str
) -> None:
    speak(database, language, of_nothing)
    bad = [b'{"data": "\\u0000"}', b'{"data": 1e999999}', b'{"data": NaN}', b'{"data": "\\ud800"}']
    landed = landing.load([payload(b'{"data":[1]}'), *map(payload, bad), payload(b'{"data":[2]}')], [])
    assert (len(landed.added), len(landed.refused)) == (2, 4)
    assert count(database) == 2
    assert count(database, "rejected_payloads") == 4
    assert len(landing.load([payload(b'{"data":[3]}')], []).added) == 1, "the next load is not troubled by it"


def test_a_rejected_body_is_kept_whatever_its_bytes(landing: Landing, database: Database) -> None:
    rejected = Rejected(
        dataset=NATIONAL, reason="is HTML", body=b"<p>\x00\xff\xc2\xa3", window=WINDOW, request_url="u", http_status=200,
        fetched_at=datetime.now(UTC),
    )  # fmt: skip
    landing.load([], [rejected])
    landing.load([], [rejected])
    with database.connect() as connection:
        assert connection.execute(
            "select body, reason, dataset, body_bytes from staging.rejected_payloads"
        ).fetchall() == [("<p>\\x00\\xff£", "is HTML", NATIONAL.slug, 7)]
