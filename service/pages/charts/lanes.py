"""Lanes: what runs when, a lane each, on the time axis of the chart above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from service.pages.charts.axes import now_line
from service.pages.charts.scale import Span
from service.pages.charts.svg import TOP, joined, tag
from service.pages.clock import Clock

LANE = 34
"""Units from one lane to the next: a line of text, and the bar below it"""


@dataclass(frozen=True)
class Lane:
    """One lane; `look` is a class of the stylesheet, `words` what it is called."""

    words: str
    look: str
    pieces: Sequence[tuple[datetime, datetime]]
    address: str
    within: tuple[datetime, datetime] | None = None
    """from when until when it may run"""


def lanes(span: Span, clock: Clock, rows: Sequence[Lane], now: datetime, title: str) -> Markup:
    """The lanes that have something in the span, from the top; each leads to its address."""
    height = LANE * len(rows)
    # a name is read over the line of now, not through it
    drawn = [_times(span, clock, height), now_line(now, span, height, beside_values=False)]
    for n, lane in enumerate(rows):
        drawn.append(tag("a", "", _lane(lane, span, TOP + n * LANE), href=lane.address))
    return tag("svg", "chart lanes", joined(drawn), role="group", aria_label=title, height=height + TOP + 4)


def _lane(lane: Lane, span: Span, top: int) -> Markup:
    parts = [tag("text", "lane", lane.words, x=2, y=top + 12)]
    if lane.within is not None:
        parts.append(_box(span, *lane.within, "within", top + 22, 3))
    parts += [_box(span, begins, ends, f"run {lane.look}", top + 17, 13) for begins, ends in lane.pieces]
    return joined(parts)


def _box(span: Span, begins: datetime, ends: datetime, look: str, y: int, height: int) -> Markup:
    if ends <= span.begins or begins >= span.ends:
        return Markup()
    width = max(0.3, 100 * (span.part(ends) - span.part(begins)))
    return tag("rect", look, x=span.percent(begins), width=f"{width:.2f}%", y=y, height=height)


def _times(span: Span, clock: Clock, height: int) -> Markup:
    return joined(
        tag("line", "day" if is_day else "hour", x1=span.percent(at), x2=span.percent(at), y1=TOP, y2=TOP + height)
        for at, _, is_day in span.ticks(clock)
    )
