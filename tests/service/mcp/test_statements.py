"""The outer fence: what is a query, whatever is written around it, and what is refused unsent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.mcp.statements import FUNCTIONS, Refused, checked

ALLOWED = [
    "select * from carbon_intensity_national order by period_start desc limit 5;",
    "with a as (select region_id, avg(forecast_gco2_kwh) as mean from carbon_intensity_regional group by 1) select * from a",
    "table regions",
    "values (1), (2)",
    "select count(*) filter (where is_synthetic), 'a;b -- no /* comment' from wholesale_prices -- the end",
    "select /* a /* nested */ comment */ round(price_gbp_mwh::numeric(9, 2), 1) from wholesale_prices where market in ('a', 'b')",
    "select * from carbon_intensity_as_of(now(), 13::smallint)",
    "select * from best_windows(interval '4 hours', now(), now() + interval '48 hours') limit 5",
    "select rank() over (partition by region_id order by period_start) from carbon_intensity_regional",
    "select * from (select 1 as a) as t (b)",
    "select extract(hour from period_start at time zone 'Europe/London') from carbon_intensity_national",
]
REFUSED = [
    "delete from regions", "insert into regions values (1)", "update regions set name = ''", "truncate regions",
    "drop table regions",
    "with gone as (delete from regions returning *) select * from gone", "select * into copied from regions",
    "copy regions to stdout", "copy (select 1) to program 'id'", "select 1; select 2", "select 1; drop table regions",
    "select pg_sleep(60)", "select pg_catalog.pg_sleep(60)", 'select "pg_sleep"(60)', "select PG_SLEEP /* x */ (60)",
    "select pg_sleep -- x\n (60)", "select 1 -- x\r , pg_sleep(60)", "select E'a'\n'b\\'' , pg_sleep(60) , ''",
    "select $a$ x $$ , $a$ , pg_sleep(60) , $a$ $a$", "select U&\"pg\\005Fsleep\"(60)", "select U&'\\0061'",
    "select pg_read_file('/etc/passwd')", "select lo_import('/etc/passwd')", "select pg_ls_dir('.')",
    "select query_to_xml('select 1', true, true, '')", "select dblink('', '')", "select set_config('role', 'x', false)",
    "select current_setting('data_directory')", "select version()", "select inet_server_addr()",
    "set role energy_loader", "reset role", "select current_user", "select session_user", 'select "user"',
    "select * from app.users", 'select * from "app"."users"', "select * from ops.logins",
    "select * from staging.rejected_payloads",
    "select * from intermediate.published_payloads", "select * from pg_authid", "select * from pg_stat_activity",
    "select * from information_schema.tables", "select 'app.users'::regclass", "select 1::oid::regrole::text",
    "select 1) as asked) as bounded; drop table regions --", "select 1) as a union (select 2", "select (1", "select 1)",
    "with recursive t (x) as (select 1 union all select x + 1 from t) select * from t", "do $$ begin end $$", "call x()",
    "explain analyze select 1", "select 'open", 'select "open', "select /* open", "", " ; ", "select \0", "select $1",
    "listen x", "lock table regions", "select * from regions for update", "begin", "prepare x as select 1", "select 1 \u00a0",
]  # fmt: skip


@pytest.mark.parametrize("statement", ALLOWED)
def test_a_query_is_let_through_as_it_is(statement: str) -> None:
    assert checked(statement) == statement.removesuffix(";")


@pytest.mark.parametrize("statement", REFUSED)
def test_anything_else_is_refused(statement: str) -> None:
    with pytest.raises(Refused):
        checked(statement)


PIECES = st.sampled_from(
    [
        "'",
        "''",
        '"',
        "--",
        "\n",
        "\r",
        "/*",
        "*/",
        "(",
        ")",
        ";",
        "$$",
        "$a$",
        "E'",
        "\\",
        "\\'",
        "select",
        "as",
        ",",
        " ",
        "1",
        "x",
    ]
)


@given(
    st.lists(PIECES, max_size=12),
    st.sampled_from(["pg_sleep(9)", "lo_import ('x')", "app.users"]),
    st.lists(PIECES, max_size=12),
)
def test_what_is_let_through_never_holds_it_outside_of_a_string_or_comment(
    before: list[str], bad: str, after: list[str]
) -> None:
    """Read by the simplest rules there are, which are PostgreSQL's: character by character."""
    statement = f"select {''.join(before)}{bad}{''.join(after)}"
    try:
        checked(statement)
    except Refused:
        return
    assert bad.split("(")[0].strip() not in code_of(statement)


def code_of(statement: str) -> str:
    """The statement without strings, quoted names and comments."""
    code, at, depth = "", 0, 0
    while at < len(statement):
        here = statement[at:]
        if depth or here.startswith("/*"):
            step = 2 if here[:2] in ("/*", "*/") else 1
            depth += {"/*": 1, "*/": -1}.get(here[:2], 0)
        elif here.startswith("--"):
            step = next((n for n, char in enumerate(here) if char in "\r\n"), len(here))
        elif here[0] == "'":
            step = 1
            while step < len(here) and (here[step] != "'" or here[step : step + 2] == "''"):
                step += 2 if here[step : step + 2] == "''" else 1
            step += 1
        else:
            step, code = 1, code + here[0]
        at += step
    return code


def test_no_function_of_the_list_reads_files_settings_or_sleeps() -> None:
    assert not [name for name in FUNCTIONS if name.startswith(("pg_", "lo_", "xml", "query_to", "set_", "current_"))]
