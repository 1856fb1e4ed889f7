"""Bodies of the datastore's actions as a fault leaves them; other bodies stay as they are."""

import json
import re
from collections.abc import Callable
from typing import Any

KEYS = {
    "_id", "SETTLEMENT_PERIOD", "Settlement_Period", "Settlement Period", "DAYSAHEAD", "TARGETDATE", "CP_ST_TIME",
    "CP_END_TIME", "CTIME", "Event ID", "Zone", "auctionID", "linkedServiceWindowID",
}  # fmt: skip
NUMBERS = ("int", "int4", "int8", "numeric", "float8")
FLIPS = {
    r"(\d{2}:\d{2})": r"\1:00",
    r"(\d{2}:\d{2}):00": r"\1",
    r"(\d{4}-\d{2}-\d{2})": r"\1T00:00:00",
    r"(\d{4}-\d{2}-\d{2})T00:00:00": r"\1",
    r"(\d{2}-[A-Z]{3})-20(\d{2})": r"\1-\2",
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}):00": r"\1",
}
"""How the files' days and times have changed for weeks and back: a whole text, and what it becomes"""
HELP = ("name=datastore_search_sql", "name=datastore_search")


def spoil(kind: str, body: bytes) -> bytes:
    """A body as this fault leaves it."""
    change = _CHANGES.get(kind)
    try:
        document = json.loads(body)
    except ValueError:
        return body
    if change is None or not isinstance(document, dict) or not str(document.get("help")).endswith(HELP):
        return body
    if not isinstance(document.get("result", {}).get("records"), list):
        return body
    changed = change(document)
    return json.dumps(document if changed is None else changed).encode()


def _records(document: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = document["result"]["records"]
    return records


def _measures(document: Any) -> list[str]:
    fields = [field for field in document["result"]["fields"] if field["id"] not in KEYS]
    return [field["id"] for field in fields if field["type"] in NUMBERS] or [field["id"] for field in fields]


def _like(value: Any, number: float) -> Any:
    """A number in the form that the value has."""
    return str(number) if isinstance(value, str) else number


def _moved(value: Any, by: int) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return _like(value, int(number) + by if number == int(number) else round(number + by, 6))


def _missing_key(document: Any) -> None:
    for record in _records(document)[len(_records(document)) // 2 :][:1]:
        record.pop(_measures(document)[0])


def _changed_type(document: Any) -> None:
    for record in _records(document)[-1:]:
        record[_measures(document)[0]] = "unknown"


def _duplicate(document: Any) -> None:
    records = _records(document)
    middle = len(records) // 2
    for record in records[middle : middle + 1]:
        records.insert(middle, record | {name: _moved(record[name], 9) for name in _measures(document)})


def _doubled(document: Any) -> None:
    """The file loaded twice: every row is there once more."""
    _records(document).extend([dict(record) for record in _records(document)])


def _revised(document: Any) -> None:
    for record in _records(document):
        record.update({name: _moved(record[name], 3) for name in _measures(document)})


def _absurd(document: Any) -> None:
    name = _measures(document)[0]
    number = 1_000_000_000 if "price" in name.lower() else 9_999_999
    for record in _records(document):
        record[name] = _like(record[name], number)


def _nul(document: Any) -> None:
    texts = [field["id"] for field in document["result"]["fields"] if field["type"] == "text"]
    record = next(iter(_records(document)), None)
    name = next((name for name in texts if record and isinstance(record[name], str)), None)
    if record and name:
        record[name] += "\x00"
    else:
        document["note"] = "\x00"


def _short_horizon(document: Any) -> None:
    del _records(document)[-17:]


def _format_flip(document: Any) -> None:
    """Each column of days or times is written in the other way that the files have had."""
    for name in {name for record in _records(document) for name in record}:
        texts = [record[name] for record in _records(document) if isinstance(record[name], str)]
        for flip in [flip for flip in FLIPS if texts and all(re.fullmatch(flip, text) for text in texts)][:1]:
            for record in _records(document):
                if isinstance(record[name], str):
                    record[name] = re.sub(flip, FLIPS[flip], record[name])


def _empty(document: Any) -> None:
    _records(document).clear()


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "missing_key": _missing_key,
    "changed_type": _changed_type,
    "duplicate": _duplicate,
    "doubled": _doubled,
    "revised": _revised,
    "absurd": _absurd,
    "short_horizon": _short_horizon,
    "format_flip": _format_flip,
    "empty": _empty,
    "nul": _nul,
    "empty_object": lambda document: {},
    "error_200": lambda document: {
        "help": document["help"],
        "success": False,
        "error": {"__type": "Search Error", "message": "Unable to perform search"},
    },
}
