"""Bodies of the Carbon Intensity API as a fault leaves them."""

import json
from collections.abc import Callable
from typing import Any

MISFIRES = {"T05:00Z": (5, 78), "T05:30Z": (8, 84)}
"""The two half-hours before 06:00Z, as on 2026-09-23: gCO2/kWh, and the share of solar, per cent."""
APART = {"T03:00Z": -1000, "T15:00Z": 233}
"""Two half-hours that differ from those beside them: 5 g beside 145 to 181, and 284 beside 51; gCO2/kWh more"""
LEAST_GRAMS = 5
GAPS = ("T22:00Z", "T22:30Z")
"""Half-hours that the upstream has never had, as on 2021-04-19"""


def spoil(kind: str, body: bytes) -> bytes:
    """A body as this fault leaves it."""
    change = _CHANGES.get(kind)
    if change is None:
        return body
    document = json.loads(body)
    changed = change(document)
    return json.dumps(document if changed is None else changed, separators=(",", ":")).encode()


def _rows(document: Any) -> list[dict[str, Any]]:
    data = document["data"]
    return data if isinstance(data, list) else data["data"]


def _values(row: dict[str, Any]) -> list[dict[str, Any]]:
    return row.get("regions") or [row]


def _missing_key(document: Any) -> None:
    row = _values(_rows(document)[len(_rows(document)) // 2])[0]
    row.pop("intensity" if "intensity" in row else "generationmix")


def _changed_type(document: Any) -> None:
    row = _values(_rows(document)[-1])[0]
    if "intensity" in row:
        row["intensity"]["forecast"] = "unknown"
    else:
        row["generationmix"][0]["perc"] = "unknown"


def _duplicate(document: Any) -> None:
    """The row of 2021-04-19: the same half-hour twice, with other values."""
    rows = _rows(document)
    twin = json.loads(json.dumps(rows[len(rows) // 2]))
    for value in _values(twin):
        if value.get("intensity", {}).get("forecast") is not None:
            value["intensity"]["forecast"] += 9
    rows.insert(len(rows) // 2, twin)


def _doubled(document: Any) -> None:
    """Every half-hour twice."""
    _rows(document).extend(json.loads(json.dumps(_rows(document))))


def _revised(document: Any) -> None:
    for row in _rows(document):
        for value in _values(row):
            for name in ("forecast", "actual"):
                if value.get("intensity", {}).get(name):
                    value["intensity"][name] += 3


def _absurd(document: Any) -> None:
    for row in _rows(document):
        for value in _values(row):
            if "intensity" in value:
                value["intensity"]["forecast"] = 13579
            else:
                value["generationmix"] = [{**share, "perc": 55} for share in value["generationmix"]]


def _short_horizon(document: Any) -> None:
    rows = _rows(document)
    del rows[-17:]


def _solar_misfire(document: Any) -> None:
    """More solar than is installed, and so almost no carbon; before and after it, nothing of the kind."""
    for row in _rows(document):
        for value in _values(row) if row["from"][10:] in MISFIRES else ():
            grams, percent = MISFIRES[row["from"][10:]]
            if "intensity" in value:
                value["intensity"]["forecast"] = grams
            shares = value.get("generationmix", [])
            others = sum(share["perc"] for share in shares if share["fuel"] != "solar")
            for share in shares:
                is_solar = share["fuel"] == "solar"
                share["perc"] = percent if is_solar else round(share["perc"] * (100 - percent) / others, 1)


def _stands_apart(document: Any) -> None:
    for row in _rows(document):
        for value in _values(row) if row["from"][10:] in APART else ():
            for name in ("forecast", "actual"):
                if value.get("intensity", {}).get(name) is not None:
                    value["intensity"][name] = max(LEAST_GRAMS, value["intensity"][name] + APART[row["from"][10:]])


def _gap(document: Any) -> None:
    rows = _rows(document)
    rows[:] = [row for row in rows if row["from"][10:] not in GAPS]


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "missing_key": _missing_key,
    "changed_type": _changed_type,
    "duplicate": _duplicate,
    "doubled": _doubled,
    "revised": _revised,
    "absurd": _absurd,
    "short_horizon": _short_horizon,
    "solar_misfire": _solar_misfire,
    "stands_apart": _stands_apart,
    "gap": _gap,
    "empty_object": lambda document: {},
    "empty": lambda document: {"data": []},
    "error_200": lambda document: {
        "error": {"code": "500 Internal Server Error", "message": "Requested resource not found."}
    },
    "nul": lambda document: {**document, "note": "\x00"},
}
