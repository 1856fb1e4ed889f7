"""A plan of an operator's workloads on request: by the arithmetic and the transaction of the flow `replan`."""

from functools import partial
from typing import Any
from uuid import UUID

import psycopg

from placement.movable import Anew, Threshold, plan_anew
from placement.outlook import from_rows
from placement.venues import of_operator
from service.problems import Problem
from service.tenancy import LOCK_SECONDS
from warehouse import plans
from warehouse.cut_off import cut_off
from warehouse.database import Database, Role
from warehouse.settings import DecisionSettings

STATEMENT_SECONDS = 20
TOTAL_SECONDS = 120
"""Plans have one thread: a database that says nothing holds it no longer than this"""


def make(database: Database, operator_id: UUID, settings: DecisionSettings, *, is_dry_run: bool) -> dict[str, Any]:
    """Plan anew what has not begun, in one transaction; a dry run writes nothing. Blocks: call it in a thread.

    Raises Problem 409 if another plan of this operator is being made, or the database refuses the plan: then nothing changed.
    """
    try:
        with (
            database.connect(role=Role.SERVICE, autocommit=False, name="energy plan") as connection,
            cut_off(connection, TOTAL_SECONDS),
        ):
            connection.execute(f"set local statement_timeout = '{STATEMENT_SECONDS}s'")
            connection.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
            anew = _made(connection, operator_id, settings)
            if not is_dry_run:
                plans.write(connection, anew.moves)
    except psycopg.errors.IntegrityError as error:
        raise Problem(409, f"the plan was refused, the old one stays: {error.diag.message_primary}") from None
    return {
        "operator_id": operator_id,
        "dry_run": is_dry_run,
        "considered": len(anew.plan.planned),
        "without_place": anew.plan.unplaced,
        "moves": [{name: move[name] for name in MOVE} for move in anew.moves],
        "gain_gbp": anew.gain_gbp,
        "score_gbp": round(anew.plan.score_gbp, 6),
        "bound_gbp": round(anew.plan.bound_gbp, 6),
        "gap": None if anew.plan.gap is None else round(anew.plan.gap, 6),
    }


MOVE = (
    "workload_id", "venue", "region_id", "starts_at", "ends_at", "chunks", "reason", "replaces", "carbon_kg", "cost_gbp",
    "gain_gbp", "gain_carbon_kg", "gain_cost_gbp",
)  # fmt: skip


def _made(connection: psycopg.Connection, operator_id: UUID, settings: DecisionSettings) -> Anew:
    waiting = plans.read(connection, operator_id)
    if waiting is None:
        raise Problem(409, "another plan of this operator is being made; try again in some seconds")
    outlook = from_rows(**plans.outlook_rows(connection))
    return plan_anew(
        waiting.workloads,
        of_operator(operator_id, waiting.assets, outlook, region_capacity_kw=settings.region_capacity_kw),
        outlook,
        waiting.now,
        Threshold(settings.replan_gain_gbp, settings.replan_gain_pct),
        partial(plans.taken, connection),
        carbon_value_gbp_kg=settings.carbon_value_gbp_tonne / 1000,
    )
