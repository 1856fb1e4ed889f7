"""Interruptible work: the chunks that are chosen are as good as the best of all that there are, one by one."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction

import pytest

from placement.chunks import Split
from placement.outlook import Outlook, Window
from placement.split import MOST_EFFORT, effort, splits
from placement.task import Task
from placement.venues import Venue, Venues
from tests.placement.brute_force import Booking, is_open, outlook, peak, steps

HALF_HOUR = timedelta(minutes=30)
VALUE = Fraction("0.264")
STARTS = (  # one on a plain day, and one before each change of the clocks
    datetime(2026, 11, 23, 22, tzinfo=UTC),
    datetime(2026, 3, 28, 22, tzinfo=UTC),
    datetime(2026, 10, 24, 21, 30, tzinfo=UTC),
)
Piece = tuple[int, int]
"""half-hour of the spine, minutes"""


@dataclass(frozen=True)
class Case:
    task: Task
    venue: Venue
    grid: Outlook
    intensity: list[int | None]
    pence: list[int | None]
    bookings: list[Booking]

    def split(self) -> Split | None:
        taken = steps({self.venue.key: self.bookings})
        found = splits(self.task, Venues([self.venue]), self.grid, taken, carbon_value_gbp_kg=float(VALUE))
        return found[0] if found else None


def case(seed: int) -> Case:
    dice = random.Random(seed)
    start, length = dice.choice(STARTS), dice.choice((7, 9, 10))
    intensity: list[int | None] = [dice.randint(0, 300) for _ in range(length)]
    pence: list[int | None] = [dice.randint(-4000, 15_000) for _ in range(length)]
    for row in (intensity, pence):
        for _ in range(dice.choice((0, 0, 1, 2))):
            row[dice.randrange(length)] = None
    window = None
    if dice.random() < 0.3:
        opens, closes = (time(dice.choice((20, 22, 23, 0, 1, 3, 4)), dice.choice((0, 0, 20))) for _ in range(2))
        window = Window("w", "w", 1, opens, closes, closes <= opens, None, None, 20.0, dice.choice((None, 40.0)))
    minutes = dice.choice((30, 45, 60, 90, 100, 120, 150, 180))
    profile = tuple(float(dice.randint(0, 12)) for _ in range(-(-minutes // 30))) if dice.random() < 0.4 else ()
    if profile and not sum(profile):
        profile = (1.0, *profile[1:])
    energy = sum(kw * min(30, minutes - 30 * n) for n, kw in enumerate(profile)) / 60
    earliest = start + timedelta(minutes=dice.choice((0, 0, 17, 60)))
    task = Task(
        power_kw=energy * 60 / minutes if profile else float(dice.randint(1, 12)),
        duration=timedelta(minutes=minutes),
        earliest=earliest,
        deadline=earliest + timedelta(minutes=minutes + dice.randint(30, 30 * length)),
        weight=dice.choice((1.0, 1.0, 0.5, 0.0)),
        carbon_cap_gco2_kwh=dice.choice((None, None, float(dice.randint(80, 250)))),
        price_cap_gbp_mwh=dice.choice((None, None, None, float(dice.randint(20, 120)))),
        is_deferrable=dice.random() < 0.9,
        power_profile_kw=profile,
        max_chunks=dice.choice((1, 2, 3, 3)),
        min_chunk_minutes=dice.choice((1, 1, 30, 40, 60)),
        resume_overhead_minutes=dice.choice((0, 0, 0, 5, 10, 40)),
    )
    some = dice.choice((0, 0, 1, 3))
    bookings = []
    for _ in range(some):
        begins = start + timedelta(minutes=dice.randint(-60, 300))
        bookings.append((begins, begins + timedelta(minutes=dice.randint(5, 120)), dice.randint(1, 20) * 1000))
    venue = Venue(
        "v", "v", 1, 20.0, window=window,
        max_deferral=dice.choice((None, None, timedelta(minutes=120))), carbon_cap_gco2_kwh=dice.choice((None, None, 200.0)),
    )  # fmt: skip
    grid = outlook(intensity, [None if p is None else p / 100 for p in pence], known_at=start)
    return Case(task, venue, grid, intensity, pence, bookings)


def pieces_of(task: Task, length: int) -> Iterator[tuple[Piece, ...]]:
    """Every way to do the work in chunks on the half-hours."""

    def more(done: int, chunks: tuple[Piece, ...], free_from: int) -> Iterator[tuple[Piece, ...]]:
        if len(chunks) == task.max_chunks:
            return
        resumes = task.resume_overhead_minutes if chunks else 0
        left = task.minutes - done
        least = min(task.min_chunk_minutes, task.minutes)
        if left < least:
            return
        for start in range(free_from, length):
            yield (*chunks, (start, left + resumes))
            for slots in range(1, length - start):
                work = 30 * slots - resumes
                if work >= least and work < left:
                    yield from more(done + work, (*chunks, (start, 30 * slots)), start + slots + 1)

    return more(0, (), 0)


def draws(task: Task, pieces: tuple[Piece, ...]) -> list[list[tuple[Fraction, float]]]:
    """Energy (kWh) and highest power of each half-hour of each chunk, minute by minute."""
    found, done = [], 0
    for number, (_, minutes) in enumerate(pieces):
        resumes = task.resume_overhead_minutes if number else 0
        kw = [task.power_at(done + max(0, minute - resumes)) for minute in range(minutes)]
        done += minutes - resumes
        parts = [kw[at : at + 30] for at in range(0, minutes, 30)]
        found.append([(sum(map(Fraction, part), Fraction(0)) / 60, max(part)) for part in parts])
    return found


def worth(this: Case, pieces: tuple[Piece, ...]) -> Fraction | None:
    """Pounds of these chunks; None where they break a constraint."""
    task, venue, start = this.task, this.venue, datetime.fromtimestamp(this.grid.first, UTC)
    begins = start + pieces[0][0] * HALF_HOUR
    patience = [p for p in (venue.max_deferral, None if task.is_deferrable else timedelta()) if p is not None]
    if begins < task.earliest or any(begins - task.earliest > p for p in patience):
        return None
    caps = [cap for cap in (task.carbon_cap_gco2_kwh, venue.carbon_cap_gco2_kwh) if cap is not None]
    own = None if venue.window is None else venue.window.price_gbp_mwh
    weight, total = Fraction(str(task.weight)), Fraction(0)
    for (first, minutes), drawn in zip(pieces, draws(task, pieces), strict=True):
        carbon = cost = energy = Fraction(0)
        if start + first * HALF_HOUR + timedelta(minutes=minutes) > task.deadline:
            return None
        priced = True
        for slot, (kwh, kw) in enumerate(drawn):
            at = first + slot
            if at >= len(this.intensity) or (grams := this.intensity[at]) is None:
                return None
            pence = this.pence[at] if own is None else round(own * 100)
            begin = start + at * HALF_HOUR
            end = begin + timedelta(minutes=min(30, minutes - 30 * slot))
            if (pence is None and task.weight < 1) or not is_open(venue.window, begin, end):
                return None
            booked = peak(this.bookings, begin, end)
            if booked + round(kw * 1000) > 20_000 or kw > venue.capacity_kw:
                return None
            priced &= pence is not None
            carbon, cost, energy = carbon + grams * kwh, cost + Fraction(pence or 0, 100) * kwh, energy + kwh
        if energy and any(carbon / energy > cap for cap in caps):
            return None
        if task.price_cap_gbp_mwh is not None and (not priced or (energy and cost / energy > task.price_cap_gbp_mwh)):
            return None
        total += (weight * VALUE * carbon + (1 - weight) * cost) / 1000
    return total


@pytest.mark.parametrize("hundred", range(5))
def test_five_hundred_splits_are_as_good_as_by_brute_force(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        this = case(seed)
        all_worth = [w for p in pieces_of(this.task, len(this.intensity)) if (w := worth(this, p)) is not None]
        found = this.split()
        assert (found is None) == (not all_worth), f"case {seed}"
        if found is None:
            continue
        chosen = tuple((piece.start, piece.minutes) for piece in found.pieces)
        assert chosen in set(pieces_of(this.task, len(this.intensity))), f"case {seed}: {chosen}"
        its_worth = worth(this, chosen)
        assert its_worth is not None, f"case {seed}: {chosen} breaks a constraint"
        assert float(its_worth) == pytest.approx(float(min(all_worth)), abs=1e-8), f"case {seed}"
        assert found.score_gbp == pytest.approx(float(its_worth), abs=1e-8)
        energy = sum((kwh for piece in draws(this.task, chosen) for kwh, _ in piece), Fraction(0))
        assert found.energy_kwh == pytest.approx(float(energy))


def test_the_random_cases_put_everything_to_the_test() -> None:
    found = [this.split() for this in map(case, range(500))]
    assert sum(one is None for one in found) > 50
    by_chunks = [sum(one is not None and len(one.pieces) == n for one in found) for n in (1, 2, 3)]
    assert min(by_chunks) >= 5 and by_chunks[1] > 40, by_chunks


def test_more_chunks_are_never_worse() -> None:
    for seed in range(120):
        this = case(seed)
        worths = []
        for chunks in (1, 2, 4):
            one = replace(this, task=replace(this.task, max_chunks=chunks)).split()
            worths.append(float("inf") if one is None else one.score_gbp)
        assert worths[0] + 1e-9 >= worths[1] and worths[1] + 1e-9 >= worths[2], f"case {seed}"


def test_growing_by_half_hours_and_trying_every_length_find_equally_good_chunks() -> None:
    """A cap that binds nothing has every length tried: over two days, too many for brute force."""
    for seed in range(12):
        dice = random.Random(seed)
        minutes = dice.randint(60, 900)
        asked = Task(
            power_kw=5.0,
            duration=timedelta(minutes=minutes),
            earliest=STARTS[0] + timedelta(minutes=dice.choice((0, 17))),
            deadline=STARTS[0] + timedelta(hours=dice.choice((24, 48))),
            weight=dice.choice((1.0, 0.5)),
            power_profile_kw=dice.choice(((), tuple(dice.randint(1, 12) * 1.0 for _ in range(-(-minutes // 30))))),
            max_chunks=dice.choice((2, 5, 12)),
            min_chunk_minutes=dice.choice((1, 30, 75, 100)),
            resume_overhead_minutes=dice.choice((0, 5, 40, 70)),
        )
        grid = outlook(
            [[dice.choice((None, *range(20, 300))) if dice.random() < 0.2 else dice.randint(20, 300) for _ in range(96)]
             for _ in range(14)],
            [dice.randint(-30, 200) for _ in range(96)],
            known_at=STARTS[0],
        )  # fmt: skip
        places = Venues([Venue(f"v{region}", "v", region, 20.0) for region in (1, 7, 13)])
        by_half_hours, by_lengths = (
            splits(one, places, grid, {}, carbon_value_gbp_kg=float(VALUE))
            for one in (asked, replace(asked, carbon_cap_gco2_kwh=1e6))
        )
        assert [(one.row, pytest.approx(one.score_gbp, abs=1e-9)) for one in by_half_hours] == [
            (one.row, one.score_gbp) for one in by_lengths
        ], f"case {seed}"
        for one in by_half_hours:
            assert sum(piece.minutes for piece in one.pieces) == minutes + asked.resume_overhead_minutes * (
                len(one.pieces) - 1
            )


def test_effort_tells_the_searches_apart_that_nobody_may_wait_for() -> None:
    grid = outlook([100.0] * 96, known_at=STARTS[0])
    places = Venues([Venue(f"v{region}", "v", region, 20.0) for region in range(1, 15)])
    plain = Task(5.0, timedelta(hours=4), STARTS[0], STARTS[0] + timedelta(days=9), max_chunks=4)
    assert effort(replace(plain, max_chunks=1), places, grid) == 0
    assert 0 < effort(plain, places, grid) < MOST_EFFORT / 50
    worst = replace(plain, duration=timedelta(hours=30), max_chunks=48, min_chunk_minutes=1, resume_overhead_minutes=1)
    capped = replace(worst, carbon_cap_gco2_kwh=900.0)
    assert effort(worst, places, grid) < MOST_EFFORT < effort(capped, places, grid)
    assert effort(replace(worst, duration=timedelta(days=7)), places, grid) == 0, "it does not fit into the forecast"
