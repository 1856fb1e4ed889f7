"""What the parts of a filter expression come to: literals, the values that a path reaches, comparisons."""

import operator
import re
from collections.abc import Callable
from typing import Any

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_WORDS = {"true": True, "false": False, "null": None}


def value_of(kind: str, token: str) -> Any:
    """A literal. KeyError: a word that is none."""
    if kind == "text":
        return text_of(token)
    if kind == "number":
        return float(token) if set(token) & set(".eE") else int(token)
    return _WORDS[token]


def text_of(token: str) -> str:
    """What stands between the quotes."""
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)


def reached(values: list[Any], steps: list[str | int]) -> list[Any]:
    """The values at the end of a path from each of these."""
    for step in steps:
        values = [inner for value in values for inner in _inner(value, step)]
    return values


def meets(sign: str, left: Any, right: Any) -> bool:
    """Whether a comparison holds; of two types only null is known to differ."""
    kinds = {_kind(left), _kind(right)}
    if len(kinds) > 1:
        return sign == "!=" and "NoneType" in kinds
    if kinds & {"dict", "list", "NoneType", "bool"} and sign not in ("==", "!="):
        return False
    return SIGNS[sign](left, right)


def _inner(value: Any, step: str | int) -> list[Any]:
    if isinstance(step, int):
        return value[step : step + 1 or None] if isinstance(value, list) else []
    if isinstance(value, list):
        return value if step == "*" else [inner for element in value for inner in _inner(element, step)]
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    return []


def _kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
