"""Routes of callbacks: an operator says where it is called back."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field

from service.access import Authorized, State
from service.answers import spell
from service.callbacks import signing, subscriptions
from service.callbacks.addresses import LONGEST_URL, Refused, Target, checked
from service.models.callbacks import Callback, CallbackGone, CallbackSet
from service.problems import Problem
from service.shapes import Strict
from service.tenancy import Caller, speaking_for

router = APIRouter(tags=["callbacks"])
NAME_SECONDS = 5.0
OfOperator = Annotated[UUID | None, Query(description="Whose; only with the platform's token.")]


def _url(text: str) -> str:
    Target.of(text)
    return text


def _secret(text: str) -> str:
    signing.key_of(text)
    return text


class CallbackRequest(Strict):
    """`PUT /callback`."""

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        max_length=LONGEST_URL,
        description="Where events are sent by POST; null: only workloads that name a callback_url have them.",
        examples=["https://hooks.example.com/energy"],
    )
    secret: Annotated[str, AfterValidator(_secret)] | None = Field(
        None,
        description="What they are signed with, `whsec_` and base64. Left out: the one that is kept, or a new one.",
    )
    is_renewed: bool = Field(False, description="true: a new secret is made in place of the one that is kept.")


def _operator(caller: Caller, operator_id: UUID | None) -> UUID:
    found = caller.operator_id or operator_id
    if found is None:
        raise Problem(422, "query.operator_id: this token speaks for every operator; say whose callback it is")
    if caller.operator_id is not None and operator_id not in (None, caller.operator_id):
        raise Problem(422, "query.operator_id: this token speaks for another operator; leave it out")
    return found


@router.get("/callback", response_model=Callback)
async def callback(state: State, caller: Authorized, operator_id: OfOperator = None) -> dict[str, Any]:
    """Where the operator is called back, and how that goes."""
    whose = _operator(caller, operator_id)
    async with speaking_for(state.pool, caller) as connection:
        found: dict[str, Any] = spell(await subscriptions.shown(connection, whose), {})
        return found


@router.put("/callback", response_model=CallbackSet)
async def put_callback(
    asked: CallbackRequest, state: State, caller: Authorized, operator_id: OfOperator = None
) -> dict[str, Any]:
    """Send the operator what happens to its workloads from now on: placed, moved, due, finished.

    Each event is a POST of JSON, signed as Standard Webhooks has it, at least once, and in order per workload. Redirects are not
    followed. What is answered other than by 2xx is sent again, later and later, for a day.
    """
    whose = _operator(caller, operator_id)
    if asked.url is not None:
        try:
            async with asyncio.timeout(NAME_SECONDS):
                await checked(Target.of(asked.url), state.settings.callback_networks)
        except (Refused, TimeoutError) as refused:
            raise Problem(422, f"body.url: {refused or 'its name cannot be resolved in time'}") from None
    async with speaking_for(state.writes, caller) as connection:
        made = await subscriptions.put(connection, whose, asked.url, asked.secret, is_renewed=asked.is_renewed)
        found: dict[str, Any] = spell(await subscriptions.shown(connection, whose), {})
    return {**found, "secret": made}


@router.delete("/callback", response_model=CallbackGone)
async def delete_callback(state: State, caller: Authorized, operator_id: OfOperator = None) -> dict[str, Any]:
    """Send the operator nothing more; what waited to be sent is forgotten."""
    whose = _operator(caller, operator_id)
    async with speaking_for(state.writes, caller) as connection:
        waiting = (await subscriptions.shown(connection, whose))["waiting"]
        await subscriptions.remove(connection, whose)
    return {"operator_id": whose, "forgotten": waiting}
