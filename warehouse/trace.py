"""`make trace`: where a value came from. The row, its record, the request, the run, and the checks it passed.

A staging model names the columns that a clean table is keyed by as the table does, so that the records of a row are found without
knowing any upstream.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from warehouse import command
from warehouse.database import Role
from warehouse.errors import UsageError
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.relations import payload_rows
from warehouse.server import resolve


def trace(connection: psycopg.Connection, table: str, key: Sequence[str]) -> dict[str, Any]:
    """Everything known of where a row of `public` came from. Raises UsageError for an unknown table, key or row."""
    names = _key_columns(connection, table)
    if len(names) != len(key):
        raise UsageError(
            f'The key of {table} is ({", ".join(names)}); {len(key)} value(s) were given. Write KEY="{_example(names)}".'
        )
    cursor = connection.cursor(row_factory=dict_row)
    condition = sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(v)) for n, v in zip(names, key, strict=True)
    )
    try:
        row = cursor.execute(
            sql.SQL("select * from public.{} where {}").format(sql.Identifier(table), condition)
        ).fetchone()
    except psycopg.errors.DataError as error:
        raise UsageError(f'KEY cannot be read: {str(error).splitlines()[0]}. Write KEY="{_example(names)}".') from None
    if row is None:
        raise UsageError(
            f"There is no row of {table} with {', '.join(f'{n} = {v}' for n, v in zip(names, key, strict=True))}."
        )
    if row.get("payload_id") is None:
        return {"table": table, "row": row, "note": "this row is no upstream's: it comes from a seed of dbt_project"}
    found = _payload(connection, row, names)
    runs = cursor.execute("select * from ops.runs where run_id = %s", [found["payload"]["run_id"]]).fetchone()
    verdict = cursor.execute("select * from ops.payload_verdicts where payload_id = %s", [row["payload_id"]]).fetchone()
    checks = cursor.execute(
        "select checkpoint, dataset, description, success, unexpected_count from ops.quality_results "
        "where run_id = %s and dataset in (%s, %s) order by result_id",
        [verdict["run_id"] if verdict else None, found["dataset"], table],
    ).fetchall()
    return {"table": table, "row": row, **found, "landed_by": runs, "verdict": verdict, "checks": checks}


def _key_columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(
        "select attname from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any(conkey) "
        "where contype = 'p' and conrelid = to_regclass(%s) order by array_position(conkey, attnum)",
        [f'public."{table}"'],
    ).fetchall()
    if not rows:
        known = connection.execute(
            "select relname from pg_constraint join pg_class c on c.oid = conrelid where contype = 'p' "
            "and connamespace = 'public'::regnamespace order by 1"
        ).fetchall()
        raise UsageError(
            f"There is no clean table {table!r}. Known: {', '.join(r[0] for r in known) or 'none yet; make run builds them'}."
        )
    return [row[0] for row in rows]


def _payload(connection: psycopg.Connection, row: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    """The payload of a row, and the records of it that the row was read from."""
    tables = connection.execute(
        "select tablename from pg_tables where schemaname = 'staging' and tablename like '%\\_payloads'"
    ).fetchall()
    cursor = connection.cursor(row_factory=dict_row)
    for (table,) in tables:
        if table == "rejected_payloads":
            continue
        payload = cursor.execute(
            sql.SQL(
                "select payload_id, origin, request_url, request_params, window_start, window_end, fetched_at, http_status, "
                "body_bytes, run_id from staging.{} where payload_id = %s"
            ).format(sql.Identifier(table)),
            [row["payload_id"]],
        ).fetchone()
        if payload:
            dataset = table.removesuffix("_payloads")
            return {"dataset": dataset, "payload": payload, "records": _records(connection, dataset, row, key)}
    raise UsageError(f"Payload {row['payload_id']} is no longer in staging: maintenance has let it go.")


def _records(connection: psycopg.Connection, dataset: str, row: dict[str, Any], key: Sequence[str]) -> dict[int, Any]:
    """What the payload says of the row: its records by their position in it."""
    view = sql.Identifier(*payload_rows(dataset).split("."))
    described = connection.execute(sql.SQL("select * from {} limit 0").format(view)).description or []
    shared = [name for name in key if name in {column.name for column in described}]
    found = connection.execute(
        sql.SQL(
            "select record_no, record from {} where record is not null and payload_id = {} {} order by record_no"
        ).format(
            view,
            row["payload_id"],
            sql.SQL(" ").join(
                sql.SQL("and {} = {}").format(sql.Identifier(name), sql.Literal(row[name])) for name in shared
            ),
        )
    ).fetchall()
    return dict(found)


def _example(names: Sequence[str]) -> str:
    examples = {"region_id": "13", "period_start": "2024-01-01T00:00Z", "market": "n2ex_day_ahead"}
    return " ".join(examples.get(name, "...") for name in names)


def _print(found: dict[str, Any]) -> None:
    def block(title: str, values: dict[str, Any]) -> None:
        out(f"\n{title}")
        for name, value in values.items():
            if value is not None:
                out(f"  {name:18} {json.dumps(value) if isinstance(value, dict | list) else value}")

    block(f"Row of public.{found['table']}", found["row"])
    if "note" in found:
        out(f"\n{found['note']}")
        return
    block(f"Payload of staging.{found['dataset']}_payloads", found["payload"])
    if found["payload"]["origin"] == "synthetic":
        out("  SYNTHETIC: generated here, because the upstream gave nothing; the request is the one that failed")
    out("\nIts records of that payload" if found["records"] else "\nNo record of that payload names it")
    for number, record in found["records"].items():
        out(f"  {number}: {json.dumps(record)}")
    if found["landed_by"]:
        run = found["landed_by"]
        block(
            "Landed by run", {k: run[k] for k in ("run_id", "flow", "parameters", "status", "started_at", "ended_at")}
        )
    if found["verdict"]:
        block(
            "Verdict of the staging checkpoint",
            {k: found["verdict"][k] for k in ("verdict", "reason", "run_id", "validated_at")},
        )
    out("\nChecks of that run")
    for check in found["checks"]:
        mark = "met    " if check["success"] else "NOT MET"
        out(f"  {mark} {check['checkpoint']:8} {check['description']}")


def main() -> None:
    """`python -m warehouse.trace TABLE KEY...`."""
    if len(sys.argv) < 3 or not sys.argv[1]:
        out(
            'error: name a table and a key: make trace TABLE=carbon_intensity_regional KEY="13 2024-01-01T00:00Z"',
            file=sys.stderr,
        )
        sys.exit(2)
    command.run(_trace)


def _trace() -> None:
    database = resolve()
    prepare(database)
    with database.connect(role=Role.LOADER) as connection:
        _print(trace(connection, sys.argv[1], sys.argv[2:]))


if __name__ == "__main__":
    main()
