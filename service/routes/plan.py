"""`POST /plan`: all workloads of an operator that have not begun, placed together."""

from typing import Any

from fastapi import APIRouter

from service import planning
from service.access import Authorized, State
from service.answers import answer
from service.aside import PLANS
from service.models.plan import PlanMade
from service.problems import Problem
from service.shapes import PlanRequest

router = APIRouter(tags=["workloads"])


@router.post("/plan", response_model=PlanMade, response_model_exclude_unset=True)
async def make_plan(asked: PlanRequest, state: State, caller: Authorized) -> dict[str, Any]:
    """Place the workloads that have not begun together, by what is known now; only say so, unless `dry_run` is false.

    One moves only if it gains more than REPLAN_GAIN_GBP and REPLAN_GAIN_PCT; pinned and frozen ones stay. Those without a place
    are tried again.
    """
    operator_id = caller.operator_id or asked.operator_id
    if operator_id is None:
        raise Problem(422, "operator_id: this token speaks for every operator; say whose workloads are to be planned")
    if caller.operator_id is not None and asked.operator_id not in (None, caller.operator_id):
        raise Problem(422, "operator_id: this token speaks for another operator; leave it out")
    made = await PLANS(planning.make, state.streams.database, operator_id, state.settings, is_dry_run=asked.dry_run)
    return answer(await state.outlooks.now(), made)
