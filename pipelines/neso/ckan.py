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

from pipelines.client import Response, UpstreamClient
from pipelines.dataset import FetchRequest, FetchResult
from pipelines.neso.resources import UNKNOWN_ID, Resource
from warehouse.periods import parse_instant

GONE_RELATION = re.compile(r'relation "[^"]*" does not exist')
GONE_COLUMN = re.compile(r'column "?([^"\n]*?)"? does not exist')
MOST_PAGES = 100
BLOCKED = (403, 429)


@dataclass(frozen=True)
class Found:
    """Where a resource is now."""

    id: str
    version: str | None
    note: str | None = None
    has_name: bool = True


class SearchFailed(Exception):
    """The portal could not say where a resource is now."""

    def __init__(self, response: Response):
        super().__init__(response.failure)
        self.response = response


def action(client: UpstreamClient, name: str, *, kind: str = "ckan", **params: str) -> Response:
    """Ask an action of the portal; `kind` is the limit that it counts against."""
    return client.get(f"/api/3/action/{name}?{urlencode(params)}", kind=kind)


def result(response: Response) -> Any:
    """The result of an action; None where the answer is not one."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return body.get("result") if isinstance(body, dict) and body.get("success") is True else None


def fetches_datastore(
    resource_of: Callable[[FetchRequest], Resource],
    where: Callable[[FetchRequest], sql.Composable] = lambda request: sql.SQL("true"),
) -> Callable[[FetchRequest], FetchResult]:
    """A SELECT of the resource's columns with a condition, in a stable order, as many pages as it takes."""

    def fetch(request: FetchRequest) -> FetchResult:
        try:
            return fetch_of(request, resource_of(request))
        except SearchFailed as failed:
            return FetchResult([failed.response])

    def fetch_of(request: FetchRequest, resource: Resource) -> FetchResult:
        shown = action(request.client, "resource_show", id=resource.id)
        if shown.failure and shown.status in (None, *BLOCKED):
            return FetchResult([shown])  # not even that: nothing else would be answered
        if shown.status != 404 and not isinstance(result(shown), dict):
            # whether this id still has the name is not known: an archive's rows are not taken for today's
            found = _by_name(request.client, resource, or_its_own=True)
            if found is None:
                return FetchResult([shown])
        else:
            found = _found(resource, shown)
        if found and not found.has_name:
            # the portal rolls a file: the old id is the archive now, the name is the new id's
            rolled = _by_name(request.client, resource)
            found = rolled or replace(
                found, note=f"WARNING: NESO's resource {resource.id} has another name than {resource.name!r}"
            )
        if found is None:
            found = _by_name(request.client, resource)
            if found is None and resource.kept_in:
                return fetch_of(request, resource.kept_in)
            if found is None and resource.may_not_exist_yet:
                return FetchResult(unchanged=f"not requested: {resource.name.strip()!r} has not been published yet")
            if found is None:
                reason = f"the resource {resource.name.strip()!r} ({resource.id}) is gone, and no other has its name"
                return FetchResult([replace(shown, failure=reason)])
        if resource.reports_changes and found.version and found.version == request.known_version():
            unchanged = f"not requested again: unchanged upstream since {found.version}"
            return FetchResult(unchanged="; ".join(filter(None, (unchanged, found.note))))
        pages = list(_pages(request.client, resource, found.id, where(request)))
        if GONE_RELATION.search(pages[-1].failure or "") and not found.note:
            moved = _by_name(request.client, resource)
            if moved and moved.id != found.id:
                found, pages = moved, list(_pages(request.client, resource, moved.id, where(request)))
        params = {"resource_id": found.id, "resource": resource.name.strip(), "version": found.version}
        return FetchResult(pages, note=found.note, params=params)  # type: ignore[arg-type]

    return fetch


def _found(resource: Resource, shown: Response) -> Found | None:
    """The resource as `resource_show` tells it; None if it says that there is no such resource."""
    received = result(shown)
    if shown.status == 404 or not isinstance(received, dict):
        return None
    return Found(resource.id, _version(received.get("last_modified")), has_name=_is_named(received, resource))


def _is_named(received: dict[str, Any], resource: Resource) -> bool:
    """Whether a resource still has its name; one without any name is believed."""
    return str(received.get("name") or resource.name).strip() == resource.name.strip()


def _version(last_modified: Any) -> str | None:
    """When a resource last changed, as the portal writes it; None for what is no instant, because SQL reads it as one."""
    try:
        parse_instant(last_modified)
    except (TypeError, ValueError, OverflowError):
        return None
    return str(last_modified)


def _by_name(client: UpstreamClient, resource: Resource, *, or_its_own: bool = False) -> Found | None:
    """Another resource of this name, or the known one where `or_its_own`; None if there is none.

    Raises SearchFailed if the portal does not say.
    """
    response = action(client, "package_search", q=resource.name.strip(), rows="1000")
    found = result(response)
    if not isinstance(found, dict):
        reason = f"the portal's search for {resource.name.strip()!r} failed ({response.failure or 'its response cannot be read'})"
        raise SearchFailed(replace(response, failure=reason))
    packages = _dicts(found.get("results"))
    packages.sort(key=lambda package: package.get("name") != resource.package)
    for package in packages:
        for other in _dicts(package.get("resources")):
            if not other.get("id"):
                continue
            if str(other.get("name", "")).strip() != resource.name.strip():
                continue
            if other["id"] == resource.id:
                if or_its_own:
                    return Found(resource.id, _version(other.get("last_modified")))
            else:
                is_news = resource.id != UNKNOWN_ID
                note = (
                    f"WARNING: NESO's resource {resource.name.strip()!r} is no longer {resource.id}; it was found by its "
                    f"name as {other['id']}"
                )
                return Found(str(other["id"]), _version(other.get("last_modified")), note if is_news else None)
    return None


def _dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where there is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _pages(client: UpstreamClient, resource: Resource, id_: str, where: sql.Composable) -> Iterator[Response]:
    offset = 0
    for page in range(MOST_PAGES):
        response = action(
            client, "datastore_search_sql", kind="datastore", sql=select(id_, resource.columns, where, offset)
        )
        if response.status == 409:
            response = replace(response, failure=f"HTTP 409: {_reason(response, resource)}")
        yield response
        received = result(response) if response.failure is None else None
        page_of = received if isinstance(received, dict) else {}
        records = page_of.get("records")
        if not isinstance(records, list) or not records or not page_of.get("records_truncated"):
            return
        offset += len(records)
        if page + 1 == MOST_PAGES:
            yield replace(
                response, body=b"", failure=f"there are more than {MOST_PAGES} pages; request a shorter range"
            )


def select(resource_id: str, columns: tuple[str, ...], where: sql.Composable, offset: int = 0) -> str:
    """The SELECT: identifiers quoted, values as literals, ordered by the datastore's own row number."""
    statement = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(resource_id), where, sql.Identifier("_id")
    )
    if offset:
        statement += sql.SQL(" OFFSET {}").format(sql.Literal(offset))
    return statement.as_string(None)


def _reason(response: Response, resource: Resource) -> str:
    """What CKAN's error says, in words."""
    try:
        error = json.loads(response.body)["error"]
        words = error["query"] if isinstance(error, dict) and isinstance(error.get("query"), list) else []
        text = " ".join(str(part) for part in words) or json.dumps(error)
    except (ValueError, TypeError, KeyError, RecursionError):
        return "an error body that cannot be read"
    gone = GONE_COLUMN.search(text)
    if gone:
        return f"the resource {resource.name.strip()!r} has no column {gone[1]!r} any more"
    return text.splitlines()[0][:300]
