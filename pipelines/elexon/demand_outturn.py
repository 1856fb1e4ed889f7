"""Initial outturn of demand, each settlement period; MW."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.elexon.rows import Body, Number, body_of, contents, instant, read_rows, settlement_fields
from pipelines.elexon.windows import FIRST, PUBLISHED_AFTER, SOURCE, days, recent_days
from pipelines.pieces import settlement_days
from pipelines.synthetic import national_demand_mw
from warehouse.periods import HALF_HOUR

LONGEST_OUTTURN = 28
"""Days; the upstream documents no limit, public clients request up to this many."""


class OutturnRow(Struct, rename="camel"):
    """A settlement period's initial outturn; MW."""

    start_time: datetime
    publish_time: datetime
    initial_demand_outturn: Number
    initial_transmission_system_demand_outturn: Number


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours with a demand."""
    rows = read_rows(Body[OutturnRow], body)
    return contents(rows, [row for row in rows if row.initial_demand_outturn])


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Initial demand outturn."""

    def row(start: datetime) -> JsonValue:
        demand = national_demand_mw(start)
        return {
            "publishTime": instant(start + HALF_HOUR),
            **settlement_fields(start),
            "initialDemandOutturn": demand,
            "initialTransmissionSystemDemandOutturn": demand + 1000,
        }

    return body_of("INDO", half_hours, row)


DEMAND_OUTTURN = Dataset(
    source=SOURCE,
    name="demand_outturn",
    clean_tables=("demand_actual_national",),
    earliest=lambda now: FIRST,
    lag=PUBLISHED_AFTER,
    refreshes=recent_days,
    pieces=settlement_days(LONGEST_OUTTURN),
    fetch=fetches_path(lambda window: f"/demand/outturn?{days(window)}"),
    validate=validate,
    synthesize=synthesize,
)
