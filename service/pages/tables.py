"""The table behind a chart: a row per half-hour, with the figures as they are read out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.pages.clock import Clock
from service.pages.rendering import figure


@dataclass(frozen=True)
class Row:
    """A half-hour; the day is said where it begins."""

    when: str
    cells: tuple[str, ...]
    is_synthetic: bool


def table(
    starts: Sequence[datetime],
    columns: Sequence[Sequence[float | None]],
    synthetic: Sequence[bool | None],
    clock: Clock,
    digits: Sequence[int] = (),
    remarks: Mapping[int, Sequence[str]] | None = None,
) -> list[Row]:
    """Rows of columns on one spine; `digits` after the point, by column.

    `synthetic` is said of the row, by its first column; `remarks` are words behind the values of another column.
    """
    places = [*digits, *[0] * (len(columns) - len(digits))]
    rows: list[Row] = []
    day = None
    for n, at in enumerate(starts):
        local = clock.local(at)
        when = clock.time(at) if local.date() == day else f"{local:%a} {local.day} {local:%b}, {clock.time(at)}"
        day = local.date()
        said = {number: words[n] for number, words in (remarks or {}).items()}
        cells = (
            f"{figure(column[n], place)} {said.get(number, '')}".rstrip()
            for number, (column, place) in enumerate(zip(columns, places, strict=True))
        )
        rows.append(Row(when, tuple(cells), bool(synthetic[n])))
    return rows
