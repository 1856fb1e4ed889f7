"""The flows as the tests run them, and what they leave in the clean tables."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue import SOURCES
from warehouse.database import Database


@dataclass
class Energy:
    """The flows against a database and an upstream, in this process."""

    database: Database
    data_dir: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    output: str = ""

    def set(self, **settings: str) -> None:
        """Settings as a user would set them."""
        for name, value in settings.items():
            self.monkeypatch.setenv(name, value)

    def unplug(self) -> None:
        """No upstream can be reached."""
        self.set(**{f"{source.upper()}_URL": "http://127.0.0.1:9" for source in SOURCES})

    def refresh(self, *datasets: str) -> dict[str, Any]:
        """Run the flow; what it printed is in `output`."""
        from flows.refresh import refresh

        outcome = refresh.fn(datasets=list(datasets) or None)
        self.output = "".join(self.capsys.readouterr())
        return dict(outcome)

    def backfill(self, start: str, end: str, *datasets: str, force: bool = False) -> dict[str, Any]:
        """Run the flow; what it printed is in `output`."""
        from datetime import date

        from flows.backfill import backfill

        outcome = backfill.fn(date.fromisoformat(start), date.fromisoformat(end), list(datasets) or None, force)
        self.output = "".join(self.capsys.readouterr())
        return dict(outcome)

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows, as the owner of the database sees them."""
        with self.database.connect() as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *values: Any) -> Any:
        """The one value of a query."""
        return self.query(statement, *values)[0][0]


FAST = {
    "CARBON_INTENSITY_REQUESTS_PER_SECOND": "1000",
    "NESO_CKAN_REQUESTS_PER_SECOND": "1000",
    "NESO_DATASTORE_REQUESTS_PER_MINUTE": "60000",
    "ELEXON_REQUESTS_PER_SECOND": "1000",
    "BECKN_REQUESTS_PER_SECOND": "1000",
    "BECKN_READ_TIMEOUT_SECONDS": "20",
    "HTTP_ATTEMPTS": "2",
    "HTTP_READ_TIMEOUT_SECONDS": "20",
    "HTTP_CONNECT_TIMEOUT_SECONDS": "5",
}


CARBON_TABLES = (
    "carbon_intensity_national",
    "carbon_intensity_regional",
    "generation_mix_national",
    "generation_mix_regional",
)
CLEAN_TABLES = (
    *CARBON_TABLES,
    "demand_actual_national",
    "demand_forecast_national",
    "demand_regional",
    "wholesale_prices",
    "flexibility_prices",
    "grid_zones",
    "compute_windows",
    "grid_snapshots",
    "offers",
)


def contents(energy: Energy, *, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every clean table, row by row, without the columns named."""
    found = {}
    for table in CLEAN_TABLES:
        described = energy.query(
            "select column_name, data_type from information_schema.columns where table_schema = 'public' "
            "and table_name = %s order by ordinal_position",
            table,
        )
        columns = [f"{name}::text" if kind == "jsonb" else name for name, kind in described if name not in without]
        found[table] = energy.query(f"select {', '.join(columns)} from {table} order by {', '.join(columns[:4])}")
    return found
