"""Values from the recorded bodies and time series of the Carbon Intensity API, by half-hour.

Where a recording covers a time, it alone counts: a half-hour that it lacks is missing, as it was upstream.
"""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.emulator.carbon_intensity.generated import FUELS

Row = dict[str, Any]


@dataclass
class Recorded:
    """Rows as the upstream sent them: kind ("national", "generation", "regional") -> start -> rows."""

    rows: dict[str, dict[datetime, list[Row]]] = field(
        default_factory=lambda: {"national": {}, "generation": {}, "regional": {}}
    )
    spans: dict[str, list[tuple[datetime, datetime]]] = field(
        default_factory=lambda: {"national": [], "generation": [], "regional": []}
    )

    def covers(self, kind: str, start: datetime) -> bool:
        """Whether a recording speaks for this half-hour, even by leaving it out."""
        return any(first <= start < last for first, last in self.spans[kind])

    def add(self, kind: str, rows: Iterable[Row]) -> None:
        """Take up a recording; its first and last rows bound what it speaks for."""
        starts = []
        for row in rows:
            start = instant(row["from"])
            row = {**row, "from": f"{start:%Y-%m-%dT%H:%MZ}", "to": f"{start + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}"}
            kept = self.rows[kind].setdefault(start, [])
            if row not in kept:
                kept.append(row)
            starts.append(start)
        self.spans[kind].append((min(starts), max(starts) + timedelta(minutes=30)))


def instant(text: str) -> datetime:
    """An instant as the recordings write it: with Z, with an offset, or with a stray blank."""
    return datetime.fromisoformat(text.replace(" 00Z", "00Z").replace(" 30Z", "30Z")).astimezone(UTC)


def load(folder: Path) -> Recorded:
    """Everything under `carbon_intensity/` that is a range of half-hours of the whole country or of all regions."""
    root = folder / "carbon_intensity"
    bodies, other = root / "recorded_responses" / "bodies", root / "recorded_responses" / "other_fixtures"
    recorded = Recorded()
    recorded.add("national", _national_2023(root / "timeseries" / "national_2023_full.csv"))
    for path in (
        *bodies.glob("intensity_2*.json"),
        *bodies.glob("intensity_date_*.json"),
        other / "intensity_fw24h_2017-10-01.json",
        other / "intensity_pt24h_2021-08-24T2230Z_null_actuals.json",
    ):
        recorded.add("national", json.loads(path.read_text())["data"])
    for path in (*bodies.glob("generation_2*.json"), other / "generation_range_2023-09-17.json"):
        recorded.add("generation", json.loads(path.read_text())["data"])
    recorded.add(
        "regional",
        json.loads((bodies / "regional_intensity_2020-01-01T0000Z_2020-01-02T2359Z.json").read_text())["data"],
    )
    recorded.add(
        "regional", json.loads((other / "regional_fw24h_2023-11-03_data_whitespace_mangled.json").read_text())["data"]
    )
    recorded.add("regional", _regional_csv(root / "timeseries" / "regional_all_2023-12-29T2330Z_49x18.csv"))
    return recorded


def _national_2023(path: Path) -> list[Row]:
    with path.open() as file:
        return [
            {
                "from": row["from"],
                "to": row["to"],
                "intensity": {
                    "forecast": int(float(row["forecast"])) if row["forecast"] else None,
                    "actual": int(float(row["actual"])) if row["actual"] else None,
                    "index": row["index"],
                },
            }
            for row in csv.DictReader(file)
        ]


def _regional_csv(path: Path) -> list[Row]:
    half_hours: dict[str, Row] = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            start = f"{row['date']}T{row['from']}Z"
            half_hour = half_hours.setdefault(start, {"from": start, "to": start, "regions": []})
            half_hour["regions"].append(
                {
                    "regionid": int(row["regionid"]),
                    "dnoregion": row["dnoregion"],
                    "shortname": row["dnoregion"],
                    "intensity": {"forecast": int(row["intensity_forecast"]), "index": row["intensity_index"]},
                    "generationmix": [{"fuel": fuel, "perc": number(float(row[fuel]))} for fuel in FUELS],
                }
            )
    return list(half_hours.values())


def number(value: float) -> float | int:
    """As the upstream prints it: 12.3, but 12 rather than 12.0."""
    return int(value) if value == int(value) else value
