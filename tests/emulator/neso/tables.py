"""What is in the table of each resource as of now."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.emulator.neso import auctions, demand_layouts, embedded, flexibility, forecasts, prices
from tests.emulator.neso import published_demand as demand
from tests.emulator.neso.catalogue import Package, Resource
from tests.emulator.neso.changes import Changes, table_of
from tests.emulator.neso.published import EAC_ARCHIVES, PACKAGES
from tests.emulator.neso.recorded import Recorded
from tests.emulator.neso.table import Table

Source = Callable[[datetime], Table]
RESOURCES: dict[str, tuple[Package, Resource]] = {
    resource.id: (package, resource) for package in PACKAGES for resource in package.resources
}
_FIRST_ISSUE = forecasts.FIRST_TARGET
_YEARS = {resource_id: year for year, resource_id in demand.HISTORIC.items()}
_HISTORIC: dict[str, Source] = {
    resource_id: partial(demand_layouts.historic, year) for resource_id, year in _YEARS.items()
}
SOURCES: dict[str, Source] = _HISTORIC | {
    demand.UPDATE: demand_layouts.update,
    demand.ONE_DAY: lambda at: forecasts.current(1, at),
    demand.ONE_DAY_ARCHIVE: lambda at: forecasts.archive((1,), _FIRST_ISSUE, at, CP_END_TIME="numeric"),
    demand.TWO_DAYS: lambda at: forecasts.current(2, at, TARGETDATE="date", CP_ST_TIME="int4"),
    demand.TWO_DAYS_ARCHIVE: lambda at: forecasts.archive((2,), None, at, CP_ST_TIME="text", CP_END_TIME="text"),
    demand.SEVEN_DAYS: lambda at: forecasts.current(7, at, DAYSAHEAD="numeric", CP_ST_TIME="int4", CP_END_TIME="text"),
    demand.SEVEN_DAYS_ARCHIVE: lambda at: forecasts.archive((7,), None, at, CP_ST_TIME="int4"),
    demand.FORTNIGHT: forecasts.fortnight,
    demand.FORTNIGHT_ARCHIVE: lambda at: forecasts.archive(
        tuple(range(2, 15)), None, at, CP_ST_TIME="int4", FORECAST_TIMESTAMP="text"
    ),
    demand.HALF_HOURLY: forecasts.half_hourly,
    demand.PERFORMANCE: forecasts.performance,
    demand.EMBEDDED: embedded.forecast,
    "4f27eea5-7038-4f73-9740-e3e4ad47c26a": prices.n2ex,
    "0eda5e28-1dc6-48da-8663-c00e12f2a1e2": lambda at: prices.bsuos("II", at),
    "f0060fd0-1fc9-4288-a0b3-4af9b592b0cf": lambda at: prices.bsuos("SF", at),
    "26b0f410-27d4-448a-9437-45277818b838": lambda at: prices.bsuos("RF", at),
    "596f29ac-0387-4ba4-a6d3-95c243140707": auctions.summary,
    **{resource_id: partial(auctions.archive, year) for year, resource_id in EAC_ARCHIVES.items()},
    "3635fd80-49d7-4d02-964d-cc8c08d50302": flexibility.requirement,
    "f5605e2b-b677-424c-8df7-d0ce4ee03cef": flexibility.requirement_2025,
    "705e573c-ddac-4675-b410-82916b35c4fe": flexibility.summary,
    "25698259-0b66-42f0-ac59-ef0df5245812": flexibility.summary_2025,
    "3ebf77d7-05df-466e-a023-dc45a90efeea": flexibility.report,
}
_N2EX = "4f27eea5-7038-4f73-9740-e3e4ad47c26a"


class Tables:
    """Tables by the id that a resource goes by now."""

    def __init__(self, recorded: Path | None, now: Callable[[], datetime]):
        self._recorded = Recorded(recorded) if recorded else None
        self.now = now
        self.changes = Changes()

    def resource(self, resource_id: str) -> tuple[Package, Resource] | None:
        """The resource that goes by this id, and its package."""
        own_id = self.changes.original(resource_id)
        found = RESOURCES.get(own_id) if own_id else None
        if found and not found[1].exists(self.now()):
            return None
        if found and resource_id in self.changes.archived:
            return found[0], replace(found[1], name=f"{found[1].name.strip()} (Archive)")
        return found

    def has(self, resource_id: str) -> bool:
        """Whether there is a table."""
        return self.version(resource_id) is not None

    def version(self, resource_id: str) -> Hashable | None:
        """What changes when the table does; None where there is no table."""
        own_id = self.changes.original(resource_id)
        if own_id is None or (own_id not in SOURCES and own_id not in self.changes.put):
            return None
        if own_id in RESOURCES and not RESOURCES[own_id][1].exists(self.now()):
            return None
        serial = self.changes.serial.get(own_id, 0)
        if own_id in self.changes.put:
            return own_id, serial
        return own_id, serial, RESOURCES[own_id][1].published(self.now())

    def table(self, resource_id: str) -> Table:
        """Its columns and rows."""
        own_id = self.changes.original(resource_id) or resource_id
        table = self.changes.put.get(own_id) or self._published(own_id)
        return self.changes.apply(own_id, table, resource_id)

    def _published(self, own_id: str) -> Table:
        at = RESOURCES[own_id][1].published(self.now())
        generated = SOURCES[own_id](at)
        if not self._recorded:
            return generated
        whole = None
        if own_id in _YEARS:
            whole = self._recorded.historic(_YEARS[own_id])
        elif own_id == demand.UPDATE:
            whole = self._recorded.update(at)
        elif own_id == demand.ONE_DAY:
            whole = self._recorded.one_day(at)
        elif own_id == demand.SEVEN_DAYS:
            whole = self._recorded.seven_days(at)
        elif own_id == demand.HALF_HOURLY:
            whole = self._recorded.half_hourly(generated, at)
        elif own_id == _N2EX:
            whole = self._recorded.n2ex(generated)
        return whole or generated

    def last_modified(self, resource_id: str) -> datetime | None:
        """What CKAN says: when a test changed it last, else as the resource is published."""
        own_id = self.changes.original(resource_id) or resource_id
        if own_id in self.changes.at:
            return self.changes.at[own_id]
        return RESOURCES[own_id][1].last_modified(self.now())

    def move(self, resource_id: str, new_id: str) -> None:
        """From now on the resource goes by the new id alone."""
        own_id = self.changes.original(resource_id) or resource_id
        self.changes.moved[own_id] = new_id
        self.changes.note(own_id, self.now())

    def roll(self, resource_id: str, new_id: str, renamed: Mapping[str, str]) -> None:
        """From now on the new id has the data and the name, and the old id is an archive that still answers."""
        self.move(resource_id, new_id)
        self.changes.archived.add(resource_id)
        self.changes.renamed[new_id] = dict(renamed)

    def rename(self, resource_id: str) -> None:
        """From now on it is an archive, and nothing has its old name."""
        self.changes.archived.add(resource_id)
        self.touch(resource_id)

    def touch(self, resource_id: str) -> None:
        """It has changed, and nothing in it has."""
        self.changes.note(self.changes.original(resource_id) or resource_id, self.now())

    def drop(self, resource_id: str, column: str) -> None:
        """A column is gone."""
        own_id = self.changes.original(resource_id) or resource_id
        self.changes.dropped.setdefault(own_id, set()).add(column)
        self.changes.note(own_id, self.now())

    def put(self, resource_id: str, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str] | None) -> None:
        """Other rows."""
        own_id = self.changes.original(resource_id) or resource_id
        known = self._published(own_id).columns if own_id in SOURCES else {}
        self.changes.put[own_id] = table_of(rows, types, known)
        self.changes.note(own_id, self.now())
