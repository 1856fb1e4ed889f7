"""Settlements by hand and by brute force: energy x average intensity, half-hour by half-hour."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from placement.outlook import Outlook
from placement.settlement import Amount, Course, Settled, Site, Stretch, amount, half_hours, lasting, settle, without
from placement.task import Task
from placement.venues import Venue, Venues
from tests.placement.brute_force import START, outlook

HOUR = timedelta(hours=1)
LONDON = Site(13)
VALUE = 0.264


def after(hours: float) -> datetime:
    return START + hours * HOUR


def course(*pieces: tuple[float, float], kw: float = 10, site: Site = LONDON) -> Course:
    bounds = tuple((after(begins), after(ends)) for begins, ends in pieces)
    return Course(site, bounds, tuple(Stretch(begins, ends, kw) for begins, ends in bounds))


def task(hours: float, deadline: float, **more: Any) -> Task:
    return Task(10, hours * HOUR, START, after(deadline), **{"regions": frozenset({13}), **more})


def regions(kw: float = 1000) -> Venues:
    return Venues(Venue(f"region:{number}", str(number), number, kw) for number in range(1, 15))


def settled(of: Task, ran: Course, first: Course, grid: Outlook, among: Venues | None = None) -> Settled:
    return settle(of, ran, first, first.site, among or regions(), grid, grid, carbon_value_gbp_kg=VALUE)


def test_a_run_that_begins_between_half_hours_counts_each_by_its_part() -> None:
    """00:10-01:10 over 100, 200, 300 g: 20, 30 and 10 minutes of 10 kW are 3.33, 5 and 1.67 kWh."""
    grid = outlook([100, 200, 300, 400], [30, 60, 90, 0])
    ran = course((1 / 6, 7 / 6))
    assert amount(ran.stretches, LONDON, grid) == pytest.approx((1 / 3 + 1 + 0.5, 0.1 + 0.3 + 0.15))
    assert half_hours(ran.stretches, grid) == [0, 1, 2]
    assert half_hours(course((0.5, 1)).stretches, grid) == [1], "neither the one before it nor the one after"


def test_a_gap_is_no_zero_and_what_lies_beyond_the_spine_is_a_gap() -> None:
    grid = outlook([100, None, 100, 100], [None, 10, 10])
    assert amount(course((0, 0.5)).stretches, LONDON, grid) == Amount(0.5, None)
    assert amount(course((0.5, 1)).stretches, LONDON, grid) == Amount(None, 0.05)
    assert amount(course((0, 5)).stretches, LONDON, grid) == Amount(None, None)
    assert without(12, [0, 1, 2, 9], grid) == 2 and without(None, [0, 1, 2, 9], grid) == 2
    assert amount([Stretch(after(0.5), after(1), 0.0)], LONDON, grid) == Amount(0.0, 0.0), "it drew nothing there"
    found = settled(task(1, 2), course((1, 2)), course((1, 2)), grid)
    assert found.realised.carbon_kg == 1 and found.at_once.carbon_kg is None
    assert found.foresight.amount == Amount(None, None) and "1 of the half-hours" in str(found.foresight.because)


def test_a_window_with_a_price_of_its_own_charges_that() -> None:
    grid = outlook([100] * 4, [None] * 4)
    assert amount(course((0, 2)).stretches, replace(LONDON, own_price_gbp_mwh=120.0), grid) == Amount(2.0, 2.4)


def test_a_profile_goes_on_at_its_last_power_and_begins_anew_at_once() -> None:
    """10 kW, then 4 kW, half an hour longer than planned: 5 + 2 + 2 kWh, at 01:00 by 100, 200, 300 g, at once 400, 50, 100."""
    grid = outlook([400, 50, 100, 200, 300, 500], [10] * 6)
    profiled = task(1, 3, power_profile_kw=(10.0, 4.0))
    stretches = (Stretch(after(1), after(1.5), 10), Stretch(after(1.5), after(2.5), 4))
    ran = Course(LONDON, ((after(1), after(2.5)),), stretches)
    found = settled(profiled, ran, ran, grid)
    assert found.work_kwh == pytest.approx(9)
    assert found.realised == pytest.approx((0.5 + 0.4 + 0.6, 0.09))
    assert found.at_once == pytest.approx((2.0 + 0.1 + 0.2, 0.09))
    assert found.foresight.amount.carbon_kg == pytest.approx(0.25 + 0.2 + 0.4), "from 00:30 on"


def test_a_split_run_that_ended_early_is_compared_over_what_it_did() -> None:
    """Two hours in two pieces with 30 minutes of resumption; it ended an hour into the second: 1 h and 0.5 h of work."""
    grid = outlook([100, 100, 300, 300, 200, 200, 200, 200], [10] * 8)
    planned = task(2, 4, max_chunks=2, min_chunk_minutes=30, resume_overhead_minutes=30)
    ran, first = course((0, 1), (2, 3)), course((0, 1), (2, 3.5))
    found = settled(planned, ran, first, grid)
    assert found.work_kwh == pytest.approx(15) and found.realised == pytest.approx((1 + 2, 0.2))
    assert found.at_once.carbon_kg == pytest.approx(1 + 1.5)
    assert found.first_plan == pytest.approx(found.realised), "the same pieces, cut to the same work"
    during_resumption = settled(planned, course((0, 1), (2, 2.25)), first, grid)
    assert during_resumption.work_kwh == pytest.approx(10), "a resumption does no work"


def test_a_course_is_cut_at_its_end_or_goes_on() -> None:
    first = course((0, 1), (2, 3))
    assert [(one.starts_at, one.ends_at) for one in lasting(first, 5400)] == [
        (after(0), after(1)),
        (after(2), after(2.5)),
    ]
    assert lasting(first, 3600) == first.stretches[:1] and lasting(first, 7200) == first.stretches
    assert lasting(first, 9000)[-1].ends_at == after(3.5)


@pytest.mark.parametrize("seed", range(60))
def test_foresight_is_what_brute_force_finds(seed: int) -> None:
    dice = random.Random(seed)
    length, hours = dice.randint(8, 30), dice.choice((0.5, 1, 2, 3.5))
    rows = [[dice.randint(0, 400) for _ in range(length)] for _ in range(14)]
    pounds = [dice.randint(-50, 200) for _ in range(length)]
    weight = dice.choice((1.0, 0.0, 0.4))
    may = frozenset(dice.sample(range(1, 15), dice.randint(1, 14)))
    deadline = dice.uniform(hours, length / 2)
    asked = Task(
        10, hours * HOUR, START, after(deadline), weight=weight, regions=may, is_deferrable=dice.random() < 0.8
    )
    slots = round(2 * hours)

    def worth(region: int, first: int) -> float:
        kg = sum(rows[region - 1][first : first + slots]) * 5 / 1000
        return weight * VALUE * kg + (1 - weight) * sum(pounds[first : first + slots]) * 5 / 1000

    starts = [at for at in range(length) if at / 2 + hours <= deadline + 1e-9] if asked.is_deferrable else [0]
    best = min(worth(region, at) for region in may for at in starts)
    ran = course((0, hours), site=Site(min(may)))
    found = settled(asked, ran, ran, outlook(rows, pounds))
    assert found.foresight.amount.score_gbp(weight, VALUE) == pytest.approx(best, abs=1e-9)
    assert found.foresight.region_id in may and found.realised == found.at_once == found.first_plan
    assert found.at_once_elsewhere.cost_gbp == pytest.approx(found.at_once.cost_gbp), "one price for all regions"


def test_who_began_between_two_half_hours_may_have_done_best_of_all() -> None:
    """From 00:15 to 01:15 it draws half in the two half-hours that are clean: no start on a half-hour does better."""
    grid = outlook([900, 0, 0, 900], [10] * 4)
    found = settled(task(1, 2), course((0.5, 1.5)), course((0.5, 1.5)), grid)
    assert found.foresight.amount.carbon_kg == 0
    dirty = outlook([100, 0, 400, 400], [10] * 4)
    found = settled(task(0.75, 2), course((0.25, 1)), course((0.25, 1)), dirty)
    assert found.foresight.amount == found.realised and found.foresight.starts_at == after(0.25)
