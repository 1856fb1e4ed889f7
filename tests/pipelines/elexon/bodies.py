"""Bodies as the Insights API prints them: of recorded files, and of a row or two."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_SETTLED = {"startTime": "2024-02-01T00:00:00Z", "settlementDate": "2024-02-01", "settlementPeriod": 1}
MARKET_INDEX = {**_SETTLED, "dataProvider": "APXMIDP", "price": 74.14, "volume": 2062.45}
SYSTEM_PRICE = {
    **_SETTLED, "createdDateTime": "2024-02-02T00:44:42Z", "systemSellPrice": 39.23, "systemBuyPrice": 39.23,
    "netImbalanceVolume": -65.67288375,
}  # fmt: skip
OUTTURN = {
    **_SETTLED, "publishTime": "2024-02-01T00:30:00Z", "initialDemandOutturn": 26639,
    "initialTransmissionSystemDemandOutturn": 28741,
}  # fmt: skip
FORECAST = {
    **_SETTLED, "publishTime": "2024-01-31T08:45:00Z", "nationalDemand": 26000, "transmissionSystemDemand": 27500,
    "boundary": "N",
}  # fmt: skip


def printed(rows: Sequence[Mapping[str, Any]], **more: Any) -> bytes:
    """The body of an answer with these rows."""
    return json.dumps({"metadata": {"datasets": ["X"]}, "data": rows, **more}, separators=(",", ":")).encode()


def recorded(path: Path) -> list[dict[str, Any]]:
    """The rows of a recorded file, numbers as numbers, without the column that its collector added."""
    with path.open(newline="") as file:
        return typed([{name: value for name, value in row.items() if name != "hour"} for row in csv.DictReader(file)])


def typed(rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Rows of text, numbers as numbers."""
    return [{name: _value(value) for name, value in row.items()} for row in rows]


def _value(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text or None
