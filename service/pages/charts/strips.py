"""A bar of shares, and a gauge with the bands of the intensity index."""

import itertools
from collections.abc import Sequence

from markupsafe import Markup

from service.pages.charts.svg import joined, tag


def shares(parts: Sequence[tuple[str, str, float | None]], title: str) -> Markup:
    """One bar of (look, name, per cent); what has no value, or none of a share, has no part."""
    at, drawn = 0.0, []
    for look, name, percent in parts:
        if percent is None or percent <= 0:
            continue
        said = tag("title", "", f"{name}: {percent:g} %")
        drawn.append(tag("rect", f"fuel {look}", said, x=f"{at:.2f}%", width=f"{percent:.2f}%", height="100%"))
        at += percent
    return tag("svg", "strip", joined(drawn), role="img", aria_label=title, height=36)


def gauge(value: float | None, bounds: Sequence[int], most: int, title: str) -> Markup:
    """A value on a scale from 0 to `most`, over the bands that begin at the bounds."""
    edges = [0, *bounds, max(most, bounds[-1] + 1)]

    def x(edge: float) -> str:
        return f"{100 * min(edge, edges[-1]) / edges[-1]:.2f}%"

    drawn = [
        tag("rect", f"band b{n}", x=x(low), width=x(high - low), y=8, height=10)
        for n, (low, high) in enumerate(itertools.pairwise(edges))
    ]
    drawn += [tag("text", "tick", str(edge), text_anchor="middle", x=x(edge), y=32) for edge in bounds]
    if value is not None:
        drawn.append(tag("line", "needle", x1=x(value), x2=x(value), y1=2, y2=24))
    return tag("svg", "gauge", joined(drawn), role="img", aria_label=title, height=36)
