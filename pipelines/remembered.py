"""What is remembered of earlier answers, so that an upstream need not be asked again and a short answer is noticed.

What was held back by the quality gate is not remembered: it is asked for again, until something good comes.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pydantic import JsonValue

from pipelines.dataset import Dataset, Earlier
from warehouse.database import Database, Role, has_relation
from warehouse.periods import Window

NOT_HELD = (
    "not exists (select 1 from ops.payload_verdicts as held "
    "where held.payload_id = payload.payload_id and held.verdict = 'held')"
)
"""A condition on `payload`, a row of a payload table."""
OF_HALF_HOURS = " and ".join(
    f"{at} = date_bin('30 minutes', {at}, '2000-01-01 00:00Z')" for at in ("window_start", "window_end")
)
"""A condition on its window, which is ours to write: one of another kind is no request that could be made again"""
SEEN_AT = "greatest(payload.fetched_at, (payload.request_params ->> 'seen_at')::timestamptz)"
"""When a body came last: if it comes again unchanged, its values are as new as then."""
IS_WHOLE = (
    "(not request_params ? 'unfinished_version' or request_params ? 'seen_whole') "
    "and (coalesce((request_params ->> 'size')::integer, 0) > 0 or request_params ? 'has_none')"
)
"""Whether a payload holds what its window should; one that landed before its size was noted is requested once more."""
SEEN_AGAIN = "%s::jsonb || (request_params - %s) || %s::jsonb"
"""What `request_params` becomes if a body comes again, with the values of `seen_again`."""
ALIKE = (
    "((window_start, window_end) = (%s, %s) or (%s and window_end >= fetched_at and window_end - window_start = %s))"
)
"""For this window, or for one of the same length that reached the present as this does."""


def newest_version(database: Database, dataset: Dataset, window: Window) -> str | None:
    """The version of the last live payload of this dataset and window, for upstreams and snapshots that have versions."""
    row = _newest(
        database,
        dataset,
        "coalesce(request_params ->> 'seen_version', request_params ->> 'version')",
        "(%s or (window_start, window_end) = (%s, %s))",
        [dataset.is_snapshot, window.start, window.end],
    )
    return row[0] if row else None


def newest_whole(database: Database, dataset: Dataset, window: Window) -> Earlier | None:
    """What the last whole answer held, of this window or of one that is alike."""
    row = _newest(
        database,
        dataset,
        "window_start, window_end, (request_params ->> 'size')::integer, request_params -> 'by_day'",
        f"request_params ->> 'version' is not null and request_params ? 'size' and {OF_HALF_HOURS} and {ALIKE}",
        _alike(window),
    )
    if row is None:
        return None
    start, end, size, by_day = row
    return Earlier(Window(start, end), size, {date.fromisoformat(day): count for day, count in (by_day or {}).items()})


def doubted_since(database: Database, dataset: Dataset, window: Window) -> datetime | None:
    """When the first answer since the last whole one came that was not taken for whole, of a window as for `newest_whole`."""
    with database.connect(role=Role.LOADER) as connection:
        if not has_relation(connection, f"staging.{dataset.payload_table}"):
            return None
        row = connection.execute(
            f"""
            with alike as (
                select
                    {SEEN_AT} as seen_at, {IS_WHOLE} as is_whole,
                    case when request_params ? 'unfinished_version' and not request_params ? 'seen_whole'
                        then fetched_at else (request_params ->> 'doubted_at')::timestamptz
                    end as doubted_at
                from staging.{dataset.payload_table} as payload
                where origin = 'live' and {NOT_HELD} and {ALIKE}
            )
            select min(doubted_at) from alike
            where doubted_at > coalesce((select max(seen_at) from alike where is_whole), '-infinity')
            """,
            _alike(window),
        ).fetchone()
    return row[0] if row else None


def seen_again(params: Mapping[str, JsonValue], at: datetime) -> tuple[str, str, str]:
    """What is noted of a body that came again: what is new, a key to forget, and what replaces what was noted before.

    One that is not whole now was not seen: only the first instant at which that was so is noted.
    """
    replaced = {key: params[key] for key in ("size", "has_none") if key in params}
    if "unfinished_version" in params:
        return json.dumps({"doubted_at": at.isoformat()}), "", json.dumps(replaced)
    replaced |= {"seen_at": at.isoformat(), "seen_whole": True}
    if params.get("version") is not None:
        replaced["seen_version"] = str(params["version"])
    return "{}", "doubted_at", json.dumps(replaced)


def _alike(window: Window) -> Sequence[Any]:
    return [window.start, window.end, window.end >= datetime.now(UTC), window.end - window.start]


def _newest(database: Database, dataset: Dataset, select: str, condition: str, values: Sequence[Any]) -> Any:
    with database.connect(role=Role.LOADER) as connection:
        if not has_relation(connection, f"staging.{dataset.payload_table}"):
            return None
        return connection.execute(
            f"select {select} from staging.{dataset.payload_table} as payload "
            f"where origin = 'live' and {NOT_HELD} and {condition} "
            f"order by {SEEN_AT} desc limit 1",
            values,
        ).fetchone()
