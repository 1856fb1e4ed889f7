"""How often an upstream answered: an outage is no fresh day, and a day of 23 or 25 hours has as many turns as it has room for."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from service.pages.cadence import cadences
from service.pages.turns import turns
from warehouse.periods import day_start

NAME = "carbon_intensity__national"
CADENCE = cadences()[NAME]
DAY = date(2026, 6, 1)


def asked(day: date, answered: list[datetime], *, faults: int = 0, first: datetime | None = None) -> dict[str, Any]:
    """A day of one dataset, as the query gives it."""
    first_asked = first or min(answered, default=day_start(day))
    return {"dataset": NAME, "day": day, "first_asked": first_asked, "answered": answered or None, "faults": faults}


def every_turn(day: date, most: int = 10_000) -> list[datetime]:
    """An answer in the middle of each turn of a day."""
    begins, ends = day_start(day), day_start(day + timedelta(days=1))
    return [begins + (n + 0.5) * CADENCE for n in range(min(most, int((ends - begins) / CADENCE)))]


def test_an_outage_on_the_first_day_leaves_the_later_days_as_late_as_they_were() -> None:
    days = [DAY + timedelta(days=n) for n in range(3)]
    rows = [
        asked(days[0], [], faults=40),
        asked(days[1], every_turn(days[1], 3), faults=40),
        asked(days[2], every_turn(days[2])),
    ]
    for order in (rows, rows[::-1]):
        found = turns(order, day_start(DAY + timedelta(days=4)))[NAME].days
        whole = int(timedelta(days=1) / CADENCE)
        assert [found[day].look for day in days] == ["missing", "synthetic", "real"]
        assert found[days[0]].words == f"answered in 0 of {whole} turns, 40 faults"
        assert found[days[1]].words == f"answered in 3 of {whole} turns, 40 faults"


def test_before_the_first_request_nobody_asked_and_after_it_everyone_counts() -> None:
    noon = day_start(DAY) + timedelta(hours=12)
    (found,) = turns([asked(DAY, [], faults=3, first=noon)], day_start(DAY + timedelta(days=1))).values()
    assert found.days[DAY].words == f"answered in 0 of {int(timedelta(hours=12) / CADENCE)} turns, 3 faults"
    assert found.late(noon) == "no answer"


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)])
def test_a_day_has_as_many_turns_as_hours(day: date, hours: int) -> None:
    before = day - timedelta(days=1)
    rows = [asked(before, every_turn(before)), asked(day, every_turn(day))]
    found = turns(rows, day_start(day + timedelta(days=1)))[NAME].days
    whole = int(timedelta(hours=hours) / CADENCE)
    assert found[day].words == f"answered in {whole} of {whole} turns" and found[day].look == "real"


def test_an_answer_is_on_time_within_one_and_a_half_turns() -> None:
    (found,) = turns([asked(DAY, [datetime(2026, 6, 1, 8, tzinfo=UTC)])], datetime(2026, 6, 2, tzinfo=UTC)).values()
    assert found.newest and found.late(found.newest + 1.4 * CADENCE) == "on time"
    assert found.late(found.newest + 1.6 * CADENCE) == "late"
