"""A dataset and its days: drawn as a row of cells, and in words what of them is not whole and real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup

from service.pages.charts.heat import heat

WELL = frozenset({"real", "revised"})
"""Looks of a day that needs no words here; what was revised has a table of its own"""
Cell = tuple[str, str, str | None]
"""Look, words, and the address that the day leads to"""


@dataclass(frozen=True)
class Days:
    """Days one after another of which the same is to be said."""

    first: date
    last: date
    words: str


@dataclass(frozen=True)
class HeatRow:
    """A dataset and its days."""

    name: str
    drawn: Markup
    words: str
    others: Sequence[Days]
    address: str | None = None
    """of its newest day"""


def heat_row(
    name: str, days: Sequence[date], cells: Mapping[date, Cell], *, title: str, words: str, address: str | None = None
) -> HeatRow:
    """The row. `others` are the days that are not as they should be, for those who do not see the colours."""
    return HeatRow(name, heat(days, cells, f"{name}: {title}"), words, _others(cells), address)


def _others(cells: Mapping[date, Cell]) -> list[Days]:
    found = [(day, cells[day][1]) for day in sorted(cells) if cells[day][0] not in WELL]
    # days one after another less their place among them are one and the same day
    runs = groupby(enumerate(found), key=lambda one: (one[1][1], one[1][0] - timedelta(days=one[0])))
    return [Days(run[0][1][0], run[-1][1][0], words) for (words, _), run in ((key, list(group)) for key, group in runs)]
