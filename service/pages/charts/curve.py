"""Lines, bands, stacked areas and marked stretches over time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from markupsafe import Markup

from service.pages.charts.axes import grid, now_line, values
from service.pages.charts.scale import Scale, Span, scale
from service.pages.charts.svg import TOP, chart, plot, tag
from service.pages.clock import Clock

HALF_HOUR = timedelta(minutes=30)
Value = TypeVar("Value")
Points = Sequence[tuple[datetime, float | None]]
"""Start of a half-hour, and its value; None where there is none: the line has a gap there"""


@dataclass(frozen=True)
class Line:
    """One line; `look` is a class of the stylesheet."""

    look: str
    points: Points


@dataclass(frozen=True)
class Band:
    """The area between two lines."""

    look: str
    points: Sequence[tuple[datetime, float | None, float | None]]


@dataclass(frozen=True)
class Stretch:
    """A part of the time that is marked over the whole height, with a word at its top."""

    look: str
    begins: datetime
    ends: datetime
    label: str = ""


def curve(
    *,
    span: Span,
    clock: Clock,
    unit: str,
    table: str,
    lines: Sequence[Line] = (),
    bands: Sequence[Band] = (),
    stretches: Sequence[Stretch] = (),
    now: datetime | None = None,
    height: int = 200,
    most: float | None = None,
) -> Markup:
    """The chart; `table` is the id of the table with its figures, `most` the end of the scale where that is given."""
    known = [value for line in lines for _, value in line.points]
    known += [value for band in bands for _, *both in band.points for value in both]
    y = scale([*known, most], height)
    marked = [one for one in stretches if one.ends > span.begins and one.begins < span.ends]
    drawn = [*(_area(band, span, y) for band in bands), *(_path(line, span, y) for line in lines)]
    return chart(
        table,
        height,
        *(_stretch(one, span, height) for one in marked),
        grid(span, y, clock),
        plot(height, drawn),
        values(y, unit),
        *(_label(one, span) for one in marked if one.label),
        now_line(now, span, height),
    )


def _path(line: Line, span: Span, y: Scale) -> Markup:
    drawn = " ".join(f"M{_through(run, span, y)}" for run in _runs(line.points))
    return tag("path", f"line {line.look}", d=drawn) if drawn else Markup()


def _through(run: Sequence[tuple[datetime, float]], span: Span, y: Scale) -> str:
    points = [f"{span.x(at + HALF_HOUR / 2):g} {y.y(value):g}" for at, value in run]
    if len(points) == 1:  # a half-hour that stands alone is as long as it is
        ((at, value),) = run
        points = [f"{span.x(at):g} {y.y(value):g}", f"{span.x(at + HALF_HOUR):g} {y.y(value):g}"]
    return " ".join(points)


def _area(band: Band, span: Span, y: Scale) -> Markup:
    drawn = []
    for run in _runs([(at, None if low is None or high is None else (low, high)) for at, low, high in band.points]):
        lows, highs = ([(at, pair[n]) for at, pair in run] for n in (0, 1))
        if len(run) > 1:
            drawn.append(f"M{_through(highs, span, y)} {_through(lows[::-1], span, y)}Z")
    return tag("path", f"area {band.look}", d=" ".join(drawn)) if drawn else Markup()


def _runs(points: Sequence[tuple[datetime, Value | None]]) -> Iterator[list[tuple[datetime, Value]]]:
    """The stretches without a gap: no value missing, no half-hour skipped."""
    run: list[tuple[datetime, Value]] = []
    for at, value in points:
        if value is None or (run and at - run[-1][0] != HALF_HOUR):
            if run:
                yield run
            run = []
        if value is not None:
            run.append((at, value))
    if run:
        yield run


def _stretch(one: Stretch, span: Span, height: int) -> Markup:
    width = f"{100 * (span.part(one.ends) - span.part(one.begins)):.2f}%"
    return tag("rect", f"stretch {one.look}", x=span.percent(one.begins), width=width, y=TOP, height=height)


def _label(one: Stretch, span: Span) -> Markup:
    begins, ends = span.part(one.begins), span.part(one.ends)
    middle = (begins + ends) / 2
    anchor, at = ("start", begins) if middle < 0.15 else ("end", ends) if middle > 0.85 else ("middle", middle)
    return tag("text", f"mark {one.look}", one.label, text_anchor=anchor, x=f"{100 * at:.2f}%", y=TOP - 5)
