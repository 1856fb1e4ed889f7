"""The actions of NESO's CKAN that are used here, with a resource found again by its name when its id has gone.

Every question begins with `resource_show`: it costs a second of the portal's limit, the datastore costs half a minute,
and it tells whether the datastore need be asked at all.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from psycopg import sql

from pipelines.client import Answer, UpstreamClient
from pipelines.dataset import Answered, Asking
from pipelines.neso.resources import UNKNOWN_ID, Resource
from pipelines.periods import parse_instant

GONE_RELATION = re.compile(r'relation "[^"]*" does not exist')
GONE_COLUMN = re.compile(r'column "?([^"\n]*?)"? does not exist')
MOST_PAGES = 100


@dataclass(frozen=True)
class Found:
    """Where a resource is now."""

    id: str
    version: str | None
    note: str | None = None
    has_name: bool = True


def action(client: UpstreamClient, name: str, *, kind: str = "ckan", **params: str) -> Answer:
    """Ask an action of the portal; `kind` is the limit that it counts against."""
    return client.get(f"/api/3/action/{name}?{urlencode(params)}", kind=kind)


def result(answer: Answer) -> Any:
    """The result of an action; None where the answer is not one."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return None
    return body.get("result") if isinstance(body, dict) and body.get("success") is True else None


def asks_datastore(
    resource_of: Callable[[Asking], Resource],
    where: Callable[[Asking], sql.Composable] = lambda asking: sql.SQL("true"),
) -> Callable[[Asking], Answered]:
    """A SELECT of the resource's columns with a condition, in a stable order, as many pages as it takes."""

    def ask(asking: Asking) -> Answered:
        return ask_of(asking, resource_of(asking))

    def ask_of(asking: Asking, resource: Resource) -> Answered:
        shown = action(asking.client, "resource_show", id=resource.id)
        if shown.failure and shown.status is None:
            return Answered([shown])  # not even that: nothing else would be answered
        found = _found(resource, shown)
        if (
            found and not found.has_name
        ):  # the portal rolls a file: the old id is the archive now, the name is the new id's
            rolled = _by_name(asking.client, resource)
            found = rolled or replace(
                found, note=f"WARNING: NESO's resource {resource.id} has another name than {resource.name!r}"
            )
        if found is None:
            found = _by_name(asking.client, resource)
            if found is None and resource.kept_in:
                return ask_of(asking, resource.kept_in)
            if found is None and resource.may_not_exist_yet:
                return Answered(unchanged=f"not asked: {resource.name.strip()!r} has not been published yet")
            if found is None:
                reason = f"the resource {resource.name.strip()!r} ({resource.id}) is gone, and no other has its name"
                return Answered([replace(shown, failure=reason)])
        if resource.tells_changes and found.version and found.version == asking.known_version():
            unchanged = f"not asked again: unchanged upstream since {found.version}"
            return Answered(unchanged="; ".join(filter(None, (unchanged, found.note))))
        pages = list(_pages(asking.client, resource, found.id, where(asking)))
        if GONE_RELATION.search(pages[-1].failure or "") and not found.note:
            moved = _by_name(asking.client, resource)
            if moved and moved.id != found.id:
                found, pages = moved, list(_pages(asking.client, resource, moved.id, where(asking)))
        params = {"resource_id": found.id, "resource": resource.name.strip(), "version": found.version}
        return Answered(pages, note=found.note, params=params)  # type: ignore[arg-type]

    return ask


def _found(resource: Resource, shown: Answer) -> Found | None:
    """The resource as `resource_show` tells it; None if it says that there is no such resource."""
    if shown.status == 404:
        return None
    told = result(shown)
    if not isinstance(told, dict):
        return Found(resource.id, None)
    return Found(resource.id, _version(told.get("last_modified")), has_name=_is_named(told, resource))


def _is_named(told: dict[str, Any], resource: Resource) -> bool:
    """Whether a resource still has its name; one without any name is believed."""
    return str(told.get("name") or resource.name).strip() == resource.name.strip()


def _version(last_modified: Any) -> str | None:
    """When a resource last changed, as the portal writes it; None for what is no instant, because SQL reads it as one."""
    try:
        parse_instant(last_modified)
    except (TypeError, ValueError, OverflowError):
        return None
    return str(last_modified)


def _by_name(client: UpstreamClient, resource: Resource) -> Found | None:
    answer = action(client, "package_search", q=resource.name.strip(), rows="1000")
    packages = (result(answer) or {}).get("results") or []
    packages.sort(key=lambda package: package.get("name") != resource.package)
    for package in packages:
        for other in package.get("resources") or []:
            if str(other.get("name", "")).strip() == resource.name.strip() and other.get("id") != resource.id:
                is_news = resource.id != UNKNOWN_ID
                note = (
                    f"WARNING: NESO's resource {resource.name.strip()!r} is no longer {resource.id}; it was found by its "
                    f"name as {other['id']}"
                )
                return Found(str(other["id"]), _version(other.get("last_modified")), note if is_news else None)
    return None


def _pages(client: UpstreamClient, resource: Resource, id_: str, where: sql.Composable) -> Iterator[Answer]:
    offset = 0
    for page in range(MOST_PAGES):
        answer = action(
            client, "datastore_search_sql", kind="datastore", sql=select(id_, resource.columns, where, offset)
        )
        if answer.status == 409:
            answer = replace(answer, failure=f"HTTP 409: {_reason(answer, resource)}")
        yield answer
        told = result(answer) if answer.failure is None else None
        if not isinstance(told, dict) or not told.get("records") or not told.get("records_truncated"):
            return
        offset += len(told["records"])
        if page + 1 == MOST_PAGES:
            yield replace(answer, body=b"", failure=f"there are more than {MOST_PAGES} pages; ask for a shorter range")


def select(resource_id: str, columns: tuple[str, ...], where: sql.Composable, offset: int = 0) -> str:
    """The SELECT: identifiers quoted, values as literals, ordered by the datastore's own row number."""
    statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(resource_id), where, sql.Identifier("_id")
    )
    if offset:
        statement += sql.SQL(" OFFSET {}").format(sql.Literal(offset))
    return statement.as_string(None)


def _reason(answer: Answer, resource: Resource) -> str:
    """What CKAN's error says, in words."""
    try:
        error = json.loads(answer.body).get("error", {})
    except (ValueError, AttributeError):
        return "an error body that cannot be read"
    text = " ".join(str(part) for part in error.get("query", [])) or json.dumps(error)
    gone = GONE_COLUMN.search(text)
    if gone:
        return f"the resource {resource.name.strip()!r} has no column {gone[1]!r} any more"
    return text.splitlines()[0][:300]
