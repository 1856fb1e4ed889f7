"""Bodies of the Insights API as a fault leaves them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.emulator.elexon.printed import Row, printed, read
from tests.emulator.elexon.problems import server_error
from tests.emulator.elexon.settlement import iso

PRICES = ("price", "systemSellPrice", "systemBuyPrice")
MEGAWATTS = (
    "initialDemandOutturn", "initialTransmissionSystemDemandOutturn", "nationalDemand", "transmissionSystemDemand",
    "demand",
)  # fmt: skip
IMPOSSIBLE_PRICE, IMPOSSIBLE_DEMAND = Decimal("1000000000.00"), 9_999_999
LATE_ROWS = 17


def spoil(kind: str, body: bytes) -> bytes:
    """A body as this fault leaves it."""
    if kind == "error_200":
        return server_error("")
    change = _CHANGES.get(kind)
    if change is None:
        return body
    document = read(body)
    changed = change(document)
    return printed(document if changed is None else changed).encode()


def _rows(document: Any) -> list[Row]:
    found: list[Row] = document if isinstance(document, list) else document["data"]
    return found


def _telling(document: Any) -> list[Row]:
    """The rows that say something: those of a provider without trades are but placeholders."""
    return [row for row in _rows(document) if row.get("volume") != 0] or _rows(document)


def _middle(document: Any) -> Row:
    rows = _telling(document)
    return rows[len(rows) // 2] if rows else {}


def _values(row: Row) -> list[str]:
    return [name for name in (*PRICES, *MEGAWATTS) if row.get(name) is not None]


def _missing_key(document: Any) -> None:
    row = _middle(document)
    for name in _values(row)[:1]:
        del row[name]


def _changed_type(document: Any) -> None:
    row = _middle(document)
    for name in _values(row)[:1]:
        row[name] = "unknown"


def _duplicate(document: Any) -> None:
    row = _middle(document)
    if row:
        _rows(document).insert(_rows(document).index(row), _moved(row, 9))


def _doubled(document: Any) -> None:
    _rows(document).extend([dict(row) for row in _rows(document)])


def _revised(document: Any) -> None:
    for row in _telling(document):
        row.update(_moved(row, 3))


def _absurd(document: Any) -> None:
    for row in _telling(document):
        for name in _values(row):
            row[name] = IMPOSSIBLE_PRICE if name in PRICES else IMPOSSIBLE_DEMAND


def _short_horizon(document: Any) -> None:
    rows = _rows(document)
    for row in sorted(rows, key=lambda row: str(row.get("startTime")))[-LATE_ROWS:]:
        rows.remove(row)


def _superseded(document: Any) -> None:
    """Before and after each row that says when it was published stands one of an hour before, with larger values."""
    rows, found = _rows(document), []
    for row in rows:
        published = next((name for name in ("publishTime", "createdDateTime") if name in row), None)
        if published:
            sooner = datetime.fromisoformat(str(row[published])) - timedelta(hours=1)
            before = {**_moved(row, 9), published: iso(sooner)}
            found.append([before, row, before])
    if found:
        rows[:] = [row for group in found for row in group]


def _nul(document: Any) -> Any:
    if isinstance(document, list):
        return [{**row, "note": "\x00"} for row in document]
    return {**document, "note": "\x00"}


def _moved(row: Row, by: int) -> Row:
    return {**row, **{name: row[name] + by for name in _values(row)}}


_CHANGES: dict[str, Callable[[Any], Any]] = {
    "missing_key": _missing_key,
    "changed_type": _changed_type,
    "duplicate": _duplicate,
    "doubled": _doubled,
    "revised": _revised,
    "absurd": _absurd,
    "short_horizon": _short_horizon,
    "superseded": _superseded,
    "empty_object": lambda document: {},
    "empty": lambda document: [] if isinstance(document, list) else {"data": []},
    "nul": _nul,
}
