"""What the portal has on a subject: datasets, their resources, columns, newest rows, and whether they are loaded here."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from pipelines.client import UpstreamClient
from pipelines.neso.ckan import action, result
from pipelines.neso.resources import LOADED

PAGE = 1000
"""The most that package_search gives at once."""


class PortalUnavailable(RuntimeError):
    """The portal did not answer; the message says how."""


@dataclass(frozen=True)
class PortalResource:
    """A file or table of a dataset of the portal."""

    id: str
    name: str
    format: str
    modified: str | None
    has_datastore: bool

    @property
    def is_loaded(self) -> bool:
        """Whether a dataset of ours reads it."""
        return any(self.id == resource.id or self.name == resource.name.strip() for resource in LOADED)


@dataclass(frozen=True)
class PortalDataset:
    """A dataset of the portal."""

    name: str
    title: str
    resources: Sequence[PortalResource]


@dataclass(frozen=True)
class Contents:
    """What a resource holds: its columns, and its last row."""

    columns: Sequence[str]
    newest: str | None
    """The first date or timestamp of the last row."""


def search(client: UpstreamClient, subject: str) -> list[PortalDataset]:
    """The datasets that are about a subject; all of them if it is empty. Raises PortalUnavailable."""
    found: list[PortalDataset] = []
    while True:
        answer = action(client, "package_search", q=subject, rows=str(PAGE), start=str(len(found)), sort="name asc")
        received = result(answer)
        if not isinstance(received, dict):
            raise PortalUnavailable(f"{answer.url}: {answer.failure or 'the answer is not that of package_search'}")
        page = [_dataset(package) for package in received.get("results") or []]
        found += page
        if not page or len(found) >= int(received.get("count") or 0):
            return found


def contents(client: UpstreamClient, resource: PortalResource) -> Contents | None:
    """Columns and newest row of a resource; None where the datastore has none. Costs one datastore request."""
    if not resource.has_datastore:
        return None
    answer = action(client, "datastore_search", kind="datastore", resource_id=resource.id, limit="1", sort="_id desc")
    received = result(answer)
    if not isinstance(received, dict):
        return None
    fields = [field for field in received.get("fields") or [] if field.get("id") != "_id"]
    last: dict[str, JsonValue] = next(iter(received.get("records") or []), {})
    dated = [
        str(last.get(f["id"])) for f in fields if str(f.get("type")) in ("date", "timestamp") and last.get(f["id"])
    ]
    return Contents([str(field["id"]) for field in fields], dated[0] if dated else None)


def report(client: UpstreamClient, subject: str, *, with_columns: bool) -> Iterator[str]:
    """The findings, line by line as they come."""
    datasets = search(client, subject)
    yield f"{len(datasets)} datasets of NESO's portal are about {json.dumps(subject)}."
    asked = sum(resource.has_datastore for dataset in datasets for resource in dataset.resources)
    if with_columns and asked > 2:
        yield f"Requesting the columns of {asked} resources, two per minute as the portal allows; --no-columns leaves them out."
    for dataset in datasets:
        yield f"\n{dataset.title} ({dataset.name})"
        for resource in dataset.resources:
            loaded = "LOADED" if resource.is_loaded else "not loaded"
            kind = f"{resource.format or 'no format'}, {resource.id}"
            yield f"  {resource.name} ({kind}): {loaded}; modified {resource.modified or 'nobody says when'}"
            held = contents(client, resource) if with_columns else None
            if held:
                yield f"    newest row {held.newest or 'without a date'}; columns: {', '.join(held.columns)}"


def _dataset(package: dict[str, JsonValue]) -> PortalDataset:
    resources = package.get("resources")
    return PortalDataset(
        name=str(package.get("name")),
        title=str(package.get("title") or package.get("name")),
        resources=[_resource(each) for each in resources if isinstance(each, dict)]
        if isinstance(resources, list)
        else [],
    )


def _resource(received: dict[str, JsonValue]) -> PortalResource:
    modified = received.get("last_modified") or received.get("metadata_modified") or received.get("created")
    return PortalResource(
        id=str(received.get("id")),
        name=str(received.get("name") or "").strip(),
        format=str(received.get("format") or ""),
        modified=str(modified) if modified else None,
        has_datastore=bool(received.get("datastore_active")),
    )
