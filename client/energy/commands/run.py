"""`energy run`: waits for the right moment and runs a command; its exit code is the command's."""

from __future__ import annotations

from argparse import Namespace

from energy import places, spans
from energy.answers import BestWindows
from energy.api import Api, Trouble
from energy.chunks import chunks_of
from energy.clock import Clock
from energy.commands import chart, child
from energy.commands.look import plan_of
from energy.commands.printed import out, say
from energy.commands.signals import Signals, Stopped
from energy.commands.split import Pacer
from energy.job import Job
from energy.turn import Cancelled, Turn

NOT_RUN = 125
"""It was refused (--strict) or cancelled: as env and timeout have it for their own failures"""


def run(arguments: Namespace, api: Api, job: Job, clock: Clock) -> int:
    """Run `arguments.command` at its time. Never raises Trouble."""
    command = arguments.command
    if arguments.dry_run:
        return dry_run(arguments, api, job, clock)
    if not child.is_there(command):
        say(f"{command[0]}: there is no such command")
        return child.NOT_FOUND
    turn = Turn(api, job, clock=clock, say=say, is_strict=arguments.strict)
    pacer = Pacer(turn, clock=clock, say=say) if arguments.split else None
    with Signals(is_apart=arguments.split) as signals:
        try:
            turn.submit()
            turn.wait()
            signals.start_child()
            turn.begin()
        except Stopped as stopped:
            turn.give_up()
            say(f"stopped by {stopped} before it began")
            return child.KILLED + stopped.number
        except Cancelled as cancelled:
            say(str(cancelled))
            return NOT_RUN
        except Trouble as trouble:
            say(f"{trouble}; it is not run (--strict)")
            return NOT_RUN
        code = child.run(command, signals, pacer)
        try:
            turn.end(is_success=code == 0, reason=f"it ended with exit code {code}")
        except Stopped:
            say("the end is not recorded")
    return code


def dry_run(arguments: Namespace, api: Api, job: Job, clock: Clock) -> int:
    """Print when it would run, as a text chart. Nothing is submitted."""
    try:
        budget = api.budget()
        regions = places.region_ids(api, job.place, budget)
        plan = plan_of(api, job, regions, budget)
        window = plan["windows"][0]
        curve: BestWindows = api.get(
            "/windows/best",
            duration_minutes=30,
            deadline=job.last_end.isoformat(),
            region_id=window["region_id"],
            limit=1000,
        )
    except Trouble as trouble:
        say(f"{trouble}; {'it would not be run (--strict)' if arguments.strict else 'it would begin at once'}")
        return NOT_RUN if arguments.strict else 0
    starts_at, ends_at = spans.instant(window["starts_at"]), spans.instant(window["ends_at"])
    now = clock.now()
    where = window["region_name"] or f"region {window['region_id']}"
    out(
        f"{where}: {spans.local(starts_at, now)} to {spans.local(ends_at, now)}, {window['mean_gco2_kwh']:.0f} gCO2/kWh"
    )
    points = [chart.Point(spans.instant(one["starts_at"]), one["mean_gco2_kwh"]) for one in curve["windows"]]
    for line in chart.draw(points, chunks_of(window), is_plain=arguments.plain):
        out(line)
    out(plan["data"]["in_words"])
    return 0
