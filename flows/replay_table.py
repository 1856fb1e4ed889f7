"""The table that a replay prints: for each class of jobs and weight what was possible, and what each policy made of it."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from placement.replay.jobs import POLICIES, Job, Policy
from placement.replay.replay import Decided
from placement.replay.tally import Tally

SHOWN = tuple(policy for policy in POLICIES if policy not in ("start now", "oracle"))
WHAT = {1.0: "carbon", 0.5: "half", 0.0: "cost"}


def show(by: str, decided: Iterable[Decided], console: Console | None = None) -> None:
    """Print it. All regions and months together; every figure rests on this one kind of forecasts."""
    sums: dict[tuple[float, Job], dict[Policy, Tally]] = {}
    for one in decided:
        of_class = sums.setdefault((one.weight, one.job), {})
        of_class[one.policy] = of_class.get(one.policy, Tally()) + one.tally
    table = Table(
        title=f"Replay by {by}: captured % of what the oracle saves / regret % of its cost / promised less "
        "realised saving, points",
        title_justify="left",
    )
    shown = [policy for policy in SHOWN if any(policy in of_class for of_class in sums.values())]
    for column in ("decides", "job", "decisions", "possible %", *shown):
        table.add_column(column, justify="left" if column in ("decides", "job") else "right")
    for (weight, job), of_class in sums.items():
        kind = "split" if job.is_split else "whole"
        oracle = of_class["oracle"]
        table.add_row(
            WHAT.get(weight, f"{weight:g}"), f"{job.hours} h in {job.slack_hours} {kind}", str(oracle.decisions),
            _number(oracle.possible_pct), *(_cell(of_class.get(policy)) for policy in shown),
        )  # fmt: skip
    (console or Console(width=60 + 22 * len(shown))).print(table)


def _cell(tally: Tally | None) -> str:
    if tally is None:
        return "-"
    figures = [_number(tally.captured_pct), _number(tally.regret_pct)]
    if tally.promises:
        figures.append(_number(tally.overpromised_points, "+"))
    return " / ".join(figures)


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.1f}"
