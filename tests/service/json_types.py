"""The types of JSON: values of each, and which of them a schema takes."""

from typing import Any

VALUES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [1, 60],
    "number": [1.5],
    "string": ["1", "60", "true", "1.5", "1700000000"],
    "array": [[], [1], ["1"]],
    "object": [{}, {"1": 1}],
}


def kinds(schema: dict[str, Any]) -> set[str]:
    """The types of JSON that a schema takes, without null."""
    parts = [kinds(part) for keyword in ("anyOf", "oneOf", "allOf") for part in schema.get(keyword, ())]
    found = set().union(*parts) | ({schema["type"]} - {"null"} if "type" in schema else set())
    found |= {"object"} if "$ref" in schema else set()
    return found | ({"integer"} if "number" in found else set())


def other_types(taken: set[str]) -> list[Any]:
    """Values of the types that are not taken."""
    return [value for kind, values in VALUES.items() if kind not in taken for value in values]
