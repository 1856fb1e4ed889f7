"""Values from the recorded files of the Insights API, by half-hour, read when they are first asked for.

Where a recording covers a time, it alone counts: a half-hour that it lacks is missing, as it was upstream.
"""

import csv
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from tests.emulator.elexon.printed import read
from tests.emulator.elexon.settlement import HALF_HOUR, half_hours

CENT, KILO = Decimal("0.01"), Decimal("0.001")
Value = TypeVar("Value")


class Series(Generic[Value]):
    """Values by start, and the spans for which they alone count."""

    def __init__(self) -> None:
        self.values: dict[datetime, Value] = {}
        self.spans: list[tuple[datetime, datetime]] = []

    def add(self, values: dict[datetime, Value]) -> None:
        """Take up a recording; its first and last half-hours bound what it speaks for."""
        if values:
            self.values |= values
            self.spans.append((min(values), max(values) + HALF_HOUR))

    def covers(self, start: datetime) -> bool:
        """Whether a recording speaks for this half-hour, even by leaving it out."""
        return any(first <= start < last for first, last in self.spans)


class Recorded:
    """What lies under `elexon/` in a folder; nothing without one."""

    def __init__(self, folder: Path | None):
        self._root = folder / "elexon" if folder else None

    @cached_property
    def market_index(self) -> Series[tuple[Decimal, Decimal]]:
        """(GBP/MWh, MWh) of APXMIDP."""
        series: Series[tuple[Decimal, Decimal]] = Series()
        for path in self._files("market_index/market_index_APXMIDP_*.csv"):
            series.add({_instant(row["startTime"]): _price(row["price"], row["volume"]) for row in _table(path)})
        for path in self._files("market_index/3YP_mip.csv"):
            with path.open() as file:
                rows = [row for row in csv.reader(file) if row[1] == "APXMIDP"]
            series.add({_start(row[2], int(row[3])): _price(row[4], row[5]) for row in rows})
        for path in self._files("api_json/datasets_MID_stream_APX_*.json"):
            rows = read(path.read_bytes())
            series.add({_instant(row["startTime"]): (row["price"], row["volume"]) for row in rows})
        return series

    @cached_property
    def system_prices(self) -> Series[tuple[Decimal, Decimal, Decimal]]:
        """(system sell price, system buy price, net imbalance volume)."""
        series: Series[tuple[Decimal, Decimal, Decimal]] = Series()
        for path in self._files("system_prices/sspsbpniv_*.csv"):
            with path.open() as file:
                rows = list(csv.reader(file))[1:]
            series.add(
                {
                    _start("".join(reversed(day.split("/"))), int(period)): (
                        Decimal(sell), Decimal(buy), Decimal(volume),
                    )
                    for day, period, sell, buy, volume in rows
                }
            )  # fmt: skip
        return series

    @cached_property
    def demand(self) -> Series[tuple[int | None, int | None]]:
        """(national demand, transmission system demand), MW."""
        series: Series[tuple[int | None, int | None]] = Series()
        for path in self._files("demand_outturn/*_demand_outturn.csv"):
            series.add(
                {
                    _instant(row["startTime"]): (
                        _megawatts(row["initialDemandOutturn"]),
                        _megawatts(row["initialTransmissionSystemDemandOutturn"]),
                    )
                    for row in _table(path)
                }
            )
        return series

    def _files(self, pattern: str) -> list[Path]:
        return sorted(self._root.glob(pattern)) if self._root else []


def _table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _start(day: str, period: int) -> datetime:
    return half_hours(date(int(day[:4]), int(day[4:6]), int(day[6:])))[period - 1]


def _price(price: str, volume: str) -> tuple[Decimal, Decimal]:
    return Decimal(price).quantize(CENT), Decimal(volume).quantize(KILO)


def _megawatts(text: str) -> int | None:
    return int(float(text)) if text else None
