"""`datastore_search`: filters, sorts and pages a table; its records are JSON as PostgreSQL writes it."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from tests.emulator.neso.database import Filled
from tests.emulator.neso.datastore import CANCELED, TIMEOUT_SECONDS, limit_time, shuffled
from tests.emulator.neso.errors import InternalError, invalid, missing, not_found
from tests.emulator.neso.tables import Tables

KNOWN = {
    "resource_id", "id", "filters", "q", "distinct", "plain", "language", "limit", "offset", "fields", "sort",
    "include_total", "records_format", "callback",
}  # fmt: skip
LIMIT = 100


def search(filled: Filled, tables: Tables, parameters: dict[str, Any]) -> bytes:
    """The result of the action as JSON."""
    if set(parameters) - KNOWN:
        raise invalid(__junk=["The input field __junk was not expected."])
    resource_id = parameters.get("resource_id") or parameters.get("id")
    if not resource_id:
        raise missing("resource_id")
    if not tables.has(str(resource_id)):
        raise not_found(f'Not found: Resource "{resource_id}" was not found.')
    types = {"_id": "int"} | tables.table(resource_id).columns
    asked = _fields(parameters.get("fields"), types) or list(types)
    limit, offset = _natural(parameters, "limit", LIMIT), _natural(parameters, "offset", 0)
    where, values = _where(parameters, types)
    form = str(parameters.get("records_format") or "objects")
    if form not in ("objects", "lists", "csv", "tsv"):
        raise invalid(records_format=["Value must be one of ['objects', 'lists', 'csv', 'tsv']"])
    total_wanted = _true(parameters.get("include_total", True))
    page = sql.SQL("select {} {} from {} {} {} limit {} offset {}").format(
        sql.SQL("distinct" if _true(parameters.get("distinct", False)) else ""),
        sql.SQL(", ").join(_printed(name, types[name]) for name in asked),
        sql.Identifier(resource_id),
        where,
        _order(parameters.get("sort"), types),
        sql.Literal(limit),
        sql.Literal(offset),
    )
    with filled.connect([resource_id]) as connection:
        try:
            limit_time(connection, TIMEOUT_SECONDS)
            records = _records(connection, page, values, asked, form)
            count = connection.execute(
                sql.SQL("select count(*) from {} {}").format(sql.Identifier(resource_id), where), values
            ).fetchone()
        except psycopg.Error as error:
            if error.sqlstate == CANCELED:
                raise invalid(query=["Search took too long"]) from None
            raise InternalError(str(error)) from None
        finally:
            connection.rollback()
    result: dict[str, Any] = {
        "include_total": total_wanted,
        "resource_id": resource_id,
        "fields": [_described(name, types[name]) for name in asked],
        "records_format": form,
        "_links": _links(parameters, limit, offset),
    }
    result |= {name: parameters[name] for name in ("filters", "q", "sort", "fields") if parameters.get(name)} | {
        "fields": result["fields"]
    }
    result |= {name: int(parameters[name]) for name in ("limit", "offset") if name in parameters}
    if total_wanted:
        result["total"] = count[0] if count else 0
    head = json.dumps(result, ensure_ascii=False)
    return f'{{"records": {records}, {head[1:]}'.encode()


def _printed(name: str, kind: str) -> sql.Composable:
    column = sql.Identifier(name)
    if kind == "timestamp":
        return sql.SQL("to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS') as {}").format(column, column)
    return column


def _records(connection: psycopg.Connection, page: sql.Composed, values: list[Any], asked: list[str], form: str) -> str:
    if form in ("csv", "tsv"):
        rows = connection.execute(page, values).fetchall()
        mark = "," if form == "csv" else "\t"
        return json.dumps("".join(mark.join(_cell(value, mark) for value in row) + "\r\n" for row in rows))
    places = shuffled(asked) if form == "objects" else range(len(asked))
    pairs = [
        sql.SQL("{}, {}").format(sql.Literal(asked[place]), sql.Identifier(asked[place]))
        if form == "objects"
        else sql.Identifier(asked[place])
        for place in places
    ]
    build = "json_build_object" if form == "objects" else "json_build_array"
    rows = connection.execute(
        sql.SQL("select {}({})::text from ({}) page").format(sql.SQL(build), sql.SQL(", ").join(pairs), page), values
    ).fetchall()
    return "[" + ", ".join(row[0] for row in rows) + "]"


def _cell(value: Any, mark: str) -> str:
    text = "" if value is None else str(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if re.search(rf'["\r\n{mark}]', text) else text


def _where(parameters: dict[str, Any], types: dict[str, str]) -> tuple[sql.Composable, list[Any]]:
    clauses: list[sql.Composable] = []
    values: list[Any] = []
    for name, wanted in _object(parameters, "filters").items():
        if name not in types:
            raise invalid(filters=[f'invalid value "{name}"'])
        kind = sql.SQL(types[name])
        clauses.append(sql.SQL("{} = any(%s::{}[])").format(sql.Identifier(name), kind))
        values.append([str(one) for one in (wanted if isinstance(wanted, list) else [wanted])])
    words = parameters.get("q")
    if isinstance(words, str) and words.startswith("{"):
        words = _object(parameters, "q")
    query = "plainto_tsquery" if _true(parameters.get("plain", True)) else "to_tsquery"
    for column, text in words.items() if isinstance(words, dict) else [("_full_text", words)] if words else []:
        if column != "_full_text" and column not in types:
            raise invalid(q=[f'invalid value "{column}"'])
        document = (
            sql.SQL("_full_text")
            if column == "_full_text"
            else sql.SQL("to_tsvector('simple', {}::text)").format(sql.Identifier(column))
        )
        clauses.append(sql.SQL("{} @@ {}('simple', %s)").format(document, sql.SQL(query)))
        values.append(text)
    if not clauses:
        return sql.SQL(""), []
    return sql.SQL("where ") + sql.SQL(" and ").join(clauses), values


def _order(sort: Any, types: dict[str, str]) -> sql.Composable:
    clauses = [clause.strip() for clause in (sort if isinstance(sort, list) else str(sort or "").split(","))]
    terms = []
    for clause in filter(None, clauses):
        found = re.fullmatch(r"(.+?)(?: +(asc|desc) *)?", clause, re.IGNORECASE)
        name = found[1] if found else clause
        name = name[1:-1] if len(name) > 2 and name[0] == name[-1] == '"' else name
        if not found or name not in types:
            raise invalid(sort=[f'invalid value "{clause}"'])
        terms.append(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL((found[2] or "asc").lower())))
    return sql.SQL("order by ") + sql.SQL(", ").join(terms) if terms else sql.SQL("")


def _fields(asked: Any, types: dict[str, str]) -> list[str]:
    names = [name.strip() for name in (asked if isinstance(asked, list) else str(asked or "").split(","))]
    for name in filter(None, names):
        if name not in types:
            raise invalid(fields=[f'invalid value "{name}"'])
    return list(filter(None, names))


def _described(name: str, kind: str) -> dict[str, Any]:
    if name == "_id":
        return {"type": kind, "id": name}
    return {"type": kind, "id": name, "info": {"title": name.replace("_", " "), "description": "", "unit": ""}}


def _object(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    value = parameters.get(name) or {}
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise invalid(**{name: ["Cannot parse JSON"]})
    return value


def _natural(parameters: dict[str, Any], name: str, default: int) -> int:
    value = str(parameters.get(name, default))
    if not value.isdigit():
        raise invalid(**{name: ["Must be a natural number"]})
    return int(value)


def _true(value: Any) -> bool:
    return str(value).lower() in ("true", "1", "yes", "t", "y", "on")


def _links(parameters: dict[str, Any], limit: int, offset: int) -> dict[str, str]:
    kept = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
        if name != "offset"
    }

    def link(at: int) -> str:
        return "/api/3/action/datastore_search?" + urlencode(kept | ({"offset": str(at)} if at else {}))

    links = {"start": link(0), "next": link(offset + limit)}
    return links | ({"prev": link(offset - limit)} if offset - limit > 0 else {})
