"""`replay`: what decisions would have captured of the possible saving, decided again by what was known and scored by what came."""

import argparse
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from flows.outcome import flow, outcome, went_well
from flows.replay_regions import Read, history_of, made, real
from flows.replay_table import show
from flows.run_log import say
from placement.replay.episodes import Region
from placement.replay.replay import Decided, replay
from warehouse import command, ledger, replays
from warehouse.database import Role
from warehouse.errors import UsageError
from warehouse.periods import day_start
from warehouse.prepare import prepare
from warehouse.server import resolve
from warehouse.settings import DecisionSettings

LATELY = timedelta(days=366)
"""How far back simulated forecasts go where no day is given"""
MOMENTS = 1000


@flow(name="replay")
def replay_decisions(
    first: date | None = None,
    last: date | None = None,
    forecasts: Literal["live", "archive", "simulated"] = "live",
    regions: list[int] | None = None,
    moments: int | None = None,
) -> dict[str, Any]:
    """Decide again at every forecast of a span of days, for each class of jobs and policy; print a table and write the sums.

    Args:
        first: first day of decisions; by default that of the first forecast (simulated: of the first outcome).
        last: last day of decisions.
        forecasts: those fetched here, those captured by others, or what came plus simulated errors. Never mixed.
        regions: licence areas 1 to 14, or 18 for Great Britain; all of which there are forecasts by default.
        moments: at most so many moments of decision per region, evenly spread; all by default, and 1,000 of simulated forecasts.
    """
    database, settings = resolve(), DecisionSettings()
    prepare(database)
    if regions and not set(regions) <= set(replays.REGIONS):
        raise UsageError(
            f"regions are 1 to 14, and 18 for Great Britain, not {sorted(set(regions) - set(replays.REGIONS))}"
        )
    if moments is not None and moments < 1:
        raise UsageError(f"{moments} moments are none to decide at; ask for 1 or more")
    asked = {"from": first and str(first), "to": last and str(last), "forecasts": forecasts, "regions": regions}
    with ledger.run(database, "replay", asked) as run, database.connect(role=Role.TRANSFORMER) as reader:
        since, until = _span(first, last)
        if (
            forecasts == "simulated" and since is None
        ):  # a forecast of each half-hour, of all regions at once: 1 GB a year
            since = (until or datetime.now(UTC)) - LATELY
        span = Read(reader, since, until, regions or replays.REGIONS)
        found = made(span) if forecasts == "simulated" else real(span, forecasts)
        rows, decided = [], list[Decided]()
        for region_id, (region, hindsight) in found.items():
            rows_of_region = _moments(region, span, moments or (MOMENTS if forecasts == "simulated" else None))
            of_region = list(
                replay(
                    region, rows_of_region, _months(region, rows_of_region), hindsight=hindsight,
                    carbon_value_gbp_kg=settings.carbon_value_gbp_tonne / 1000, gain_pct=settings.replan_gain_pct,
                )
            )  # fmt: skip
            decided += of_region
            rows += [_row(region_id, one, region, rows_of_region, settings) for one in of_region]
        if not rows:
            raise UsageError(f"no {forecasts} forecast of these days has all that came of it; {history_of(forecasts)}")
        with database.connect(role=Role.LOADER) as writer:
            replays.write(writer, forecasts, rows, run.run_id)
        run.summary |= {"forecasts": forecasts, "rows": len(rows)}
        show(f"{forecasts} forecasts", decided)
        say(f"{len(rows)} sums of {forecasts} forecasts are in ops.replay_decisions.")
    return outcome([], forecasts=forecasts, rows=len(rows))


def _span(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    since = None if first is None else day_start(first)
    until = None if last is None else day_start(last + timedelta(days=1))
    if since and until and until <= since:
        raise UsageError(f"--to {last} is before --from {first}")
    return since, until


def _moments(region: Region, span: Read, most: int | None) -> NDArray[np.int64]:
    """The captures at which is decided: those of the span, or so many of them, evenly spread."""
    known_at = region.captured.known_at
    since, until = span.since.timestamp(), span.until.timestamp()
    rows = np.flatnonzero((known_at >= since) & (known_at < until))
    if most is None or len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _months(region: Region, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    months = region.captured.known_at[rows].astype("datetime64[s]").astype("datetime64[M]")
    found: NDArray[np.int64] = months.astype(np.int64)
    return found


def _row(
    region_id: int, one: Decided, region: Region, rows: NDArray[np.int64], settings: DecisionSettings
) -> dict[str, Any]:
    known_at = region.captured.known_at[rows][_months(region, rows) == one.group]
    return {
        "region_id": region_id,
        "month": np.datetime64(one.group, "M").astype("datetime64[D]").item(),
        "job_hours": one.job.hours,
        "slack_hours": one.job.slack_hours,
        "is_split": one.job.is_split,
        "carbon_to_cost_weight": one.weight,
        "policy": one.policy,
        "first_known_at": datetime.fromtimestamp(int(known_at.min()), UTC),
        "last_known_at": datetime.fromtimestamp(int(known_at.max()), UTC),
        "carbon_value_gbp_tonne": settings.carbon_value_gbp_tonne,
        **asdict(one.tally),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.replay", description=replay_decisions.__doc__)
    parser.add_argument(
        "--from", dest="first", type=date.fromisoformat, help="first day of decisions, such as 2026-08-20"
    )
    parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day of decisions")
    parser.add_argument("--forecasts", choices=get_args(replays.Forecasts), default="live")
    parser.add_argument("--regions", nargs="*", type=int, metavar="REGION", help="1 to 14, or 18 for Great Britain")
    parser.add_argument("--moments", type=int, help="at most so many moments of decision per region, evenly spread")
    asked = parser.parse_args()
    command.run(lambda: went_well(replay_decisions, **vars(asked)))


if __name__ == "__main__":
    main()
