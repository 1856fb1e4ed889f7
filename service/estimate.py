"""What a task leaves unsaid, estimated from the words of its request by a small table of workload classes.

The figures of `workload_classes.csv` are rough by design: a node of eight accelerators at 6.5 kW for training, half of it for
fine-tuning, a few servers for the rest. An answer names each figure that was estimated: nobody takes it for a measured one.
"""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class WorkloadClass:
    """Typical figures of a kind of workload."""

    workload_type: str
    pattern: re.Pattern[str] | None
    power_kw: float
    duration: timedelta
    is_deferrable: bool
    deadline: timedelta


@cache
def classes() -> tuple[WorkloadClass, ...]:
    """The table; the first class with a word in the request is taken."""
    with Path(__file__).with_name("workload_classes.csv").open(newline="") as file:
        return tuple(
            WorkloadClass(
                workload_type=row["workload_type"],
                pattern=_pattern(row["words"].split("|")) if row["words"] else None,
                power_kw=float(row["power_kw"]),
                duration=timedelta(minutes=int(row["duration_minutes"])),
                is_deferrable=row["is_deferrable"] == "true",
                deadline=timedelta(hours=int(row["deadline_hours"])),
            )
            for row in csv.DictReader(file)
        )


def _pattern(words: list[str]) -> re.Pattern[str]:
    """Any of these at the beginning of a word; one that is written with a space behind it is a whole word."""
    ends = (re.escape(word.strip()) + ("(?![a-z])" if word.endswith(" ") else "") for word in words)
    return re.compile(r"(?<![a-z])(?:" + "|".join(ends) + ")")


def classify(request: str, workload_type: str | None = None) -> WorkloadClass:
    """The class of a request: as it is named, else by its words."""
    lowered = request.lower()
    for known in classes():
        if workload_type == known.workload_type:
            return known
        if workload_type is None and (known.pattern is None or known.pattern.search(lowered)):
            return known
    return classes()[-1]


@dataclass(frozen=True)
class Size:
    """Power and length of a run, and which of energy, power and duration were estimated."""

    power_kw: float
    duration: timedelta
    estimated: tuple[str, ...]

    @property
    def energy_kwh(self) -> float:
        """Energy of the run."""
        return self.power_kw * self.duration.total_seconds() / 3600


def of_profile(profile_kw: Sequence[float], duration_minutes: int | None) -> Size:
    """Power (the mean) and length of a run by its power in each half-hour. Raises ValueError where the two do not fit."""
    minutes = 30 * len(profile_kw) if duration_minutes is None else duration_minutes
    if -(-minutes // 30) != len(profile_kw):
        raise ValueError(
            f"power_profile_kw has {len(profile_kw)} values, and duration_minutes ({minutes}) has "
            f"{-(-minutes // 30)} half-hours; give one value for each"
        )
    energy = sum(kw * min(30, minutes - 30 * at) for at, kw in enumerate(profile_kw)) / 60
    return Size(energy * 60 / minutes, timedelta(minutes=minutes), ())


def size(
    typical: WorkloadClass, *, energy_kwh: float | None, power_kw: float | None, duration_minutes: int | None
) -> Size:
    """Two of the three give the third; what is still missing is typical of the class. Raises ValueError where they contradict."""
    minutes = duration_minutes
    if energy_kwh is not None and power_kw is not None and minutes is not None:
        if abs(power_kw * minutes / 60 - energy_kwh) > 0.01 * energy_kwh:
            raise ValueError(
                f"energy_kwh ({energy_kwh:g}) is not power_kw x duration_minutes / 60 "
                f"({power_kw * minutes / 60:g}); leave one of the three out"
            )
        return Size(power_kw, timedelta(minutes=minutes), ())
    if energy_kwh is not None and power_kw is not None:
        # whole minutes, and rather one more than more power than was said
        minutes = max(1, math.ceil(energy_kwh / power_kw * 60 - 1e-6))
        return Size(energy_kwh * 60 / minutes, timedelta(minutes=minutes), ())
    if energy_kwh is not None:
        # its energy is known: the class says only how long such a run takes
        length = timedelta(minutes=minutes) if minutes is not None else typical.duration
        unknown = () if minutes is not None else ("power_kw", "duration_minutes")
        return Size(energy_kwh * 3600 / length.total_seconds(), length, unknown)
    guessed = tuple(name for name, given in (("power_kw", power_kw), ("duration_minutes", minutes)) if given is None)
    power = power_kw if power_kw is not None else typical.power_kw
    length = timedelta(minutes=minutes) if minutes is not None else typical.duration
    return Size(power, length, (*guessed, "energy_kwh") if guessed else ())
