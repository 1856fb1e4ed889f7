"""Bars, one per half-hour: those that are chosen stand out, those without a value leave a gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from service.pages.charts.axes import grid, now_line, values
from service.pages.charts.scale import Span, scale
from service.pages.charts.svg import chart, plot, tag
from service.pages.clock import Clock


@dataclass(frozen=True)
class Bar:
    """One bar; `look` is a class of the stylesheet."""

    begins: datetime
    value: float | None
    look: str = ""
    length: timedelta = timedelta(minutes=30)


def bars(
    *,
    span: Span,
    clock: Clock,
    unit: str,
    table: str,
    bars: Sequence[Bar],
    now: datetime | None = None,
    height: int = 200,
) -> Markup:
    """The chart; `table` is the id of the table with its figures."""
    y = scale([bar.value for bar in bars], height)
    drawn = []
    for bar in bars:
        if bar.value is None:
            continue
        x, end = span.x(bar.begins), span.x(bar.begins + bar.length)
        top, foot = sorted((y.y(bar.value), y.y(0)))
        width = f"{max(0.5, (end - x) * 0.86):.1f}"
        drawn.append(
            tag("rect", f"bar {bar.look}".strip(), x=x, width=width, y=top, height=max(1.0, round(foot - top, 1)))
        )
    return chart(table, height, grid(span, y, clock), plot(height, drawn), values(y, unit), now_line(now, span, height))
