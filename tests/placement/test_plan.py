"""Many workloads placed together: no constraint is broken, the bound holds, and what the exact solver places is placed."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import highspy
import numpy as np
import pytest

from benchmarks import planning
from placement.candidates import candidates
from placement.ledger import Held, Wanted
from placement.negotiation import book, decide
from placement.outlook import Outlook
from placement.plan import Plan, plan
from placement.task import Task
from placement.venues import Taken, Venue, Venues
from tests.placement.brute_force import START, outlook, peak

VALUE = 0.264
HALF_HOUR = timedelta(minutes=30)


def instance(
    seed: int, *, jobs: int, venues: int, half_hours: int, load: float, **more: Any
) -> tuple[list[Wanted], Venues, Outlook]:
    """Jobs of one to eight hours whose energy is this share of what the venues could give."""
    dice = random.Random(seed)
    rows = []
    for _ in range(14):
        level, walk = dice.uniform(80, 240), 0.0
        row: list[float | None] = []
        for at in range(half_hours):
            walk = 0.9 * walk + dice.gauss(0, 8)
            row.append(round(max(5.0, level + 70 * np.sin(at / 7.6) + walk), 1))
        rows.append(row)
    wanted, used = [], 0.0
    for number in range(jobs):
        hours = dice.choice((1, 2, 4)) if half_hours < 48 else dice.choice((1, 2, 4, 8))
        kw = float(dice.randint(1, 8))
        last = half_hours - 2 * hours
        earliest = START + dice.randint(0, max(0, last // 2)) * HALF_HOUR
        deadline = min(earliest + timedelta(hours=hours + dice.choice((4, 12, 24))), START + half_hours * HALF_HOUR)
        wanted.append(Wanted(number, Task(kw, timedelta(hours=hours), earliest, deadline, **more)))
        used += kw * hours * 2
    capacity = max(used / (venues * half_hours * load), 9.0)
    return (
        wanted,
        Venues(Venue(f"v{n}", f"v{n}", n + 1, capacity) for n in range(venues)),
        outlook(rows, [50.0] * half_hours),
    )


def planned(wanted: Sequence[Wanted], venues: Venues, grid: Outlook, taken: dict[str, Taken] | None = None) -> Plan:
    return plan(wanted, venues, grid, taken or {}, carbon_value_gbp_kg=VALUE)


def check(found: Plan, wanted: Sequence[Wanted], venues: Venues) -> None:
    """Every option keeps its workload's limits, and all together the capacity at every instant."""
    booked: dict[str, list[Any]] = {venue.key: [] for venue in venues}
    for one, ask in zip(found.planned, wanted, strict=True):
        runs: list[tuple[str, Any, Any, float]] = []
        if one.option is not None:
            option, task = one.option, ask.task
            assert option.starts_at >= task.earliest and option.ends_at <= task.deadline
            assert ask.among is None or option.venue.key in ask.among
            assert task.regions is None or option.venue.region_id in task.regions
            runs = [(option.venue.key, *stretch) for stretch in option.stretches(task.power_kw)]
        elif one.is_placed and ask.held is not None:
            runs = [(ask.held.venue, begins, ends, ask.task.peak_kw) for begins, ends in ask.held.runs]
        for key, begins, ends, kw in runs:
            booked[key].append((begins, ends, round(kw * 1000)))
    for venue in venues:
        assert peak(booked[venue.key], START, START + timedelta(days=3)) <= round(venue.capacity_kw * 1000) + 1


def gaps_of(seeds: Sequence[int], load: float, **size: int) -> list[float]:
    """How far plans are above their bound at most; each is checked, and places all."""
    gaps = []
    for seed in seeds:
        wanted, venues, grid = instance(seed, load=load, **{"jobs": 70, "venues": 4, "half_hours": 48, **size})
        found = planned(wanted, venues, grid)
        check(found, wanted, venues)
        assert found.score_gbp >= found.bound_gbp - 1e-6 or found.unplaced
        assert found.gap is not None, f"instance {seed}: {found.unplaced} without a place"
        gaps.append(found.gap)
    return gaps


