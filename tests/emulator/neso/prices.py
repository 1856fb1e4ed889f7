"""The N2EX price of each hour, and the BSUoS tariff."""

import math
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from tests.emulator.neso.table import LONDON, Table, days, noise, periods

N2EX = {"Date": "date", "Delivery Period": "text", "Price": "numeric"}
FIRST = date(2021, 9, 20)
FIRST_HOUR = LAST_HOUR = 22
WITHOUT_PRICE = (date(2022, 6, 12), 13)
_SHAPE = (-14, -17, -19, -20, -18, -10, 6, 18, 20, 10, 2, -3, -6, -8, -4, 4, 22, 44, 46, 32, 16, 4, -4, -10)
_LAG = {"II": 5, "SF": 20, "RF": 200}


def n2ex(published: datetime) -> Table:
    """GBP/MWh, hourly in UTC, up to 22:00 of the day of publication; "23:00 - 00:00" is the last hour of its date."""
    return Table(N2EX, _n2ex(published.date()))


def _n2ex(last: date) -> Iterator[list[object]]:
    for day in days(FIRST, last):
        for hour in range(FIRST_HOUR if day == FIRST else 0, LAST_HOUR if day == last else 24):
            yield [day, label(hour), price(day, hour)]


def label(hour: int) -> str:
    """The delivery period that begins at this hour."""
    return f"{hour:02}:00 - {(hour + 1) % 24:02}:00"


def price(day: date, hour: int) -> str | None:
    """The price of an hour with six decimals; windy nights have a negative one, or none at all."""
    if (day, hour) == WITHOUT_PRICE:
        return None
    bytes_ = _bytes(day)
    crisis = 130 * max(0.0, 1 - abs((day - date(2022, 8, 1)).days) / 400)
    cold = math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365)
    windy = bytes_[24] > 225
    value = 72 + crisis + 12 * cold + _SHAPE[hour] + (bytes_[hour] - 128) / 8 - (78 + crisis if windy else 0)
    return "0.000000" if windy and -1 < value < 3 else f"{value:.2f}0000"


_BYTES: dict[date, bytes] = {}


def _bytes(day: date) -> bytes:
    if day not in _BYTES:
        _BYTES[day] = noise(f"n2ex|{day}", 25)
    return _BYTES[day]


def bsuos(run: str, published: datetime) -> Table:
    """The charge of each settlement period of about 90 days, up to the days that this run has reached."""
    day, total = ("Settlement Day", "BSUoS Recovery (£)") if run == "II" else (
        "Settlement Date", "BSUoS Total Recovery (£)",
    )  # fmt: skip
    columns = {
        day: "date", "Settlement Period": "int4", "BSUoS Tariff (£/MWh)": "numeric", "Volume (MWh)": "numeric",
        total: "numeric", "Run Type": "text", "Actual BSUoS Cost (£)": "numeric",
    }  # fmt: skip
    last = published.astimezone(LONDON).date() - timedelta(days=_LAG[run])
    return Table(columns, _bsuos(run, last))


def _bsuos(run: str, last: date) -> Iterator[list[object]]:
    for day in days(last - timedelta(days=89), last):
        bytes_ = noise(f"bsuos|{day}", 50)
        tariff = "15.69" if 4 <= day.month < 10 else "11.33"
        for period in range(1, periods(day) + 1):
            volume = 11_000 + 20 * bytes_[period - 1]
            yield [
                day, period, tariff, f"{volume}.125", f"{volume * float(tariff):.2f}", run,
                f"{60_000 + 800 * bytes_[period - 1]}.50",
            ]  # fmt: skip
