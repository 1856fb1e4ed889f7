"""Where and when a task is placed: as by brute force, in true units, by the weights, and how it was agreed."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from placement import negotiation
from placement.negotiation import Decision
from placement.outlook import Outlook, Window
from placement.task import CONSTRAINTS, Task
from placement.venues import Venue
from tests.placement.brute_force import (
    CARBON_VALUE,
    HALF_HOUR,
    START,
    Booking,
    Candidate,
    World,
    candidates_of,
    outlook,
    peak,
    steps,
    world,
)

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
FLAT = outlook([200.0] * 96, [50.0] * 96)


def task(**more: Any) -> Task:
    return Task(**{"power_kw": 2.0, "duration": HOUR, "earliest": START, "deadline": START + 48 * HOUR, **more})


def venue(key: str = "a", region_id: int = 1, capacity_kw: float = 100.0, **more: Any) -> Venue:
    return Venue(key, key, region_id, capacity_kw, **more)


def decide(
    asked: Task, grid: Outlook = FLAT, *venues: Venue, bookings: dict[str, list[Booking]] | None = None
) -> Decision:
    taken = steps(bookings or {})
    return negotiation.decide(asked, venues or (venue(),), grid, taken, carbon_value_gbp_kg=CARBON_VALUE)


@cache
def by_brute_force(seed: int) -> tuple[list[Candidate], list[Candidate], set[str]]:
    """All candidates of a world, those that are possible, best first, and what alone keeps it from being placed."""
    candidates = candidates_of(world(seed))
    possible = sorted((c for c in candidates if not c.broken), key=lambda c: (c.score, c.start, c.place))
    alone = set() if possible else {name for c in candidates for name in c.broken if len(c.broken) == 1}
    return candidates, possible, alone


def is_other(this: World, one: Candidate, another: Candidate) -> bool:
    """Whether two candidates are really different: another region, or starting at least one run length apart."""
    regions = {this.venues[candidate.place].region_id for candidate in (one, another)}
    return len(regions) > 1 or abs(one.start - another.start) >= this.task.duration


@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_random_tasks_are_placed_as_by_brute_force(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        this, (_, possible, alone) = world(seed), by_brute_force(seed)
        decided = this.decide()
        known = {(c.place, c.start): c for c in possible}
        offered = [known.get((this.venues.index(o.venue), o.starts_at)) for o in decided.options]
        assert None not in offered, f"world {seed}: an option breaks a constraint"
        for number, (option, mine) in enumerate(zip(decided.options, offered, strict=True)):
            best = next(c for c in possible if all(is_other(this, c, before) for before in offered[:number]))
            assert option.ends_at == option.starts_at + this.task.duration
            assert option.score_gbp == pytest.approx(float(mine.score), abs=1e-6), f"world {seed}"
            assert all(is_other(this, mine, before) for before in offered[:number]), f"world {seed}: no alternative"
            assert mine == best or abs(mine.score - best.score) <= 1e-9, f"world {seed}: {best} is better"
        left = [c for c in possible if all(is_other(this, c, before) for before in offered)]
        assert len(offered) == 3 or not left, f"world {seed}: {left[:1]} was not offered"
        if not possible:
            named = {part.split(":")[0] for part in decided.unplaced_because.split("; ")}
            assert named and named <= set(CONSTRAINTS), f"world {seed}"
            assert alone <= named, f"world {seed}: {alone} alone keeps it from being placed"


def test_the_random_tasks_put_every_constraint_to_the_test() -> None:
    alone = Counter(name for seed in range(1000) for name in by_brute_force(seed)[2])
    placed = sum(bool(by_brute_force(seed)[1]) for seed in range(1000))
    assert set(alone) == set(CONSTRAINTS) and min(alone.values()) >= 5, alone
    assert 300 < placed < 800


def test_a_recommendation_by_carbon_is_never_worse_than_starting_at_once() -> None:
    compared = 0
    for seed in range(1000):
        this, (_, possible, _) = world(seed), by_brute_force(seed)
        decided = this.decide()
        at_once = {c.place for c in possible if c.start == this.task.earliest}
        for chosen in decided.options[:1]:
            if this.task.weight == 1 and this.venues.index(chosen.venue) in at_once:
                against = chosen.saving["against_now"]
                assert against["carbon_kg"] >= 0 and (against["carbon_pct"] or 0) >= 0, f"world {seed}"
                compared += 1
    assert compared > 30


def test_the_same_input_gives_the_same_decision() -> None:
    for seed in range(60):
        assert world(seed).decide() == world(seed).decide()


def test_one_after_another_they_never_exceed_the_capacity_of_a_venue() -> None:
    places = (venue("a", 1, 10.0), venue("b", 2, 25.0), venue("c", 3, 7.0))
    booked: dict[str, list[Booking]] = {place.key: [] for place in places}
    grid = outlook([[100.0 + (7 * r + i) % 50 for i in range(96)] for r in range(14)])
    refused = 0
    for number in range(150):
        watts = 500 + 997 * number % 6000
        earliest = START + timedelta(minutes=13 * number % 600, seconds=number)
        asked = task(
            power_kw=watts / 1000,
            duration=timedelta(minutes=1 + 37 * number % 400),
            earliest=earliest,
            deadline=earliest + 14 * HOUR,
            is_deferrable=number % 3 > 0,
        )
        best = next(iter(decide(asked, grid, *places, bookings=booked).options), None)
        refused += best is None
        if best:
            booked[best.venue.key].append((best.starts_at, best.ends_at, watts))
    assert 20 < refused < 130
    for place in places:
        assert peak(booked[place.key], START, START + 48 * HOUR) <= place.capacity_kw * 1000


def test_capacity_is_not_exceeded_by_a_milliwatt() -> None:
    assert decide(task(power_kw=100.0)).options and not decide(task(power_kw=100.000001)).options
    bookings = {"a": [(START, START + 48 * HOUR, 99_999)]}
    assert decide(task(power_kw=0.001), bookings=bookings).options
    assert not decide(task(power_kw=0.001001), bookings=bookings).options


def test_no_run_is_early_or_late_by_an_instant() -> None:
    early = task(earliest=START + HOUR + INSTANT)
    assert all(o.starts_at >= early.earliest for o in decide(early).options)
    late = task(deadline=START + 2 * HOUR - INSTANT)
    assert all(o.ends_at <= late.deadline for o in decide(late).options)
    impatient = task(earliest=START + HOUR - INSTANT)
    options = decide(impatient, FLAT, venue(max_deferral=timedelta())).options
    assert all(o.starts_at == impatient.earliest for o in options)


def test_a_deferrable_task_that_can_only_begin_at_once_begins_at_once() -> None:
    earliest = START + timedelta(minutes=10)
    for patience in (None, timedelta()):
        decided = decide(task(earliest=earliest, deadline=earliest + HOUR), FLAT, venue(max_deferral=patience))
        assert [o.starts_at for o in decided.options] == [earliest], decided.unplaced_because


def test_a_task_that_cannot_wait_begins_at_its_earliest_start_to_the_instant() -> None:
    earliest = datetime(2026, 11, 23, 5, 17, 23, 123_457, tzinfo=UTC)
    (only,) = decide(task(earliest=earliest, is_deferrable=False)).options
    assert (only.starts_at, only.ends_at) == (earliest, earliest + HOUR)


def test_without_a_venue_it_is_refused_with_the_reason() -> None:
    decided = negotiation.decide(task(), [], FLAT, {}, carbon_value_gbp_kg=CARBON_VALUE)
    assert decided.options == [] and decided.unplaced_because.startswith("regions: no active asset")


def test_a_place_that_is_unknown_until_after_the_deadline_does_not_hinder_another() -> None:
    grid = outlook([[200.0] * 96, [None] * 20 + [1.0] * 76, *[[200.0] * 96] * 12])
    decided = decide(task(deadline=START + 6 * HOUR), grid, venue("a", 1), venue("b", 2))
    assert decided.options[0].venue.key == "a"
    assert [b.constraint for b in decided.bound] == ["deadline"]


def test_power_alone_is_named_where_others_were_placed_at_another_time() -> None:
    bookings = {"a": [(START + 30 * HOUR, START + 31 * HOUR, 50_000)]}
    decided = decide(task(power_kw=150.0, deadline=START + 6 * HOUR), bookings=bookings)
    assert decided.unplaced_because == f"power: but for {CONSTRAINTS['power']} it could be placed"


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_gap_is_never_favoured(weight: float) -> None:
    carbon = [300.0] * 10 + [None] + [300.0] * 9
    price = [-50.0] * 9 + [-500.0] * 2 + [-50.0] * 9
    for minutes in (1, 30, 44, 150):
        decided = decide(task(duration=timedelta(minutes=minutes), weight=weight), outlook(carbon, price))
        for option in decided.options:
            assert option.ends_at <= START + 10 * HALF_HOUR or option.starts_at >= START + 11 * HALF_HOUR
    assert decide(task(weight=weight), outlook([None] * 20, price)).unplaced_because.startswith("forecast")


def test_ties_go_to_the_earlier_start_and_then_to_the_order_of_the_venues() -> None:
    best = decide(task(), FLAT, venue("b", 9), venue("a", 2)).options
    assert [(o.venue.key, o.starts_at) for o in best] == [("b", START), ("a", START), ("b", START + HOUR)]


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_ties_are_ties_whatever_the_size_of_the_run(weight: float) -> None:
    grid = outlook([187.3] * 96, [85.23] * 96)
    for minutes in (1, 37, 79, 131, 209, 1111):
        for power_kw in (0.001, 3.3, 20_000.0):
            asked = task(power_kw=power_kw, duration=timedelta(minutes=minutes), weight=weight)
            best = decide(asked, grid, venue(capacity_kw=1e6)).options[0]
            assert best.starts_at == START, f"{power_kw} kW over {minutes} minutes"


def test_kilograms_pounds_and_savings_are_plain_arithmetic() -> None:
    carbon, price = [1000.0, 400.0, 200.0, 600.0, 800.0], [80.0, 40.0, 120.0, 60.0, 20.0]
    asked = task(power_kw=2.0, duration=HALF_HOUR, deadline=START + 4 * HALF_HOUR)  # 1 kWh; the last is too late
    (best, *_) = decide(asked, outlook(carbon, price)).options
    assert (best.starts_at, best.carbon_kg, best.cost_gbp) == (START + HOUR, 0.2, 0.12)
    assert best.score_gbp == pytest.approx(0.2 * CARBON_VALUE)
    assert best.saving == {
        "against_now": {"carbon_kg": 0.8, "carbon_pct": 80.0, "cost_gbp": -0.04},
        "against_median": {"carbon_kg": 0.3, "carbon_pct": 60.0, "cost_gbp": -0.05},
        "against_worst": {"carbon_kg": 0.8, "carbon_pct": 80.0, "cost_gbp": 0.0},
        "by_place": {"carbon_kg": 0.0, "carbon_pct": 0.0, "cost_gbp": 0.0},
    }
    (at_once,) = decide(replace(asked, is_deferrable=False), outlook(carbon, price)).options
    assert (at_once.carbon_kg, at_once.mean_gco2_kwh) == (1.0, 1000.0), "1 kWh at 1000 g/kWh is 1 kg"
    assert at_once.saving["against_now"] == {"carbon_kg": 0.0, "carbon_pct": 0.0, "cost_gbp": 0.0}


def test_a_run_between_half_hours_is_weighed_by_the_minute() -> None:
    earliest = START + timedelta(minutes=20)  # 10 minutes of 300, 30 of 100, 5 of 600
    asked = task(power_kw=4.0, duration=timedelta(minutes=45), earliest=earliest, is_deferrable=False)
    (only,) = decide(asked, outlook([300.0, 100.0, 600.0], [30.0, 10.0, 60.0])).options
    assert only.mean_gco2_kwh == 200.0 and only.carbon_kg == 0.6 and only.cost_gbp == 0.06


def test_weights_decide_between_carbon_and_cost() -> None:
    grid = outlook([100.0, 300.0, 200.0, 1.0], [90.0, 20.0, 30.0])  # the fourth half-hour has no price
    starts = {}
    for weight in (1.0, 0.3, 0.0):
        best = decide(task(duration=HALF_HOUR, weight=weight), grid).options[0]
        starts[weight] = (best.starts_at - START) / HALF_HOUR, best.cost_gbp
    assert starts == {1.0: (3, None), 0.3: (2, 0.03), 0.0: (1, 0.02)}
    unpriced = outlook([100.0, 50.0])
    assert decide(task(duration=HALF_HOUR), unpriced).options[0].mean_gco2_kwh == 50
    assert decide(task(duration=HALF_HOUR, weight=0.3), unpriced).unplaced_because.startswith("price:")


def test_the_price_keeps_counting_where_carbon_is_near_zero() -> None:
    grid = outlook([0.0, 0.001, 0.0], [60.0, 10.0, 50.0])
    assert decide(task(duration=HALF_HOUR, weight=0.9), grid).options[0].starts_at == START + HALF_HOUR
    assert decide(task(duration=HALF_HOUR, weight=1.0), grid).options[0].starts_at == START


def test_what_a_window_charges_counts_in_place_of_the_market() -> None:
    cheap = Window("w", "w", 1, time(0), time(12), False, None, None, 100.0, 12.5)
    best = decide(task(weight=0.0), FLAT, venue("a"), venue("b", window=cheap)).options[0]
    assert (best.venue.key, best.mean_price_gbp_mwh, best.cost_gbp) == ("b", 12.5, 0.025)


def said(decided: Decision) -> list[tuple[str, str]]:
    return [(r.agent, r.stance) for r in decided.rounds]


def test_energy_proposes_compute_accepts_head_decides() -> None:
    decided = decide(task(), outlook([200.0, 100.0, 100.0, 300.0]))
    assert said(decided) == [("energy", "proposed"), ("compute", "accepted"), ("head", "decided")]
    assert decided.rounds[0].proposals[0] == decided.rounds[2].proposals[0]
    assert decided.rounds[2].reasons[0].startswith("carbon alone decides")
    assert "as the energy agent proposed" in decided.rounds[2].reasons


def test_compute_counters_with_the_reason_where_energys_wish_is_taken() -> None:
    bookings = {"a": [(START + HALF_HOUR, START + 3 * HALF_HOUR, 99_000)]}
    decided = decide(task(), outlook([200.0, 100.0, 100.0, 300.0, 300.0]), bookings=bookings)
    assert said(decided) == [("energy", "proposed"), ("compute", "countered"), ("head", "decided")]
    assert decided.rounds[1].reasons[0] == "a: not possible by capacity"
    assert decided.options[0].starts_at == START + 3 * HALF_HOUR


def test_head_does_not_say_that_energy_proposed_another_hour() -> None:
    decided = decide(task(weight=0.0, duration=HALF_HOUR), outlook([200.0, 100.0, 200.0], [50.0, 50.0, 20.0]))
    assert decided.options[0].starts_at == START + HOUR
    assert decided.rounds[0].proposals[0]["starts_at"] == "2026-11-23T00:30:00Z"
    assert "as the energy agent proposed" not in decided.rounds[2].reasons


def test_head_refuses_with_the_reason_where_nothing_is_possible() -> None:
    decided = decide(task(power_kw=500.0))
    assert said(decided) == [("energy", "proposed"), ("compute", "refused"), ("head", "refused")]
    assert decided.rounds[2].reasons == (decided.unplaced_because,)
    assert decided.unplaced_because.startswith("power:") and not decided.options
    capped = decide(task(carbon_cap_gco2_kwh=10.0))
    assert [stance for _, stance in said(capped)] == ["refused"] * 3
