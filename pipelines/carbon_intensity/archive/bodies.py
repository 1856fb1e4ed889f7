"""A captured file as the body that the API gave. What cannot be read is said with its file and line."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from pipelines.carbon_intensity.mixes import REGIONS
from pipelines.carbon_intensity.rows import FUELS, half_hour
from pipelines.payload import compact
from warehouse.periods import parse_instant, parse_iso

NATIONAL_COLUMNS = ("from", "intensity.forecast")
REGIONAL_COLUMNS = ("from", "regions.regionid", "regions.intensity.forecast", *FUELS)
LONG_COLUMNS = ("captured_at", "period_start", "forecast_gco2_kwh")


class FileRefused(ValueError):
    """A file that cannot be read: where, what is wrong, and what it should be."""

    def __init__(self, path: Path, line: int | None, what: str):
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {what}")


@dataclass(frozen=True)
class Body:
    """What a file holds of one capture: a body of the API's shape, and when it was captured if the file itself says so."""

    dataset: str | None
    """`national`, `regional`, or None where it is neither"""
    text: bytes
    captured_at: datetime | None = None


def of_json(path: Path, text: bytes) -> Body:
    """The API's body as it is, or one in an envelope (`captured_at`, `payload`). Raises FileRefused."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileRefused(path, error.lineno, f"is not JSON: {error.msg} (column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise FileRefused(path, None, f"is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise FileRefused(path, 1, "is not the API's body: an object with a list `data`")
    captured_at = None
    if "payload" in found:
        captured_at = _captured(path, found.get("captured_at"))
        found, text = found["payload"], compact(found["payload"])
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise FileRefused(path, 1, "is not the API's body: an object with a list `data`")
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    name = "regional" if "regions" in first else "national" if "intensity" in first else None
    return Body(name, text, captured_at)


def _captured(path: Path, value: Any) -> datetime:
    try:
        return parse_instant(str(value))
    except ValueError:
        raise FileRefused(
            path, None, f"its `captured_at` is {value!r}, not an instant such as 2026-08-20T21:06:57Z"
        ) from None


def of_csv(path: Path, lines: Iterable[str]) -> Iterator[Body]:
    """The captures of a table: one; several if it has a column `captured_at`; none of another kind. Raises FileRefused."""
    reader = csv.DictReader(lines)
    columns = reader.fieldnames or ()
    if _has(columns, LONG_COLUMNS):
        yield from _long(path, reader)
    elif _has(columns, REGIONAL_COLUMNS):
        yield Body("regional", compact({"data": _regional(path, reader)}))
    elif _has(columns, NATIONAL_COLUMNS):
        yield Body("national", compact({"data": [_national(path, at, row) for at, row in _rows(path, reader)]}))
    elif not _has(columns, ("from",)):
        raise FileRefused(
            path, 1, f"has the columns {', '.join(map(str, columns)) or 'none'}; a capture has {', '.join(NATIONAL_COLUMNS)}, or "
            f"{', '.join(REGIONAL_COLUMNS[:3])} and the fuels, or {', '.join(LONG_COLUMNS)}"
        )  # fmt: skip


def _has(columns: Iterable[str], wanted: Iterable[str]) -> bool:
    return set(wanted) <= set(columns)


def _rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with their lines."""
    try:
        for row in reader:
            if None in row or None in row.values():
                raise FileRefused(
                    path, reader.line_num, f"does not have {len(reader.fieldnames or ())} values as the header has"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise FileRefused(path, reader.line_num, f"is no line of a CSV file: {error}") from None


def _national(
    path: Path, line: int, row: Mapping[str, str], start: str = "from", forecast: str = "intensity.forecast"
) -> Any:
    values = {
        "forecast": _whole(path, line, row, forecast),
        "actual": _whole(path, line, row, "intensity.actual"),
        "index": None,
    }
    return {**_half_hour(path, line, row[start]), "intensity": values}


def _regional(path: Path, reader: "csv.DictReader[str]") -> list[JsonValue]:
    found: dict[str, Any] = {}
    for line, row in _rows(path, reader):
        region_id = _whole(path, line, row, "regions.regionid")
        if region_id not in REGIONS:
            raise FileRefused(path, line, f"its region is {row['regions.regionid']!r}, not 1 to 18")
        if row["from"] not in found:
            found[row["from"]] = {**_half_hour(path, line, row["from"]), "regions": []}
        mix = [{"fuel": fuel, "perc": _number(path, line, row, fuel)} for fuel in FUELS]
        intensity = {"forecast": _whole(path, line, row, "regions.intensity.forecast"), "index": None}
        name = REGIONS[region_id][0]
        region = {"regionid": region_id, "shortname": name, "intensity": intensity, "generationmix": mix}
        found[row["from"]]["regions"].append(region)
    return list(found.values())


def _long(path: Path, reader: "csv.DictReader[str]") -> Iterator[Body]:
    """The captures of a table of several, which has the rows of each one after another."""
    current: str | None = None
    rows: list[JsonValue] = []
    done: set[str] = set()
    for line, row in _rows(path, reader):
        if row["captured_at"] != current:
            if current is not None:
                yield Body("national", compact({"data": rows}), _captured(path, current))
                done.add(current)
            if row["captured_at"] in done:
                raise FileRefused(path, line, f"the rows captured at {row['captured_at']} do not stand together")
            current, rows = row["captured_at"], []
        rows.append(_national(path, line, {**row, "intensity.actual": ""}, "period_start", "forecast_gco2_kwh"))
    if current is not None:
        yield Body("national", compact({"data": rows}), _captured(path, current))


def _half_hour(path: Path, line: int, text: str) -> dict[str, JsonValue]:
    try:
        return half_hour(parse_iso(text))
    except ValueError as error:
        raise FileRefused(path, line, f"its half-hour {error}") from None


def _whole(path: Path, line: int, row: Mapping[str, str], column: str) -> int | None:
    """A whole number; an empty value is None."""
    text = row.get(column, "")
    if not text.strip():
        return None
    number = _number(path, line, row, column)
    if number != int(number):
        raise FileRefused(path, line, f"its {column} is {text!r}, not a whole number")
    return int(number)


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = float("nan")
    if not abs(number) < 1_000_000:  # NaN is not
        raise FileRefused(path, line, f"its {column} is {row[column]!r}, not a number")
    return number
