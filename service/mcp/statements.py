"""Which SQL an agent may run: one SELECT over schema public, with functions of a list. Everything else is refused unsent.

This is the outer fence. The inner ones hold without it: a login that can read `public` alone, a read-only transaction, one
statement a message, a time limit, and a connection that is closed afterwards (`reading`).
"""

import re
from collections.abc import Iterator

LONGEST = 10_000
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\n\r\f]+|--[^\n\r]*)
  | (?P<comment>/\*)
  | (?P<unread>[uU]&['"]|[eE]'|\$)
  | (?P<string>[bBxXnN]?'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<number>\d+(?:_?\d)*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<other>[^\s\w'"])
    """,
    re.VERBOSE | re.DOTALL,
)
_BEGINNINGS = ("select", "with", "values", "table")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = _words(
    """
    recursive insert update delete merge into copy set reset call do execute prepare listen notify lock vacuum analyze
    grant revoke information_schema app ops staging staging_incoming intermediate current_user session_user user
    current_role current_catalog system_user regclass regproc regprocedure regrole regtype regnamespace regoper
    regoperator regconfig regdictionary regcollation xml xmltable json_table tablesample
    """
)
_BEFORE_A_BRACKET = _words(
    """
    select from where and or not in exists any all some as on using when then else case over filter group by having
    order limit offset values union except intersect distinct lateral within between like ilike is join sets rollup cube
    grouping array row interval materialized with recursive numeric decimal varchar char timestamp timestamptz time
    float precision fetch return
    """
)
FUNCTIONS = _words(
    """
    count sum avg min max stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_slope
    regr_intercept regr_r2 regr_count percentile_cont percentile_disc mode bool_and bool_or every first_value last_value
    nth_value lag lead rank dense_rank row_number percent_rank cume_dist ntile
    abs round floor ceil ceiling trunc sign power sqrt exp ln log mod greatest least coalesce nullif width_bucket
    num_nulls num_nonnulls cast
    now statement_timestamp clock_timestamp date_trunc date_part date_bin extract age to_char to_date to_timestamp
    make_date make_interval make_timestamptz justify_hours isfinite timezone date
    lower upper initcap length trim btrim ltrim rtrim left right substring position strpos split_part replace
    starts_with concat concat_ws cardinality array_length unnest generate_series generate_subscripts
    jsonb_array_elements jsonb_array_length
    carbon_intensity_as_of best_windows workload_emissions
    """
)
"""Over rows, of numbers, of time, of text and arrays, and our own"""


class Refused(ValueError):
    """A statement that is not run; the message says why."""


def checked(statement: str) -> str:
    """The statement without its last semicolon. Raises Refused."""
    if not statement.strip() or len(statement) > LONGEST:
        raise Refused(f"a query has 1 to {LONGEST} characters")
    if "\0" in statement:
        raise Refused("a query holds no null characters")
    tokens = list(_tokens(statement))
    while tokens and tokens[-1][1] == ";":
        statement = statement[: tokens.pop()[2]]
    if not tokens or tokens[0][1] not in _BEGINNINGS:
        raise Refused("only one SELECT (or WITH ... SELECT, VALUES, TABLE) is run")
    depth, before, before_that = 0, "", ""
    for kind, text, _ in tokens:
        if text == ";":
            raise Refused("only one statement is run at a time")
        if kind in ("word", "quoted"):
            _refuse_name(text)
        if text == "(":
            depth += 1
            _refuse_call(before, before_that)
        depth -= text == ")"
        if depth < 0:
            raise Refused("a closing bracket has no opening one")
        before, before_that = (text if kind == "word" else f'"{text}"' if kind == "quoted" else ""), before
    if depth:
        raise Refused("a bracket is not closed")
    return statement


def _refuse_name(name: str) -> None:
    if name.startswith("pg_") or name in _NEVER:
        raise Refused(f"{name!r} cannot be used: queries read the tables and views of schema public and change nothing")


def _refuse_call(name: str, before: str) -> None:
    """`name (` is a call unless the name is a keyword, or names columns after AS."""
    is_call = name and name not in _BEFORE_A_BRACKET and before != "as"
    if is_call and name not in FUNCTIONS:
        raise Refused(f"the function {name!r} is not on the list of those that a query may call")


def _tokens(statement: str) -> Iterator[tuple[str, str, int]]:
    """(kind, text, position) of each token; names in small letters as PostgreSQL folds them, quoted names without quotes."""
    at = 0
    while at < len(statement):
        match = _TOKEN.match(statement, at)
        if match is None:
            raise Refused("a quotation mark is not closed, or a character is not one of SQL")
        kind = str(match.lastgroup)
        if kind == "comment":
            at = _past_comment(statement, at)
            continue
        if kind == "unread":  # read otherwise than PostgreSQL does, they could hide what comes after them
            raise Refused(
                "strings with escapes and dollar quotes are not read; write '...' with the characters themselves"
            )
        if kind == "word":
            yield kind, match[0].lower(), at
        elif kind == "quoted":
            yield kind, match[0][1:-1].replace('""', '"').lower(), at
        elif kind != "space":
            yield kind, match[0], at
        at = match.end()


def _past_comment(statement: str, at: int) -> int:
    """Past a comment, which may hold others."""
    depth, at = 1, at + 2
    while depth:
        found = re.compile(r"/\*|\*/").search(statement, at)
        if found is None:
            raise Refused("a comment is not closed")
        depth, at = depth + (1 if found[0] == "/*" else -1), found.end()
    return at
