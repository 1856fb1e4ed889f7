"""The outbox in the database: events are claimed for a while, so that several services may send, and reported as delivered or not.

Of a workload only its first event that is not delivered can be claimed: the next one waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from service.answers import spell, spelled
from service.tenancy import Caller, Pool, speaking_for

ALL = Caller(None, "callbacks")
LOOKED_AT = 200
"""events of an operator in one look"""
MOST_OF_OPERATOR, MOST_OF_URL = 32, 4
"""sent at once by one service"""

_CLAIM = """
with ready as (
    select
        event.event_id,
        row_number() over (partition by operator.operator_id, event.url order by event.next_attempt_at) as of_url,
        row_number() over (partition by operator.operator_id order by event.next_attempt_at) as of_operator
    from app.operator_callbacks as operator
    cross join lateral (
        select waiting.event_id, waiting.next_attempt_at, coalesce(workload.callback_url, operator.url) as url
        from app.callback_events as waiting
        inner join app.compute_workloads as workload on waiting.workload_id = workload.workload_id
        where waiting.operator_id = operator.operator_id and waiting.delivered_at is null and waiting.given_up_at is null
            and waiting.next_attempt_at <= clock_timestamp()
            and coalesce(workload.callback_url, operator.url) <> all(%(full_urls)s)
            and not exists (
                select from app.callback_events as earlier
                where earlier.workload_id = waiting.workload_id and earlier.number < waiting.number
                    and earlier.delivered_at is null and earlier.given_up_at is null
            )
        order by waiting.next_attempt_at
        limit %(looked_at)s
    ) as event
    where operator.operator_id <> all(%(full_operators)s)
),

mine as (
    select event.event_id
    from app.callback_events as event
    inner join ready on event.event_id = ready.event_id
    where ready.of_url <= %(of_url)s and ready.of_operator <= %(of_operator)s
        and event.delivered_at is null and event.given_up_at is null and event.next_attempt_at <= clock_timestamp()
    limit %(limit)s
    for update of event skip locked
),

claimed as (
    update app.callback_events as event
    set attempts = event.attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => %(lease_seconds)s)
    from mine
    where event.event_id = mine.event_id
    returning event.*
)

select
    claimed.*, operator.secret, coalesce(workload.callback_url, operator.url) as url, to_jsonb(placement) as placement,
    (
        select jsonb_agg(jsonb_build_object('starts_at', chunk.starts_at, 'ends_at', chunk.ends_at) order by chunk.number)
        from app.placement_chunks as chunk where chunk.placement_id = claimed.placement_id
    ) as chunks
from claimed
inner join app.compute_workloads as workload on claimed.workload_id = workload.workload_id
inner join app.operator_callbacks as operator on claimed.operator_id = operator.operator_id
left join app.workload_placements as placement on claimed.placement_id = placement.placement_id
order by claimed.operator_id, claimed.next_attempt_at
"""
_DELIVERED = """
update app.callback_events set delivered_at = clock_timestamp(), last_failure = null
where event_id = %s and delivered_at is null and given_up_at is null
"""
# Those that wait for it wait as long: a look at the outbox finds what can be sent, not what cannot.
_FAILED = """
with mine as (
    update app.callback_events
    set last_failure = %(failure)s, next_attempt_at = clock_timestamp() + make_interval(secs => %(pause_seconds)s),
        given_up_at = case
            when happened_at < clock_timestamp() - make_interval(secs => %(most_seconds)s) then clock_timestamp()
        end
    where event_id = %(event_id)s and attempts = %(attempts)s and delivered_at is null and given_up_at is null
    returning workload_id, number, next_attempt_at, given_up_at
)

update app.callback_events as follower
set next_attempt_at = greatest(follower.next_attempt_at, mine.next_attempt_at)
from mine
where follower.workload_id = mine.workload_id and follower.number > mine.number and mine.given_up_at is null
    and follower.delivered_at is null and follower.given_up_at is null
