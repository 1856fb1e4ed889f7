"""Half-hours in a row as one marked stretch of a chart."""

from collections.abc import Sequence
from typing import Any

from service.pages.charts.curve import HALF_HOUR, Stretch


def stretches(rows: Sequence[dict[str, Any]], column: str, look: str, label: str) -> list[Stretch]:
    """The stretches in which a column of rows is true."""
    found: list[Stretch] = []
    for at in sorted({row["period_start"] for row in rows if row[column]}):
        if found and found[-1].ends == at:
            found[-1] = Stretch(look, found[-1].begins, at + HALF_HOUR, label)
        else:
            found.append(Stretch(look, at, at + HALF_HOUR, label))
    return found
