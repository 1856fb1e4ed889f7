"""What the datastore refuses to run, before and after PostgreSQL has planned it."""

import re
from collections.abc import Iterator
from typing import Any

import sqlparse

from tests.emulator.neso.errors import denied, invalid

RESOURCE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ALLOWED_WORDS = """
abs age array_agg array_length array_to_json array_to_string avg bool_and bool_or btrim cardinality ceil ceiling chr
concat concat_ws corr count cume_dist date_part date_trunc degrees dense_rank div exp first_value floor format
generate_series initcap isfinite json_agg json_build_object jsonb_agg justify_days justify_hours lag last_value lead
left length ln log lower lpad ltrim make_date make_interval make_time make_timestamp max md5 min mod mode now
nth_value ntile num_nulls percent_rank percentile_cont percentile_disc pi plainto_tsquery position power quote_ident
quote_literal radians random rank regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right
round row_number row_to_json rpad rtrim scale sign split_part sqrt statement_timestamp stddev stddev_pop stddev_samp
string_agg string_to_array strpos substr substring sum to_char to_date to_json to_number to_timestamp to_tsquery
to_tsvector translate trunc unnest upper var_pop var_samp variance width_bucket
"""
_SYNTAX_WORDS = """
all any as by case cast coalesce exists filter greatest in interval least nullif numeric over partition some timestamp
using values varchar
"""
_ALLOWED = frozenset((_ALLOWED_WORDS + _SYNTAX_WORDS).split())


def check_statement(sql: str) -> None:
    """Raise unless this is one statement that reads and calls known functions alone."""
    if len([one for one in sqlparse.split(sql) if one.strip("; \r\n\t")]) != 1:
        raise invalid(query=["Query is not a single statement."])
    parsed: Any = sqlparse.parse(sql)[0]
    if parsed.get_type() in ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"):
        raise denied("Not authorized to read resource.")
    for name in _functions(parsed.tokens):
        if name.lower() not in _ALLOWED:
            raise denied(f"Not authorized to call function {name}")


def _functions(tokens: Any) -> Iterator[str]:
    token: Any
    for token in tokens:
        if type(token) is sqlparse.sql.Function:
            yield _name(token)
        if token.is_group:
            yield from _functions(token.tokens)


def _name(function: Any) -> str:
    return str(function.get_real_name() or function.get_name() or "")


def check_plan(plan: Any) -> None:
    """Raise if PostgreSQL would read a table of its own."""
    if any(name.startswith("pg_") for name in _relations(plan)):
        raise denied("Not authorized to access system tables")


def _relations(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield str(plan["Relation Name"])
        if str(plan.get("Function Name", "")).startswith("pg_"):
            yield str(plan["Function Name"])
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from _relations(part)
