"""`energy sbatch` and `energy at`: the time, as Slurm and at take it. Without the service it is now."""

from __future__ import annotations

import math
from argparse import Namespace
from datetime import datetime, timedelta

from energy import places, spans
from energy.api import Api, Trouble
from energy.clock import Clock
from energy.commands.look import plan_of
from energy.commands.printed import out, say
from energy.commands.run import NOT_RUN
from energy.job import Job


def sbatch(arguments: Namespace, api: Api, job: Job, clock: Clock) -> int:
    """Print `--begin=now+SECONDS`: Slurm reads a time of day in the zone of its controller, and seconds in none."""
    starts_at = _start(arguments, api, job, clock)
    if starts_at is None:
        return NOT_RUN
    seconds = math.ceil((starts_at - clock.now()).total_seconds())
    out(f"--begin=now+{seconds}" if seconds > 0 else "--begin=now")
    return 0


def at(arguments: Namespace, api: Api, job: Job, clock: Clock) -> int:
    """Print the time for `at -t`, in this machine's zone; the next whole minute, because at takes none that has passed."""
    starts_at = _start(arguments, api, job, clock)
    if starts_at is None:
        return NOT_RUN
    whole = starts_at.replace(second=0, microsecond=0)
    out(f"{(whole if whole == starts_at else whole + timedelta(minutes=1)).astimezone():%Y%m%d%H%M}")
    return 0


def _start(arguments: Namespace, api: Api, job: Job, clock: Clock) -> datetime | None:
    try:
        budget = api.budget()
        plan = plan_of(api, job, places.region_ids(api, job.place, budget), budget)
    except Trouble as trouble:
        say(f"{trouble}; {'nothing is printed (--strict)' if arguments.strict else 'the time is now'}")
        return None if arguments.strict else clock.now()
    window = plan["windows"][0]
    starts_at = spans.instant(window["starts_at"])
    say(f"{spans.local(starts_at, clock.now())}, {window['mean_gco2_kwh']:.0f} gCO2/kWh in {window['region_name']}")
    return max(starts_at, clock.now())