def test_plans_keep_every_constraint_and_are_near_their_bound() -> None:
    gaps = [gap for load in (0.3, 0.5, 0.7) for gap in gaps_of(range(3), load)]
    assert float(np.mean(gaps)) < 0.021 and max(gaps) < 0.05


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_plans_are_near_their_bound() -> None:
    gaps = {load: gaps_of(range(29), load) for load in (0.3, 0.5, 0.7)}
    assert float(np.mean([*gaps.values()])) < 0.021
    assert max(gaps[0.3] + gaps[0.5]) < 0.05
    assert max(gaps[0.7]) < 0.07  # so few jobs cannot fill racks to 70 % as evenly as the bound supposes


@pytest.mark.slow
def test_plans_of_a_thousand_are_near_their_bound() -> None:
    gaps = []
    for load in (0.3, 0.5, 0.57, 0.7):
        wanted, venues, grid = planning.instance(3, load)
        found = planned(wanted, venues, grid)
        check(found, wanted, venues)
        assert found.gap is not None
        gaps.append(found.gap)
    assert float(np.mean(gaps)) < 0.021 and max(gaps) < 0.05, gaps


@pytest.mark.slow
@pytest.mark.parametrize(("load", "points"), [(0.3, 3), (0.5, 4), (0.57, 4)])
def test_together_they_save_points_more_than_one_at_a_time(load: float, points: float) -> None:
    at_once, alone, together = planning.compared(2, load)
    assert not together.unplaced
    assert 100 * (alone.gbp - together.score_gbp) / at_once >= points


PENALTY = 1000.0
"""Pounds of a workload that a program does not place"""


def program(
    wanted: Sequence[Wanted], venues: Venues, grid: Outlook, **options: float
) -> tuple[highspy.Highs, list[Any]]:
    """A mixed integer program that HiGHS has solved as far as these options let it; and the variables of workloads not placed."""
    model = highspy.Highs()
    for name, value in {"output_flag": False, **options}.items():
        model.setOptionValue(name, value)
    uses: dict[tuple[int, int], list[tuple[Any, float]]] = {}
    objective, skipped = [], []
    for ask in wanted:
        laid = candidates(ask.task, venues, grid, {}, carbon_value_gbp_kg=VALUE)
        mine = []
        for row, column in np.argwhere(laid.possible):
            variable = model.addBinary()
            objective.append((variable, float(laid.score[row, column]) * ask.task.energy_kwh / 1000))
            first = int(laid.starts[column])
            for at in range(first, first + int(np.ceil(ask.task.half_hours))):
                uses.setdefault((int(row), at), []).append((variable, ask.task.power_kw))
            mine.append(variable)
        none = model.addBinary()
        skipped.append(none)
        model.addConstr(sum(mine, start=none) == 1)
    for (row, _), taken in uses.items():
        model.addConstr(sum(kw * variable for variable, kw in taken) <= float(venues[row].capacity_kw))
    model.minimize(sum(pounds * variable for variable, pounds in objective) + PENALTY * sum(skipped))
    return model, skipped


def exact(wanted: Sequence[Wanted], venues: Venues, grid: Outlook) -> tuple[float, int]:
    """Pounds of the best plan, and how many it does not place."""
    model, skipped = program(wanted, venues, grid, mip_rel_gap=1e-6)
    values = model.getSolution().col_value
    missing = sum(values[one.index] > 0.5 for one in skipped)
    return float(model.getInfo().objective_function_value) - PENALTY * missing, missing


