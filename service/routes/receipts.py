"""The route of receipts."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from service import receipts
from service.access import Authorized, State
from service.answers import answer
from service.models.receipts import Receipt
from service.tenancy import speaking_for

router = APIRouter(tags=["workloads"])


@router.get("/workloads/{workload_id}/receipt", response_model=Receipt, response_model_exclude_unset=True)
async def receipt(
    workload_id: UUID,
    state: State,
    caller: Authorized,
    version: Annotated[int | None, Query(ge=1, le=32767, description="The newest, where left out.")] = None,
) -> dict[str, Any]:
    """What a finished workload was promised, what came, and both against starting at once, its first plan and perfect foresight.

    By average intensity. 404 while there is none: the detail says why, and `expected_at` when it is expected.
    """
    async with speaking_for(state.pool, caller) as connection:
        found = await receipts.read(connection, workload_id, version, datetime.now(UTC))
    return answer(await state.outlooks.now(), found)
