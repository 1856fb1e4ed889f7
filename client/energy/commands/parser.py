"""What the `energy` command takes."""

from __future__ import annotations

import argparse
import math
from pathlib import PurePath

from energy import spans

DESCRIPTION = """Runs work when Britain's electricity is clean. ENERGY_URL is the service (http://127.0.0.1:8040 if it is not set),
ENERGY_TOKEN its token, ENERGY_PLACE where this machine is (a region's number, a postcode, LAT,LON, a city or aws:eu-west-2)."""
EXIT_CODES = """Exit codes of `run`: the command's own, 128 plus the signal that ended it, 125 if it was refused (--strict) or
cancelled, 126 or 127 if it cannot be started. Of the others: 0 done, 1 the service is of no help, 2 a parameter is wrong."""


def parser() -> argparse.ArgumentParser:
    """The parser; `arguments.action` is the name of the subcommand."""
    made = argparse.ArgumentParser(prog="energy", description=DESCRIPTION, epilog=EXIT_CODES)
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION")

    now = actions.add_parser("now", help="each region now, or one")
    best = actions.add_parser("best", help="the best windows to come")
    best.add_argument("--hours", type=_hours, required=True, help="how long the run takes")
    best.add_argument("--within", type=_moment, default="48h", help="from now, or an instant (48h)")
    best.add_argument("--limit", type=_count, default=5, help="how many (5)")

    submit = actions.add_parser("submit", help="submit a workload and print its place")
    submit.add_argument("words", help="what is to be run, in words")
    run = actions.add_parser("run", help="run a command at the right moment", epilog=EXIT_CODES)
    sbatch = actions.add_parser("sbatch", help="print --begin=... for Slurm")
    at = actions.add_parser("at", help="print the time for `at -t`")
    for takes_a_job in (submit, run, sbatch, at):
        takes_a_job.add_argument("--hours", type=_hours, required=True, help="how long it takes")
        takes_a_job.add_argument("--deadline", type=_moment, default="24h", help="18h from now, or an instant (24h)")
        takes_a_job.add_argument("--earliest", type=_moment, help="not before: 2h from now, or an instant (now)")
        takes_a_job.add_argument("--power-kw", type=_hours, help="its mean power; estimated if it is not given")
    for takes_a_place in (now, best, submit, run, sbatch, at):
        _add_place(takes_a_place)
    for may_be_strict in (run, sbatch, at):
        may_be_strict.add_argument("--strict", action="store_true", help="without the service: refuse instead of now")
    run.add_argument("--split", action="store_true", help="in several pieces: stopped and continued (SIGSTOP, SIGCONT)")
    run.add_argument("--max-chunks", type=_count, help="with --split: in how many at most (4)")
    run.add_argument("--dry-run", action="store_true", help="only show the plan, as a text chart")
    run.add_argument("--plain", action="store_true", help="a chart of digits")
    run.add_argument("--name", help="what is said to the service of the command; its program's name if it is not given")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")

    status = actions.add_parser("status", help="a workload, or the newest")
    status.add_argument("workload_id", nargs="?", type=_id)
    status.add_argument("--limit", type=_count, default=10, help="how many (10)")
    receipt = actions.add_parser("receipt", help="what a finished workload emitted, cost and saved")
    receipt.add_argument("workload_id", type=_id)
    cancel = actions.add_parser("cancel", help="cancel a workload")
    cancel.add_argument("workload_id", type=_id)
    for gives_json in (now, best, submit, status, receipt):
        gives_json.add_argument("--json", action="store_true", help="the service's response as it is")
    return made


def _add_place(to: argparse.ArgumentParser) -> None:
    where = to.add_argument_group("where it runs (ENERGY_PLACE if none is given)")
    where.add_argument("--region", type=int, help="licence area, 1 to 14")
    where.add_argument("--postcode", help="such as EN2 6AB, or EN2")
    where.add_argument("--at", metavar="LAT,LON", help="such as 51.5,-0.1")


def words_of(command: list[str]) -> str:
    """What is said of a command: its program's name alone, because its arguments may be secret."""
    return f"Run {PurePath(command[0]).name}"[:200]


def _hours(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 to 1000")
    return int(text)


def _moment(text: str) -> str:
    try:
        if "-" in text or ":" in text:
            spans.instant(text)
        else:
            spans.span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _id(text: str) -> str:
    from uuid import UUID

    try:
        return str(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a workload") from None
