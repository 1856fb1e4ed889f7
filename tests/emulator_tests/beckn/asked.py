"""What is asked of the Beckn emulator, and parts of its answers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conftest import RECORDED_DIR
from tests.emulator.beckn import Beckn
from tests.emulator.protocol import Asked, Reply

FOLDER = (RECORDED_DIR or Path()) / "beckn"
NOW = datetime(2026, 11, 5, 14, 7, tzinfo=UTC)
CONTEXT = {
    "version": "2.0.0", "action": "discover", "domain": "beckn.one:DEG:compute-energy:1.0",
    "timestamp": "2025-11-24T11:24:08.317Z", "message_id": "m-1", "transaction_id": "t-1",
    "bap_id": "ev-charging.sandbox1.com", "bap_uri": "https://ev-charging.sandbox1.com.com/bap", "ttl": "PT30S",
    "schema_context": ["https://example.com/context.jsonld"],
}  # fmt: skip
ORDER_CONTEXT = {
    **CONTEXT, "bpp_id": "ev-charging.sandbox1.com", "bpp_uri": "https://ev-charging.sandbox1.com.com/bpp",
}  # fmt: skip
GRID = "@.beckn:itemAttributes.beckn:gridParameters"
AT_LEAST_30 = f"$[?({GRID}.renewableMix >= 30)]"
ORDER_ACTIONS = ("select", "init", "confirm", "status", "update", "cancel")
TIMEOUT = {
    "message": {"ack": {"status": "NACK"}},
    "error": {"type": "TIMEOUT", "code": "REQUEST_TIMEOUT", "message": "No response received within 30 seconds"},
}


def post(beckn: Beckn, path: str, document: object) -> Reply:
    return beckn.answer(Asked("POST", path, json.dumps(document).encode(), "application/json"))


def asking(expression: str | None = AT_LEAST_30, **context: Any) -> dict[str, Any]:
    filters = {"filters": {"type": "jsonpath", "expression": expression}} if expression else {}
    return {"context": {**CONTEXT, **context}, "message": {"text_search": "Grid flexibility windows", **filters}}


def discover(beckn: Beckn, expression: str | None = AT_LEAST_30) -> dict[str, Any]:
    reply = post(beckn, "/api/discover", asking(expression))
    assert reply.status == 200, reply.body
    return dict(json.loads(reply.body))


def catalogues(beckn: Beckn, expression: str | None = AT_LEAST_30) -> list[dict[str, Any]]:
    return list(discover(beckn, expression)["message"]["catalogs"])


def items(beckn: Beckn, expression: str | None = AT_LEAST_30) -> list[dict[str, Any]]:
    return [item for catalogue in catalogues(beckn, expression) for item in catalogue["beckn:items"]]


def keys(found: list[dict[str, Any]]) -> list[str]:
    return [item["beckn:id"].removeprefix("item-ce-") for item in found]


def grid(item: dict[str, Any]) -> dict[str, Any]:
    return dict(item["beckn:itemAttributes"]["beckn:gridParameters"])


def order(action: str, order_id: str = "order-1", **context: Any) -> dict[str, Any]:
    return {
        "context": {**ORDER_CONTEXT, "action": action, **context}, "message": {"order": {"beckn:id": order_id}},
    }  # fmt: skip


def without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {name: without(inner, *names) for name, inner in value.items() if name not in names}
    return [without(inner, *names) for inner in value] if isinstance(value, list) else value
