"""Packages and resources as CKAN prints them."""

import re
from datetime import datetime
from typing import Any

from tests.emulator.neso.catalogue import BASE, Package, Resource, derived_id
from tests.emulator.neso.tables import Tables

LICENCE = {
    "license_id": "ESO",
    "license_title": "NESO Open Data Licence",
    "license_url": "https://www.neso.energy/data-portal/neso-open-licence",
}
ORGANIZATIONS = {
    "ancillary-services": "Ancillary Services", "balancing": "Balancing", "carbon-intensity1": "Carbon Intensity",
    "connection-registers": "Connection Registers", "constraint-management": "Constraint Management",
    "demand": "Demand", "dfs": "Demand Flexibility Service",
    "electricity-market-reform": "Electricity Market Reform", "future-energy-scenarios": "Future Energy Scenarios",
    "generation": "Generation", "interconnectors": "Interconnectors", "network-charges": "Network Charges",
    "plans-reports-analysis": "Plans, Reports & Analysis", "strategic-energy-planning": "Strategic Energy Planning",
    "system": "System", "trade-data": "Trade Data",
}  # fmt: skip
CREATED = "2019-11-26T10:01:25.312144"


def naive(instant: datetime | None) -> str | None:
    """An instant as CKAN writes it: UTC, without saying so."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") if instant else None


def resource(tables: Tables, package: Package, one: Resource) -> dict[str, Any]:
    """A resource as `resource_show` gives it."""
    resource_id = tables.changes.current(one.id)
    published = one.published(tables.now())
    address = f"{BASE}/datastore/dump/{resource_id}"
    if one.filename:
        address = f"{BASE}/dataset/{package.id}/resource/{resource_id}/download/{one.filename_at(tables.now())}"
    return {
        "mimetype": "text/csv" if one.url_type == "datastore" else None,
        "cache_url": None,
        "name": one.name,
        "hash": "",
        "description": one.description,
        "metadata_modified": naive(tables.changes.at.get(one.id, published)),
        "cache_last_updated": None,
        "url": address,
        "datastore_active": tables.has(resource_id),
        "format": one.format,
        "package_id": package.id,
        "created": CREATED,
        "state": "active",
        "mimetype_inner": None,
        "last_modified": naive(tables.last_modified(resource_id)),
        "position": [other.id for other in package.resources].index(one.id),
        "revision_id": derived_id(f"{one.id}|{published}"),
        "url_type": one.url_type,
        "id": resource_id,
        "resource_type": None,
        "size": None,
    }


def organization(name: str) -> dict[str, Any]:
    """A data group."""
    return {
        "description": "",
        "created": "2019-10-31T14:05:28.005545",
        "title": ORGANIZATIONS[name],
        "name": name,
        "is_organization": True,
        "state": "active",
        "image_url": "",
        "revision_id": derived_id(f"organization-revision|{name}"),
        "type": "organization",
        "id": derived_id(f"organization|{name}"),
        "approval_status": "approved",
    }


def package(tables: Tables, one: Package) -> dict[str, Any]:
    """A package as `package_show` gives it."""
    resources = [resource(tables, one, item) for item in one.resources if item.exists(tables.now())]
    return {
        **LICENCE,
        "maintainer": "",
        "relationships_as_object": [],
        "relationships_as_subject": [],
        "private": False,
        "maintainer_email": "",
        "num_tags": len(one.tags),
        "num_resources": len(resources),
        "id": one.id,
        "metadata_created": CREATED,
        "metadata_modified": max(item["metadata_modified"] for item in resources),
        "author": "",
        "author_email": "",
        "state": "active",
        "version": "",
        "creator_user_id": derived_id("user"),
        "type": "dataset",
        "resources": resources,
        "tags": [
            {
                "vocabulary_id": None, "state": "active", "display_name": tag, "name": tag,
                "id": derived_id(f"tag|{tag}"),
            }
            for tag in one.tags
        ],
        "groups": [],
        "organization": organization(one.organization),
        "name": one.name,
        "isopen": False,
        "url": "",
        "notes": one.notes,
        "owner_org": derived_id(f"organization|{one.organization}"),
        "extras": [{"key": "Update Frequency", "value": one.frequency}],
        "title": one.title,
        "revision_id": derived_id(f"revision|{one.id}"),
    }  # fmt: skip


def datapackage(tables: Tables, one: Package) -> dict[str, Any]:
    """A package in the manner of Frictionless Data: `path` for `url`, names as slugs."""
    shown = package(tables, one)
    kept = (
        "id", "name", "title", "organization", "groups", "metadata_created", "metadata_modified", "owner_org",
        "private", "type", "version", "revision_id", "creator_user_id", "relationships_as_object",
        "relationships_as_subject",
    )  # fmt: skip
    return {
        **{key: shown[key] for key in kept},
        "description": one.notes,
        "descriptionHtml": "",
        "homepage": "",
        "contributors": [{"role": "author", "email": "", "title": "National Energy System Operator"}],
        "licenses": [
            {"path": LICENCE["license_url"], "name": LICENCE["license_id"], "title": LICENCE["license_title"]}
        ],
        "keywords": list(one.tags),
        "Update Frequency": one.frequency,
        "resources": [_frictionless(item) for item in shown["resources"]],
    }


def _frictionless(item: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "hash", "description", "package_id", "url_type", "position", "datastore_active", "id", "metadata_modified",
        "created", "format", "state", "last_modified", "revision_id",
    )  # fmt: skip
    return {
        **{key: item[key] for key in kept},
        "name": re.sub(r"[^a-z0-9]+", "_", item["name"].lower()).strip("_"),
        "title": item["name"],
        "path": item["url"],
        "mediatype": "text/csv",
        "descriptionHtml": f"<p>{item['description']}</p>",
    }
