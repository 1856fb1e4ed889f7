"""`energy ...`, also as `python -m energy`."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from energy import places, spans
from energy.api import LOOK_SECONDS, Api, Trouble
from energy.clock import Clock
from energy.commands import look, receipt, run, schedulers, workloads
from energy.commands.parser import parser, words_of
from energy.commands.printed import say
from energy.job import Job
from energy.settings import Settings

LOOKS = {
    **{"now": look.now, "best": look.best},
    **{"status": workloads.status, "receipt": receipt.receipt, "cancel": workloads.cancel},
}
JOBS = {"submit": workloads.submit, "run": run.run, "sbatch": schedulers.sbatch, "at": schedulers.at}


def command(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """The command line; its exit code."""
    clock, made = clock or Clock(), parser()
    given = made.parse_args(arguments)
    if given.action == "run":
        given.command = given.command[1:] if given.command[:1] == ["--"] else given.command
        if not given.command:
            made.error("run needs a command after --, such as: energy run --hours 4 -- python train.py")
    try:
        settings = Settings.read()
        if given.action in (*LOOKS, "submit"):  # nobody's work waits for these
            settings = replace(settings, patience_seconds=max(settings.patience_seconds, LOOK_SECONDS))
        if "region" in given:
            given.place = places.given(given.region, given.postcode, given.at) or settings.place
        job = _job(given, clock) if given.action in JOBS else None
    except ValueError as error:
        made.error(str(error))
    api = Api(settings)
    try:
        if job is not None:
            return JOBS[given.action](given, api, job, clock)
        return LOOKS[given.action](given, api, clock)
    except Trouble as trouble:
        say(str(trouble))
        return 1


def _job(given: Namespace, clock: Clock) -> Job:
    now = clock.now()
    words = "Run a job"
    if given.action == "submit":
        words = given.words
    elif given.action == "run":
        words = given.name or words_of(given.command)
    return Job(
        words=words,
        length=timedelta(hours=given.hours),
        submitted_at=now,
        deadline=spans.deadline(given.deadline, now),
        earliest=spans.deadline(given.earliest, now) if given.earliest else None,
        place=given.place,
        power_kw=given.power_kw,
        more=_pieces(given) if given.action == "run" else {},
    )


def _pieces(given: Namespace) -> dict[str, Any]:
    """What the service needs to know of work that may be interrupted. Raises ValueError."""
    if not given.split:
        if given.max_chunks:
            raise ValueError("--max-chunks is about work in pieces; add --split")
        return {}
    if not hasattr(os, "killpg"):
        raise ValueError("--split stops and continues the command by signals that this system does not have")
    return {"is_interruptible": True, **({"max_chunks": given.max_chunks} if given.max_chunks else {})}


def main() -> None:
    """The entry point of the `energy` command."""
    sys.exit(command())


if __name__ == "__main__":
    main()