@pytest.mark.slow
@pytest.mark.parametrize("seed", [28, 49])
def test_the_plans_farthest_from_their_bound_are_near_what_a_solver_proves(seed: int) -> None:
    """Of 201 instances these are 6.1 and 7.2 % above their own bound, which supposes that racks can be filled evenly."""
    wanted, venues, grid = instance(seed, jobs=70, venues=4, half_hours=48, load=0.7)
    found = planned(wanted, venues, grid)
    model, _ = program(wanted, venues, grid, mip_max_nodes=1)
    no_plan_costs_less = float(model.getInfo().mip_dual_bound)
    assert found.unplaced == 0 and found.bound_gbp <= no_plan_costs_less <= found.score_gbp <= 1.05 * no_plan_costs_less


def test_small_plans_are_near_the_exact_one_and_place_what_it_places() -> None:
    above = []
    for seed in range(12):
        wanted, venues, grid = instance(seed, jobs=12, venues=2, half_hours=24, load=0.5)
        cost, missing = exact(wanted, venues, grid)
        found = planned(wanted, venues, grid)
        assert found.unplaced <= missing, f"instance {seed}"
        if not missing:
            assert found.bound_gbp <= cost + 1e-4 <= found.score_gbp + 2e-4, f"instance {seed}"
            above.append(found.score_gbp / cost - 1)
    assert len(above) >= 6 and float(np.mean(above)) < 0.01, above


def test_together_they_save_more_than_one_at_a_time() -> None:
    more = []
    for seed in range(6):
        wanted, venues, grid = instance(seed, jobs=60, venues=3, half_hours=48, load=0.5)
        taken: dict[str, Taken] = {}
        alone, all_placed = 0.0, True
        for ask in wanted:
            options = decide(ask.task, venues, grid, taken, carbon_value_gbp_kg=VALUE).options
            all_placed &= bool(options)
            if options:
                book(taken, options[0], ask.task)
                alone += options[0].score_gbp or 0.0
        found = planned(wanted, venues, grid)
        if all_placed and not found.unplaced:
            more.append(1 - found.score_gbp / alone)
    assert len(more) >= 2 and float(np.mean(more)) > 0, more


def test_a_plan_moves_only_what_gains_enough() -> None:
    grid = outlook([200.0] * 20 + [100.0] * 20, [50.0] * 40)
    venues = Venues([Venue("a", "a", 1, 10.0)])
    task = Task(5.0, timedelta(hours=2), START, START + timedelta(hours=20))
    held = Held("a", ((START, START + timedelta(hours=2)),), 0.528)
    (moved,) = planned([Wanted(1, task, held, 0.1)], venues, grid).planned
    assert moved.option is not None and moved.option.mean_gco2_kwh == 100
    assert moved.gain_gbp == pytest.approx(0.264)
    (stays,) = planned([Wanted(1, task, held, 0.3)], venues, grid).planned
    assert stays.option is None and stays.is_placed


def _later(one: Wanted, by: timedelta) -> Wanted:
    task = replace(one.task, earliest=one.task.earliest + by, deadline=one.task.deadline + by)
    return replace(one, task=task)


def test_work_in_chunks_and_between_half_hours_is_planned_too() -> None:
    for seed in range(4):
        wanted, venues, grid = instance(seed, jobs=20, venues=3, half_hours=48, load=0.4, max_chunks=3)
        wanted = [_later(one, timedelta(minutes=7 * (number % 3 == 0))) for number, one in enumerate(wanted)]
        found = planned(wanted, venues, grid)
        check(found, wanted, venues)
        assert found.unplaced or found.score_gbp >= found.bound_gbp - 1e-6
        whole = [replace(one, task=replace(one.task, max_chunks=1)) for one in wanted]
        assert found.unplaced or found.score_gbp <= planned(whole, venues, grid).score_gbp + 1e-9


def test_the_same_input_gives_the_same_plan_and_nothing_gives_nothing() -> None:
    wanted, venues, grid = instance(3, jobs=40, venues=3, half_hours=48, load=0.6)
    assert planned(wanted, venues, grid) == planned(wanted, venues, grid)
    assert planned([], venues, grid).planned == []
    assert planned(wanted, Venues([]), grid).unplaced == 40
