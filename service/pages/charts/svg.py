"""Elements of SVG. The one place where text becomes markup: every value of an attribute and every text is escaped."""

from collections.abc import Iterable

from markupsafe import Markup, escape

from service.pages.charts.scale import WIDTH

TOP, BOTTOM = 18, 22
"""Pixels above and below a plot: labels of marks, labels of times"""


def tag(name: str, look: str = "", inside: str | Markup = "", /, **attributes: object) -> Markup:
    """An element of a class, with its attributes (`text_anchor` is text-anchor; None is left out) and its content."""
    given = {"class": look or None, **attributes}
    written = "".join(
        f' {key.replace("_", "-")}="{escape(value)}"' for key, value in given.items() if value is not None
    )
    content = escape(inside)
    return _markup(f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return _markup("".join(parts))


def chart(table: str, height: int, *parts: Markup) -> Markup:
    """A chart of so many units, titled by the heading of the table with its figures."""
    inside = joined(parts)
    return tag(
        "svg", "chart", inside, role="img", data_table=table, aria_labelledby=f"{table}-title",
        height=height + TOP + BOTTOM,
    )  # fmt: skip


def plot(height: int, parts: Iterable[Markup]) -> Markup:
    """What stretches with the width of its chart."""
    return tag(
        "svg", "", joined(parts), y=TOP, width="100%", height=height, viewBox=f"0 0 {WIDTH} {height}",
        preserveAspectRatio="none",
    )  # fmt: skip


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704  # made of what is escaped above
