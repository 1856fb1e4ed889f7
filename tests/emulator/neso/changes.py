"""What a test has changed: resources moved, columns gone, rows replaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from tests.emulator.neso.table import Table

_SERIAL = count(1)


@dataclass
class Changes:
    """By the resource's own id, whatever id it goes by now."""

    moved: dict[str, str] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    dropped: dict[str, set[str]] = field(default_factory=dict)
    renamed: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the id that it goes by now: the archive keeps the old names"""
    put: dict[str, Table] = field(default_factory=dict)
    at: dict[str, datetime] = field(default_factory=dict)
    serial: dict[str, int] = field(default_factory=dict)

    def original(self, resource_id: str) -> str | None:
        """The own id of the resource that goes by this one; None if it went by it once."""
        if resource_id in self.moved:
            return resource_id if resource_id in self.archived else None
        return next((own for own, new in self.moved.items() if new == resource_id), resource_id)

    def current(self, own_id: str) -> str:
        """The id that it goes by."""
        return self.moved.get(own_id, own_id)

    def note(self, own_id: str, now: datetime) -> None:
        """That it has just changed."""
        self.at[own_id] = now
        self.serial[own_id] = next(_SERIAL)

    def apply(self, own_id: str, table: Table, resource_id: str) -> Table:
        """The table under the names of today, without the columns that are gone."""
        names = self.renamed.get(resource_id, {})
        if names:
            table = Table({names.get(name, name): kind for name, kind in table.columns.items()}, table.rows)
        gone = self.dropped.get(own_id, set()) & set(table.columns)
        if not gone:
            return table
        kept = [place for place, name in enumerate(table.columns) if name not in gone]
        columns = {name: kind for name, kind in table.columns.items() if name not in gone}
        return Table(columns, ([row[place] for place in kept] for row in table.rows))


def table_of(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str] | None, known: Mapping[str, str]) -> Table:
    """Rows as a table: types as given, else as known, else as the values suggest."""
    names = list(types or ()) or list(dict.fromkeys(name for row in rows for name in row)) or list(known)
    columns = {}
    for name in names:
        values = [row[name] for row in rows if row.get(name) is not None]
        columns[name] = (types or {}).get(name) or known.get(name) or _kind(values)
    return Table(columns, [[row.get(name) for name in names] for row in rows])


def _kind(values: list[Any]) -> str:
    for kinds, name in (
        ((bool,), "bool"), ((int,), "int4"), ((int, float, Decimal), "numeric"), ((datetime,), "timestamp"),
        ((date,), "date"),
    ):  # fmt: skip
        if values and all(isinstance(value, kinds) for value in values):
            return name
    return "text"
