"""How the Insights API prints: compact, prices and volumes with the zeros at their end."""

import json
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


def printed(value: object) -> str:
    """Compact JSON in which a Decimal is a number with the digits that it has."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f'"{name}":{printed(inner)}' for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(printed, value)) + "]"
    return json.dumps(value)


def body(rows: list[Row], datasets: tuple[str, ...]) -> bytes:
    """An object with its rows, after what datasets they are of where the route says so."""
    metadata = {"metadata": {"datasets": list(datasets)}} if datasets and rows else {}
    return printed({**metadata, "data": rows}).encode()


def stream(rows: list[Row]) -> bytes:
    """A bare array."""
    return printed(rows).encode()


def read(text: bytes) -> Any:
    """A body, its numbers with a fraction kept digit by digit."""
    return json.loads(text, parse_float=Decimal)
