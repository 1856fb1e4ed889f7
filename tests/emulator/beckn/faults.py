"""Answers to discover as a fault leaves them."""

import gzip
import json
from collections.abc import Callable
from typing import Any

from tests.emulator.beckn import problems
from tests.emulator.beckn.catalogue import Node

IMPOSSIBLE_PCT, IMPOSSIBLE_GCO2_KWH = 9999, 1_000_000
_GZIP = b"\x1f\x8b"


def spoil(kind: str, body: bytes) -> bytes:
    """A body as this fault leaves it."""
    change = _CHANGES.get(kind)
    if change is None:
        return body
    packed = body.startswith(_GZIP)
    document = json.loads(gzip.decompress(body) if packed else body)
    changed = change(document)
    spoiled = printed(document if changed is None else changed)
    return gzip.compress(spoiled, mtime=0) if packed else spoiled


def printed(document: object) -> bytes:
    """Compact JSON, other scripts as they are."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def _catalogues(document: Any) -> list[Node]:
    return list((document.get("message") or {}).get("catalogs") or [])


def _items(document: Any) -> list[Node]:
    return [item for catalogue in _catalogues(document) for item in catalogue["beckn:items"]]


def _missing_key(document: Any) -> None:
    for catalogue in _catalogues(document)[:1]:
        del catalogue["beckn:items"]


def _changed_type(document: Any) -> None:
    items = _items(document)
    for item in items[len(items) // 2 :][:1]:
        _part(item, "gridParameters")["renewableMix"] = "unknown"


def _duplicate(document: Any) -> None:
    for catalogue in _catalogues(document)[:1]:
        items = catalogue["beckn:items"]
        twin = json.loads(json.dumps(items[len(items) // 2]))
        _move(twin, 9)
        items.insert(len(items) // 2, twin)


def _revised(document: Any) -> None:
    for item in _items(document):
        _move(item, 1)


def _absurd(document: Any) -> None:
    for item in _items(document):
        _part(item, "gridParameters").update(renewableMix=IMPOSSIBLE_PCT, carbonIntensity=IMPOSSIBLE_GCO2_KWH)


def _nul(document: Any) -> None:
    for item in _items(document)[:1]:
        item["beckn:descriptor"]["schema:name"] += "\x00"


def _empty(document: Any) -> Any:
    return {**document, "message": {"catalogs": []}}


def _part(item: Node, name: str) -> Node:
    """Of an item's attributes; something of no consequence where it lacks them."""
    part: Node = item["beckn:itemAttributes"].get(f"beckn:{name}", {})
    return part


def _move(item: Node, by: int) -> None:
    """Its three numbers: the share by a point each, the intensity by three, the capacity by a tenth."""
    for part, name, step in (
        ("gridParameters", "renewableMix", 1),
        ("gridParameters", "carbonIntensity", 3),
        ("capacityParameters", "availableCapacity", 0.1),
    ):
        if name in _part(item, part):
            _part(item, part)[name] = round(_part(item, part)[name] + by * step, 3)


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "missing_key": _missing_key,
    "changed_type": _changed_type,
    "duplicate": _duplicate,
    "revised": _revised,
    "absurd": _absurd,
    "nul": _nul,
    "empty": _empty,
    "empty_object": lambda document: {},
    "error_200": lambda document: problems.onix().body,
}
