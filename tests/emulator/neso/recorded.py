"""Files as they were published. A whole file replaces what is generated; an excerpt replaces the rows that it has."""

import csv
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from tests.emulator.neso.demand_layouts import INDICATOR, columns
from tests.emulator.neso.forecasts import CARDINAL
from tests.emulator.neso.table import LONDON, Table

Rows = list[list[str]]
_ONE_DAY = ("dem1_demand_forecast_1d_day_ahead_national_20261009.csv", date(2026, 10, 8), 1)
_SEVEN_DAYS = ("dem1_national_forecast_7d_day_ahead_20261014.csv", date(2026, 10, 7), 7)
_HALF_HOURLY = ("dem1_2_14d_half_hourly_excerpt_2026-10-10.csv", date(2026, 10, 8))


class Recorded:
    """The files under `neso/` of a folder of recordings."""

    def __init__(self, folder: Path):
        self._root = folder / "neso"

    def historic(self, year: int) -> Table | None:
        """A year's file."""
        name = "demanddata_2026_to_2026-02-06.csv" if year == 2026 else f"demanddata_{year}.csv"
        path = self._root / "historic_demand" / name
        return Table(columns(year), _read(path)[1]) if path.exists() else None

    def update(self, published: datetime) -> Table | None:
        """The Demand Data Update of April 2024."""
        if (published.year, published.month) != (2024, 4):
            return None
        header, rows = _read(self._root / "demand_data_update" / "demanddataupdate_captured_2024-04.csv")
        types = columns(2026, indicator=True)
        assert INDICATOR in header
        return Table({name: types[name] for name in header}, rows)

    def one_day(self, published: datetime) -> Table | None:
        """The forecast for 9 October 2026, while it is the current one."""
        return self._cardinal(_ONE_DAY, published)

    def seven_days(self, published: datetime) -> Table | None:
        """The forecast for 14 October 2026, while it is the current one."""
        return self._cardinal(_SEVEN_DAYS, published)

    def _cardinal(self, file: tuple[str, date, int], published: datetime) -> Table | None:
        name, issued, _ = file
        if published.astimezone(LONDON).date() != issued:
            return None
        return Table(CARDINAL, _read(self._root / "forecasts" / name)[1])

    def half_hourly(self, generated: Table, published: datetime) -> Table:
        """The forecast with 10 October 2026 as it was recorded, if made within two days of that."""
        name, issued = _HALF_HOURLY
        if abs((published.astimezone(LONDON).date() - issued).days) > 2:
            return generated
        return _with(generated, _read(self._root / "forecasts" / name)[1], (0, 1))

    def n2ex(self, generated: Table) -> Table:
        """Prices with those that were recorded."""
        path = self._root / "n2ex_day_ahead" / "nordpool_n2ex_gb_day_ahead_excerpt.csv"
        return _with(generated, _read(path)[1], (0, 1))


def _with(generated: Table, rows: Rows, key: tuple[int, ...]) -> Table:
    """The generated rows, each replaced by the recorded one that agrees with it in these columns."""
    kept = {tuple(row[place] for place in key): row for row in rows}

    def replaced(row: Sequence[object]) -> Sequence[object]:
        return kept.get(tuple(str(row[place]) for place in key), row)

    return Table(generated.columns, (replaced(row) for row in generated.rows))


@lru_cache(maxsize=12)
def _read(path: Path) -> tuple[list[str], Rows]:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows
