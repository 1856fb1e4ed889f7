"""What a person came for, read from the views: the grid now, the cleanest four hours, and what to do next."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from warehouse.database import Database, Role

HOURS = 4
AHEAD = timedelta(hours=48)
NEXT = "Next: make up (schedules and the service), make psql (read the tables), make status."
_NOW = (
    "select gco2_kwh, intensity_is_synthetic, intensity_is_measured, intensity_period_start from national_grid_status"
)
_BEST = """
select name, starts_at, mean_gco2_kwh, best.synthetic_share
from best_windows(%s, %s, %s) as best
inner join regions using (region_id)
order by rank
limit 1
"""


def highlights(database: Database, now: datetime) -> list[str]:
    """Lines for the end of a summary; none while the views are not built."""
    try:
        with database.connect(role=Role.READER) as connection:
            return [
                *_lines(connection, now),
                "Next: make up (schedules and the service), make psql (read the tables), make status.",
            ]
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction):
        return []


def _lines(connection: psycopg.Connection, now: datetime) -> Iterator[str]:
    status = connection.execute(_NOW).fetchone()
    if status and status[0] is not None:
        value, is_synthetic, is_measured, start = status
        kind = "SYNTHETIC" if is_synthetic else "measured" if is_measured else "forecast"
        yield f"Great Britain now: {value:.0f} gCO2/kWh ({kind}, half-hour from {_utc(start)})."
    best = connection.execute(_BEST, [timedelta(hours=HOURS), now, now + AHEAD]).fetchone()
    if best:
        region, starts_at, value, synthetic_share = best
        kind = "" if not synthetic_share else " SYNTHETIC" if synthetic_share == 1 else " partly synthetic"
        yield (
            f"The cleanest {HOURS} hours in the next {AHEAD // timedelta(hours=1)}: {region} from {_utc(starts_at)}, "
            f"{value:.0f} gCO2/kWh{kind}."
        )


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%a %H:%M} UTC"
