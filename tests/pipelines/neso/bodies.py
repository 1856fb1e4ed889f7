"""Bodies as CKAN's datastore_search_sql prints them: of recorded files, and of a row or two."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DEMAND = {
    "SETTLEMENT_DATE": "2024-01-01", "SETTLEMENT_PERIOD": 1, "ND": 21000, "TSD": 24000, "ENGLAND_WALES_DEMAND": 19000,
    "EMBEDDED_WIND_GENERATION": 2800, "EMBEDDED_SOLAR_GENERATION": 0,
}  # fmt: skip
UPDATE = {**DEMAND, "FORECAST_ACTUAL_INDICATOR": "A"}
TWO_TO_14 = {"DATE": "2026-10-10", "CTIME": 30, "GDATETIME": "2026-10-09T23:30:00", "NATIONALDEMAND": 20660}
DAY_AHEAD = {
    "Date": "2024-01-01", "Settlement_Period": 1, "Demand_Forecast": 21000, "Publish_Datetime": "2023-12-31T08:45:00",
}  # fmt: skip
CARDINAL = {
    "TARGETDATE": 20261009, "FORECASTDEMAND": 21371, "CARDINALPOINT": "1F", "CP_TYPE": "F", "CP_ST_TIME": "30",
    "CP_END_TIME": 30,
}  # fmt: skip
N2EX = {"Date": "2024-01-01", "Delivery Period": "22:00 - 23:00", "Price": "129.950000"}
EAC = {
    "auctionProduct": "DCL", "serviceType": "Response", "deliveryStart": "2024-01-01T23:00:00",
    "deliveryEnd": "2024-01-02T03:00:00", "clearedVolume": "900", "clearingPrice": "-0.05",
}  # fmt: skip
DFS = {
    "Delivery Date": "2026-11-01", "From_UTC": "17:00:00", "To_UTC": "17:30:00", "Event Type": "Upwards",
    "DFS Unit ID": "AXLE-01-Z10", "DFS Procured MW": "1.5", "Service Requirement Type": "Live",
    "Utilisation Price GBP per MWh": "250", "Status": "Accepted",
}  # fmt: skip


def printed(records: Sequence[Mapping[str, Any]], **more: Any) -> bytes:
    """The body of an answer with these records."""
    return json.dumps({"help": "", "success": True, "result": {"records": records, "fields": [], **more}}).encode()


def recorded(path: Path) -> bytes:
    """A recorded file as its table is printed: a column of whole numbers as numbers, any other as text."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return printed(typed(list(csv.DictReader(file))))


def typed(rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Rows of text, in each the last column first; a column of whole numbers as numbers."""
    whole = {name for name in rows[0] if all(row[name].lstrip("-").isdigit() for row in rows)}
    return [{name: int(row[name]) if name in whole else row[name] for name in reversed(list(row))} for row in rows]
