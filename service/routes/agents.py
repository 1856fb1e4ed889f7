"""What each agent reads before it speaks: the grid, the patterns of work and the limits, the whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from service import brief, contexts
from service.access import Authorized, Service, State
from service.answers import answer, spell
from service.models.agents import ComputeContext, EnergyContext, HeadContext
from service.problems import Problem
from service.routes.grid import no_price, with_prices
from service.shapes import Instant
from service.tenancy import Connection, speaking_for
from service.where import InAreas, Where
from warehouse.counts import count

router = APIRouter(prefix="/agents", tags=["agents"])

Detail = Literal["brief", "full"]


@dataclass(frozen=True)
class Narrowed:
    """The parameters of a context."""

    where: Where
    wanted: contexts.Wanted
    detail: Detail

    @property
    def asked(self) -> dict[str, Any]:
        """As they were understood."""
        wanted = self.wanted
        mine = {"hours": wanted.hours, "as_of": wanted.as_of, "limit": wanted.limit, "detail": self.detail}
        return {**self.where.asked, **mine}


async def _narrowed(
    caller: Authorized,
    where: InAreas,
    hours: Annotated[
        int | None,
        Query(
            ge=1, le=48, description="Of the forecast ahead and prices back (24 if left out); of histories back (all)."
        ),
    ] = None,
    as_of: Annotated[
        Instant | None,
        Query(
            description="What was known at this instant. What is kept only as it is now is left out; of a workload that has "
            "changed since, how it stood is null."
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description=f"Most rows of {', '.join(contexts.GROWING)}.")] = 100,
    detail: Annotated[Detail, Query(description="`brief` is under 8 KB: it fits a prompt.")] = "full",
) -> Narrowed:
    if as_of is not None and as_of > datetime.now(UTC) + timedelta(seconds=60):
        raise Problem(422, "query.as_of: this instant has not come yet")
    return Narrowed(where, contexts.Wanted(where.region_ids, hours, as_of, limit, caller.operator_id), detail)


Asked = Annotated[Narrowed, Depends(_narrowed)]


@router.get("/energy/context", response_model=EnergyContext, response_model_exclude_unset=True)
async def energy(state: State, caller: Authorized, asked: Asked) -> dict[str, Any]:
    """For the energy agent: grid status, regional opportunities, compute windows, prices, the forecast of 24 hours."""
    async with speaking_for(state.heavy, caller) as connection:
        context = await contexts.energy(connection, asked.wanted)
        age = await _age(connection, asked)
    return await _answer(state, context, asked, age, brief.energy)


@router.get("/compute/context", response_model=ComputeContext, response_model_exclude_unset=True)
async def compute(state: State, caller: Authorized, asked: Asked) -> dict[str, Any]:
    """For the compute agent: patterns of past work, users' preferences, and what each operator can carry."""
    async with speaking_for(state.heavy, caller) as connection:
        context = await contexts.compute(connection, asked.wanted)
        age = await _age(connection, asked)
    return await _answer(state, context, asked, age, brief.compute)


@router.get("/head/context", response_model=HeadContext, response_model_exclude_unset=True)
async def head(state: State, caller: Authorized, asked: Asked) -> dict[str, Any]:
    """For the head agent: the history of workloads, users and operators, and every negotiation."""
    async with speaking_for(state.heavy, caller) as connection:
        context = await contexts.head(connection, asked.wanted)
        age = await _age(connection, asked)
    return await _answer(state, context, asked, age, brief.head)


async def _age(connection: Connection, asked: Narrowed) -> dict[str, Any] | None:
    as_of = asked.wanted.as_of
    return None if as_of is None else await contexts.age(connection, as_of)


async def _answer(
    state: Service,
    read: dict[str, Any],
    asked: Narrowed,
    age: dict[str, Any] | None,
    shorten: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """As of an instant the age is that of then."""
    outlook = await state.outlooks.now()
    shown = read if asked.detail == "full" else shorten(read)
    places = asked.where.as_json() if asked.detail == "full" else brief.places(asked.where.as_json())
    context = {"detail": asked.detail, "places": places, **shown}
    if age is not None:
        changed = sum(row["is_changed_since"] for row in read.get("workload_history", ()))
        context["as_of_in_words"] = _as_of_in_words(shown, changed)
    if asked.detail == "brief":
        given = {name: value for name, value in asked.asked.items() if value is not None}
        return brief.fitted(_of_then(answer(outlook, context, asked=given), age))
    for row in context.get("waiting", ()):
        if row["best_start"] is not None and row["best_price_gbp_mwh"] is None:
            row |= no_price("best_", outlook, row["best_start"], row["best_end"] - row["best_start"])
    if "regional_opportunities" in context:
        context["regional_opportunities"] = [with_prices(row, outlook) for row in context["regional_opportunities"]]
    return _of_then(answer(outlook, context, asked=asked.asked), age)


def _of_then(body: dict[str, Any], age: dict[str, Any] | None) -> dict[str, Any]:
    return body if age is None else {**body, "data": spell(age, {})}


def _as_of_in_words(context: Mapping[str, Any], changed: int) -> str:
    """What is missing as of an instant, and why."""
    missing = ", ".join(name for name in ("grid_status", "grid_now", *contexts.NOT_AS_OF) if name in context)
    said = f"Kept only as it is now, so left out: {missing}."
    if changed:
        said += f" {count(changed, 'workload has', 'workloads have')} changed since: how it stood is null."
    return said
