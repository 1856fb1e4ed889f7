"""`replan`: placed but not started workloads, and those without a place, are planned anew by what is known now."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from uuid import UUID

import psycopg

from flows import dispatch
from flows.outcome import flow, outcome, went_well
from flows.run_log import say
from flows.steps import step
from placement.movable import Threshold, plan_anew
from placement.outlook import from_rows
from placement.venues import of_operator
from warehouse import command, ledger, plans
from warehouse.database import Database, Role
from warehouse.prepare import prepare
from warehouse.server import resolve
from warehouse.settings import DecisionSettings

BUSY = "another plan of this operator is being made"


@dataclass(frozen=True)
class Replanned:
    """What became of an operator's workloads."""

    operator_id: str
    considered: int
    moved: int
    placed: int
    """that had no place before"""
    without_place: int
    gain_gbp: float
    gap: float | None
    skipped: str | None = None


@flow(name="replan")
def replan(dry_run: bool = False) -> dict[str, Any]:
    """Plan anew what has not begun, for each operator in one transaction; started, pinned and frozen workloads stay.

    Args:
        dry_run: only say what would be moved; nothing is written.
    """
    database = resolve()
    prepare(database)
    results = replan_all(database, DecisionSettings(), is_dry_run=dry_run)
    if not dry_run:
        _hand_over(database, results)
    return outcome(failures_of(results), operators=[asdict(one) for one in results])


def after_refresh(database: Database) -> list[str]:
    """The end of a refresh: what could not be planned, in sentences. A plan that fails never fails what was published."""
    try:
        results = replan_all(database, DecisionSettings())
    except psycopg.Error as error:
        return [f"workloads could not be planned anew: {type(error).__name__}"]
    _hand_over(database, results)
    return failures_of(results)


def _hand_over(database: Database, results: Sequence[Replanned]) -> None:
    """What was moved or placed moves in Prefect too, and not a minute later. That this fails is no failure of the plan."""
    if any(one.moved or one.placed for one in results) and (said := dispatch.after_plan(database)):
        say(said)


def failures_of(results: Sequence[Replanned]) -> list[str]:
    """Operators whose plan was refused; one that is being planned elsewhere is none."""
    return [f"operator {one.operator_id}: {one.skipped}" for one in results if one.skipped not in (None, BUSY)]


def replan_all(database: Database, settings: DecisionSettings, *, is_dry_run: bool = False) -> list[Replanned]:
    """Every operator that has something waiting; no entry in the ledger if none has."""
    with database.connect(role=Role.SERVICE) as connection, connection.transaction():
        plans.speak_for(connection, "all")
        operators = plans.operators(connection)
    if not operators:
        return []
    with ledger.run(database, "replan", {"dry_run": is_dry_run}) as run:
        results = [_one(database, operator, settings, is_dry_run=is_dry_run) for operator in operators]
        run.failures += failures_of(results)
        run.summary |= {"operators": [asdict(one) for one in results]}
    for one in results:
        say(
            f"operator {one.operator_id}: "
            + (
                one.skipped
                or f"{one.considered} considered, {one.moved} moved, {one.placed} placed that had no place, "
                f"{one.without_place} without a place; the moves promise {one.gain_gbp:.4f} GBP"
            ),
        )
    return results


@step("plan the workloads of an operator")
def _one(database: Database, operator_id: UUID, settings: DecisionSettings, *, is_dry_run: bool) -> Replanned:
    try:
        with database.connect(role=Role.SERVICE, autocommit=False, name="energy replan") as connection:
            found = _planned(connection, operator_id, settings, is_dry_run=is_dry_run)
            if is_dry_run:
                connection.rollback()
            return found
    except (psycopg.errors.IntegrityError, psycopg.errors.RaiseException) as error:
        return Replanned(
            str(operator_id),
            0,
            0,
            0,
            0,
            0.0,
            None,
            f"the plan was refused, the old one stays: {error.diag.message_primary}",
        )


def _planned(
    connection: psycopg.Connection, operator_id: UUID, settings: DecisionSettings, *, is_dry_run: bool
) -> Replanned:
    waiting = plans.read(connection, operator_id)
    if waiting is None:
        return Replanned(str(operator_id), 0, 0, 0, 0, 0.0, None, BUSY)
    outlook = from_rows(**plans.outlook_rows(connection))
    anew = plan_anew(
        waiting.workloads,
        of_operator(operator_id, waiting.assets, outlook, region_capacity_kw=settings.region_capacity_kw),
        outlook,
        waiting.now,
        Threshold(settings.replan_gain_gbp, settings.replan_gain_pct),
        partial(plans.taken, connection),
        carbon_value_gbp_kg=settings.carbon_value_gbp_tonne / 1000,
    )
    if not is_dry_run:
        plans.write(connection, anew.moves)
    return Replanned(
        operator_id=str(operator_id),
        considered=len(anew.plan.planned),
        moved=anew.moved,
        placed=len(anew.moves) - anew.moved,
        without_place=anew.plan.unplaced,
        gain_gbp=anew.gain_gbp,
        gap=anew.plan.gap,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.replan", description=replan.__doc__)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be moved")
    arguments = parser.parse_args()
    command.run(lambda: went_well(replan, dry_run=arguments.dry_run))


if __name__ == "__main__":
    main()
