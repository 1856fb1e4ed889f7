"""What stands around a plot: the grid, times below, values at the left, and where now is."""

from datetime import datetime

from markupsafe import Markup

from service.pages.charts.scale import Scale, Span, number
from service.pages.charts.svg import TOP, joined, tag
from service.pages.clock import Clock

LEFT = 0.06
"""Part of the width that labels of values take: no label of a mark is drawn there"""
UNIT = 0.3
"""The same of the one with the unit, on a phone"""


def grid(span: Span, y: Scale, clock: Clock) -> Markup:
    """Lines across at round values and down at round times, with the times."""
    parts = [
        tag("line", "zero" if tick == 0 else "grid", x2="100%", y1=TOP + y.y(tick), y2=TOP + y.y(tick))
        for tick in y.ticks
    ]
    for at, label, is_day in span.ticks(clock):
        x, look = span.percent(at), "day" if is_day else "hour"
        parts.append(tag("line", look, x1=x, x2=x, y1=TOP, y2=TOP + y.height))
        if span.part(at) < 0.97:
            parts.append(tag("text", look, label, x=x, dx=3, y=TOP + y.height + 15))
    return joined(parts)


def values(y: Scale, unit: str) -> Markup:
    """The round values, the last one with the unit."""
    shown = [tick for tick in y.ticks if tick != y.low or y.low < 0]
    return joined(
        tag(
            "text",
            "value",
            f"{number(tick)} {unit}" if tick == y.ticks[-1] else number(tick),
            x=2,
            y=TOP + y.y(tick) - 3,
        )
        for tick in shown
    )


def now_line(now: datetime | None, span: Span, height: int, *, beside_values: bool = True) -> Markup:
    """Where now is, if the chart covers it. Near the labels of the values its word stands lower than the one with the unit."""
    if now is None or not span.begins <= now <= span.ends:
        return Markup()
    x = span.percent(now)
    line = tag("line", "now", x1=x, x2=x, y1=TOP, y2=TOP + height)
    if not beside_values or span.part(now) >= UNIT:
        return line + tag("text", "now", "now", text_anchor="middle", x=x, y=TOP - 5)
    return line if span.part(now) < LEFT else line + tag("text", "now", "now", x=x, dx=5, y=TOP + 13)
