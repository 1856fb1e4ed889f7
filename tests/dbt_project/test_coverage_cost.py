"""`data_coverage` reads one fetch per dataset, however many years of them there are."""

import psycopg
import pytest

from warehouse.database import Database

FETCHES = 20_000
FETCHED = """
with run as (insert into ops.runs (run_id, flow) values (gen_random_uuid(), 'refresh') returning run_id)
insert into ops.fetches
    (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at)
select run_id, 'carbon_intensity__national', 'x', at, at + interval '2 days', 'landed', 1, 1, at
from run, generate_series(1, %s) as n, lateral (select now() - n * interval '30 minutes' as at) as one
"""
DAY = """
insert into intermediate.int_data_coverage__days
    (dataset, settlement_date, half_hours_present, half_hours_real, half_hours_synthetic, row_count, row_count_synthetic,
    updated_at)
values ('carbon_intensity_national', current_date - 1, 48, 48, 0, 48, 0, now())
"""
READ = """
select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
from pg_stat_xact_user_tables where schemaname = 'ops' and relname = 'fetches'
"""


@pytest.fixture
def db(database: Database) -> "psycopg.Connection":
    connection = database.connect()
    connection.execute(FETCHED, [FETCHES])
    connection.execute(DAY)
    connection.execute("analyze ops.fetches")
    return connection


def test_a_read_of_the_coverage_does_not_grow_with_the_fetches(db: psycopg.Connection) -> None:
    with db, db.transaction():
        assert db.execute("select * from data_coverage").fetchall()
        (read,) = db.execute(READ).fetchone() or (0,)
    assert read < FETCHES / 100
