"""The actions on packages, resources, organizations and tags."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.emulator.neso import find, printed
from tests.emulator.neso.catalogue import BASE, Package, Resource
from tests.emulator.neso.errors import invalid, missing, not_found
from tests.emulator.neso.published import PACKAGES
from tests.emulator.neso.tables import Tables

Parameters = dict[str, Any]
ROWS, MOST_ROWS = 10, 1000


def package_search(tables: Tables, asked: Parameters) -> Any:
    """The packages that match `q` and `fq`."""
    found = find.matching(PACKAGES, str(asked.get("q") or ""), str(asked.get("fq") or ""))
    sort = str(asked.get("sort") or "score desc, metadata_modified desc")
    key, _, direction = sort.split(",")[0].strip().partition(" ")
    shown = [printed.package(tables, one) for one in found]
    if key in ("name", "title", "metadata_modified", "title_string"):
        field = key.removesuffix("_string")
        shown.sort(key=lambda one: str(one[field]), reverse=direction.strip().lower() == "desc")
    elif key != "score":
        raise invalid(sort=[f"Cannot sort on field {key}"])
    start, rows = _natural(asked, "start", 0), min(MOST_ROWS, _natural(asked, "rows", ROWS))
    return {
        "count": len(found),
        "sort": sort,
        "facets": _facets(found, asked),
        "results": shown[start : start + rows],
        "search_facets": {},
    }


def _facets(found: list[Package], asked: Parameters) -> dict[str, dict[str, int]]:
    fields = asked.get("facet.field") or "[]"
    fields = json.loads(fields) if isinstance(fields, str) else fields
    counted: dict[str, Counter[str]] = {
        "organization": Counter(one.organization for one in found),
        "tags": Counter(tag for one in found for tag in one.tags),
    }
    return {field: dict(counted.get(field, Counter()).most_common(50)) for field in fields}


def _package(asked: Parameters) -> Package:
    wanted = asked.get("id") or asked.get("name_or_id")
    if not wanted:
        raise missing("id")
    found = next((one for one in PACKAGES if wanted in (one.id, one.name)), None)
    if not found:
        raise not_found()
    return found


def package_show(tables: Tables, asked: Parameters) -> Any:
    """A package, by id or name."""
    return printed.package(tables, _package(asked))


def datapackage_show(tables: Tables, asked: Parameters) -> Any:
    """The same in another form."""
    return printed.datapackage(tables, _package(asked))


def package_list(tables: Tables, asked: Parameters) -> Any:
    """The names of all packages."""
    names = sorted(one.name for one in PACKAGES)
    offset = _natural(asked, "offset", 0)
    return names[offset : offset + _natural(asked, "limit", len(names))]


def resource_show(tables: Tables, asked: Parameters) -> Any:
    """A resource, by the id that it goes by."""
    if not asked.get("id"):
        raise missing("id")
    found = tables.resource(str(asked["id"]))
    if not found:
        raise not_found()
    return printed.resource(tables, *found) | {"id": str(asked["id"])}


def resource_search(tables: Tables, asked: Parameters) -> Any:
    """Resources with this text in this field: `query=name:demand`, several of them if all are to hold."""
    queries = asked.get("query")
    if not queries:
        raise missing("query")
    conditions = []
    for query in queries if isinstance(queries, list) else [queries]:
        field, colon, value = str(query).partition(":")
        if not colon:
            raise invalid(query=["Must be <field>:<value> pair(s)"])
        if field not in ("name", "description", "url", "format", "id", "hash"):
            raise invalid(query=[f'Field "{field}" not recognised in resource_search.'])
        conditions.append((field, value.lower()))
    every: list[tuple[Package, Resource]] = [
        (one, item) for one in PACKAGES for item in one.resources if item.exists(tables.now())
    ]
    shown = [printed.resource(tables, *both) for both in every]
    found = [one for one in shown if all(value in str(one[field]).lower() for field, value in conditions)]
    offset = _natural(asked, "offset", 0)
    return {"count": len(found), "results": found[offset : offset + _natural(asked, "limit", len(found))]}


def organization_list(tables: Tables, asked: Parameters) -> Any:
    """The data groups: names, or all that is known of them."""
    if str(asked.get("all_fields", "")).lower() not in ("true", "1"):
        return sorted(printed.ORGANIZATIONS)
    counted = Counter(one.organization for one in PACKAGES)
    return [{**printed.organization(name), "package_count": counted[name]} for name in sorted(printed.ORGANIZATIONS)]


def tag_list(tables: Tables, asked: Parameters) -> Any:
    """Every tag."""
    return sorted({tag for one in PACKAGES for tag in one.tags})


def status_show(tables: Tables, asked: Parameters) -> Any:
    """What the portal says of itself."""
    return {
        "ckan_version": "2.8.7",
        "site_url": BASE,
        "site_description": "",
        "site_title": "NESO Data Portal",
        "error_emails_to": None,
        "locale_default": "en_GB",
        "extensions": ["datastore", "s3filestore", "showcase"],
    }


def _natural(asked: Parameters, name: str, default: int) -> int:
    value = str(asked.get(name, default))
    if not value.isdigit():
        raise invalid(**{name: ["Must be a natural number"]})
    return int(value)


ACTIONS: dict[str, Callable[[Tables, Parameters], Any]] = {
    action.__name__: action
    for action in (
        package_search, package_show, package_list, resource_show, resource_search, datapackage_show,
        organization_list, tag_list, status_show,
    )
}  # fmt: skip