"""
_TIDY = """
with gone as (
    delete from app.callback_events
    where event_id in (
        select event_id from app.callback_events
        where happened_at < clock_timestamp() - make_interval(secs => %(kept_seconds)s)
            and num_nonnulls(delivered_at, given_up_at) = 1
        limit 10000
    )
)

update app.callback_events
set given_up_at = clock_timestamp(), last_failure = coalesce(last_failure, 'there was no URL to send it to')
where delivered_at is null and given_up_at is null
    -- what was never tried, because no service ran, is tried once
    and happened_at < clock_timestamp() - make_interval(
        secs => case when attempts > 0 then %(most_seconds)s else %(kept_seconds)s end
    )
    and next_attempt_at < clock_timestamp()
"""
PLACEMENT = (
    "placement_id", "region_id", "venue", "asset_id", "starts_at", "ends_at", "power_kw", "energy_kwh", "mean_intensity_gco2_kwh",
    "carbon_kg", "cost_gbp", "synthetic_share", "known_at", "reason", "replaces",
)  # fmt: skip
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class Claimed:
    """An event that this service sends now."""

    event_id: UUID
    operator_id: UUID
    workload_id: UUID
    attempts: int
    url: str
    secret: str
    body: bytes

    def __repr__(self) -> str:
        """Without its secret and its URL, which may hold one."""
        return f"event {self.event_id} of workload {self.workload_id}, attempt {self.attempts}"


async def claim(
    pool: Pool, *, limit: int, lease_seconds: float, full_urls: Sequence[str], full_operators: Sequence[UUID]
) -> list[Claimed]:
    """Events to send now, at most so many; nobody else gets them while their lease lasts."""
    values = {
        "limit": limit, "lease_seconds": lease_seconds, "full_urls": list(full_urls), "looked_at": LOOKED_AT,
        "full_operators": list(full_operators), "of_url": MOST_OF_URL, "of_operator": MOST_OF_OPERATOR,
    }  # fmt: skip
    async with speaking_for(pool, ALL) as connection:
        rows = await (await connection.execute(_CLAIM, values)).fetchall()
    names = ("event_id", "operator_id", "workload_id", "attempts", "url", "secret")
    return [Claimed(**{name: row[name] for name in names}, body=body(row)) for row in rows]


def body(row: Mapping[str, Any]) -> bytes:
    """What is sent of an event: the same at each attempt."""
    placed, facts = row["placement"], row["facts"]
    data: dict[str, Any] = {
        "workload_id": row["workload_id"],
        "operator_id": row["operator_id"],
        "number": row["number"],
        "placement": {**{name: placed[name] for name in PLACEMENT}, "chunks": row["chunks"]} if placed else None,
    }
    if row["event"] == "finished":
        data["finished"] = {name: spell(value, {}, f"{name}_at") for name, value in facts.items()}
    happened: datetime = row["happened_at"]
    whole = {"type": f"workload.{row['event']}", "timestamp": spelled(happened), "data": spell(data, {})}
    if placed:
        del whole["data"]["placement"]["region_name"]  # it is not known here
    return _ENCODER.encode(whole)


async def delivered(pool: Pool, event: Claimed) -> None:
    """The receiver has it."""
    async with speaking_for(pool, ALL) as connection:
        await connection.execute(_DELIVERED, [event.event_id])


async def failed(pool: Pool, event: Claimed, failure: str, *, pause_seconds: float, most_seconds: float) -> None:
    """It is sent again after a pause, or never if it happened so long ago."""
    values = {
        "event_id": event.event_id, "attempts": event.attempts, "failure": failure, "pause_seconds": pause_seconds,
        "most_seconds": most_seconds,
    }  # fmt: skip
    async with speaking_for(pool, ALL) as connection:
        await connection.execute(_FAILED, values)


async def tidy(pool: Pool, *, kept_seconds: float, most_seconds: float) -> None:
    """Forget what is over for so long; give up what is too old to be sent."""
    async with speaking_for(pool, ALL) as connection:
        await connection.execute(_TIDY, {"kept_seconds": kept_seconds, "most_seconds": most_seconds})
