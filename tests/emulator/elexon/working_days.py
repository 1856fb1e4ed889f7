"""Working days of England, on which settlements are run: the bank holidays as the government published them."""

from datetime import date

from tests.emulator.elexon.settlement import DAY

SATURDAY = 5
HOLIDAYS = {
    2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
    2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
}


def next_working_day(day: date) -> date:
    """The first day after it on which offices are open; of other years no holidays are known."""
    after = day + DAY
    while after.weekday() >= SATURDAY or f"{after:%m-%d}" in HOLIDAYS.get(after.year, ""):
        after += DAY
    return after
