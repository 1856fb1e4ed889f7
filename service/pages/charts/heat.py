"""A map of datasets x days: a cell is a day of a dataset, and its look says whether that is complete."""

from collections.abc import Mapping, Sequence
from datetime import date

from markupsafe import Markup

from service.pages.charts.svg import joined, tag

CELL = 14
"""Units from one row to the next"""


def heat(days: Sequence[date], cells: Mapping[date, tuple[str, str, str | None]], title: str) -> Markup:
    """One row: of each day its look, its words and the address that it leads to; a day without any is nobody's.

    Its links are for pointers: a reader with a keyboard goes by the name of the row and from day to day.
    """
    drawn = []
    has_links = any(address is not None for _, _, address in cells.values())
    width = f"{88 / len(days):.2f}%"
    for n, day in enumerate(days):
        look, words, address = cells.get(day, ("none", "not asked for", None))
        said = f"{day:%a} {day.day} {day:%b}: {words}"
        box = tag(
            "rect", f"cell {look}", tag("title", "", said), x=f"{100 * n / len(days):.2f}%", width=width, height=CELL
        )
        drawn.append(box if address is None else tag("a", "", box, href=address, tabindex=-1, aria_label=said))
    return tag("svg", "heat", joined(drawn), role="group" if has_links else "img", aria_label=title, height=CELL)
