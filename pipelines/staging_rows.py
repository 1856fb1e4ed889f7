"""The rows of schema `staging`: their columns as dlt knows them, and payloads as such rows."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.payload import Payload, Rejected
from warehouse.printed import storable

_UUID = {"data_type": "text", "x-postgres-uuid": True}
PAYLOAD_COLUMNS: dict[str, Any] = {
    "payload_id": {**_UUID, "nullable": False, "primary_key": True, "unique": True},
    "payload": {"data_type": "json", "nullable": False},
    "origin": {"data_type": "text", "nullable": False},
    "request_url": {"data_type": "text", "nullable": False},
    "request_params": {"data_type": "json", "nullable": False},
    "window_start": {"data_type": "timestamp", "nullable": False},
    "window_end": {"data_type": "timestamp", "nullable": False},
    "fetched_at": {"data_type": "timestamp", "nullable": False},
    "http_status": {"data_type": "bigint", "nullable": True},
    "body_bytes": {"data_type": "bigint", "nullable": False},
    "run_id": {**_UUID, "nullable": False},
}
REJECTED_COLUMNS: dict[str, Any] = {
    **{k: v for k, v in PAYLOAD_COLUMNS.items() if k not in ("payload", "origin", "request_params")},
    "dataset": {"data_type": "text", "nullable": False},
    "reason": {"data_type": "text", "nullable": False},
    "body": {"data_type": "text", "nullable": False},
}
_INSTANT = pa.timestamp("us", "UTC")
_ARROW_TYPES = {"timestamp": _INSTANT, "bigint": pa.int64()}


def payload_row(payload: Payload, run_id: uuid.UUID) -> dict[str, Any]:
    """A payload as a row."""
    return {
        "payload_id": str(payload.payload_id),
        "payload": payload.body.decode(),
        "origin": payload.origin,
        "request_url": storable(payload.request_url),
        "request_params": json.dumps(_storable(payload.request_params)),
        "window_start": payload.window.start,
        "window_end": payload.window.end,
        "fetched_at": payload.fetched_at,
        "http_status": payload.http_status,
        "body_bytes": len(payload.body),
        "run_id": str(run_id),
    }


def _storable(value: Any) -> Any:
    """A JSON value whose every text PostgreSQL can hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list | tuple) else value


def rejected_row(rejected: Rejected, run_id: uuid.UUID) -> dict[str, Any]:
    """A refused body as a row."""
    return {
        "payload_id": str(rejected.payload_id),
        "request_url": storable(rejected.request_url),
        "window_start": rejected.window.start,
        "window_end": rejected.window.end,
        "fetched_at": rejected.fetched_at,
        "http_status": rejected.http_status,
        "body_bytes": len(rejected.body),
        "run_id": str(run_id),
        "dataset": rejected.dataset.slug,
        "reason": storable(rejected.reason),
        "body": rejected.body_text,
    }


def arrow(rows: Sequence[Mapping[str, Any]], columns: dict[str, Any]) -> pa.Table:
    """Rows as the table that dlt passes on as it is."""
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], _ARROW_TYPES.get(hints["data_type"], pa.string()))
            for name, hints in columns.items()
        }
    )
