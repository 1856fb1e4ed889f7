"""The statement: it reads the columns that are named and nothing else, and as many pages as it takes."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pipelines.dataset import Dataset, FetchRequest
from pipelines.neso import DATASETS
from pipelines.neso.ckan import select
from pipelines.neso.n2ex_day_ahead import N2EX
from tests.pipelines.neso import bodies
from tests.pipelines.neso.portal import Portal, Result
from warehouse.database import Database
from warehouse.periods import settlement_day, settlement_days

TRUE = sql.SQL("true")
SYSTEM = {"_id", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
CHARACTERS = st.sampled_from("\"'\\;%{}-$ ") | st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS)
NAMES = st.text(CHARACTERS, min_size=1, max_size=63).filter(lambda name: len(name.encode()) < 64 and name not in SYSTEM)
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
CONDITION = r"true|\? BETWEEN \? AND \?|\? >= \? AND \? < \?|\? = \d{8}"
STATEMENT = re.compile(rf"SELECT \?(, \?)* FROM \? WHERE ({CONDITION}) ORDER BY \?")
DAY = settlement_days(date(2024, 1, 1), date(2024, 1, 1))
HOURS = [{**bodies.N2EX, "Delivery Period": f"{hour:02}:00 - {(hour + 1) % 24:02}:00"} for hour in range(24)]


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    with database.connect() as connection:
        yield connection


@given(names=st.lists(NAMES, min_size=2, max_size=4, unique=True), table=NAMES, text=TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_and_values_are_always_quoted(
    connection: psycopg.Connection, names: list[str], table: str, text: str
) -> None:
    wanted, *others = names
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
    create, insert = "create temporary table {} (_id serial, {})", "insert into {} values (default, {})"
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL(create).format(sql.Identifier(table), columns))
        for mark in (text, f"{text}x"):
            values = sql.SQL(", ").join(map(sql.Literal, (mark, *others)))
            connection.execute(sql.SQL(insert).format(sql.Identifier(table), values))
        only_first = sql.SQL("{} = {}").format(sql.Identifier(wanted), sql.Literal(text))
        for where, found in ((only_first, [(text,)]), (TRUE, [(text,), (f"{text}x",)])):
            cursor = connection.execute(select(table, (wanted,), where).encode())
            assert [column.name for column in cursor.description or []] == [wanted]
            assert cursor.fetchall() == found


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_nothing_in_a_statement_is_unquoted_but_its_own_words(dataset: Dataset) -> None:
    tomorrow = settlement_day(datetime.now(UTC)) + timedelta(days=1)
    windows = [DAY, settlement_days(date(2024, 3, 31), date(2025, 10, 26)), settlement_days(tomorrow, tomorrow)]
    with Portal() as portal:
        for window in windows:
            dataset.fetch(FetchRequest(portal.client(), window))
    assert len(portal.statements) == len(windows)
    for statement in portal.statements:
        assert STATEMENT.fullmatch(QUOTED.sub("?", statement)), statement


def pages(size: int, records: list[dict[str, object]]) -> Callable[[str], Result]:
    """Answers with a page, and tells that it has been cut."""

    def answer(statement: str) -> Result:
        offset = int((re.findall(r" OFFSET (\d+)$", statement) or ["0"])[0])
        page = records[offset : offset + size]
        return {"records": page, "records_truncated": offset + size < len(records)}

    return answer


@given(size=st.integers(1, 25), total=st.integers(0, 24))
@settings(max_examples=25)
def test_pages_are_fetched_until_none_is_cut(size: int, total: int) -> None:
    with Portal(pages(size, HOURS[:total])) as portal:
        answers = N2EX.fetch(FetchRequest(portal.client(), DAY)).responses
    assert len(answers) == len(portal.statements) == max(1, -(-total // size))
    assert [row for one in answers for row in json.loads(one.body)["result"]["records"]] == HOURS[:total]
    assert all(len(N2EX.validate(one.body).complete) for one in answers if total)
    assert all('ORDER BY "_id"' in statement for statement in portal.statements)


def test_a_page_that_fails_is_said_with_those_before_it() -> None:
    two = pages(12, HOURS)
    with Portal(lambda statement: None if "OFFSET" in statement else two(statement)) as portal:
        first, second = N2EX.fetch(FetchRequest(portal.client(), DAY)).responses
    assert first.failure is None
    assert "HTTP 500" in (second.failure or "")


def test_an_empty_page_that_says_there_are_more_is_the_last() -> None:
    with Portal(lambda statement: {"records": [], "records_truncated": True}) as portal:
        assert len(N2EX.fetch(FetchRequest(portal.client(), DAY)).responses) == 1


def test_the_offset_is_part_of_the_statement() -> None:
    assert select("r", ("a",), TRUE, 32000) == 'SELECT "a" FROM "r" WHERE true ORDER BY "_id" OFFSET 32000'
