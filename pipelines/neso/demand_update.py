"""Demand Data Update: recent weeks and the coming days; MW."""

from collections.abc import Collection
from datetime import datetime, timedelta

from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset
from pipelines.door import refuses_the_unreadable
from pipelines.neso import resources, windows
from pipelines.neso.ckan import fetches_datastore
from pipelines.neso.demand_history import DemandRow, demand_contents, settlement_row
from pipelines.neso.rows import Body, body_of, rows_of
from pipelines.neso.windows import ANY_NUMBER, SOURCE
from pipelines.pieces import settlement_days
from warehouse.periods import HALF_HOUR, Window

UPDATE_REACHES_BACK = 31
"""Days that are read again; the file begins with the month before this one, which on 1 to 3 March are fewer."""
_update_begins = windows.since_last_month(UPDATE_REACHES_BACK)


class DemandUpdateRow(DemandRow, rename="upper"):
    """The same of Demand Data Update, which has forecasts too."""

    forecast_actual_indicator: str


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Half-hours of Demand Data Update; a forecast row is complete as it is, one of an actual with a demand."""
    rows = rows_of(Body[DemandUpdateRow], body)
    return demand_contents(rows, lambda row: row.forecast_actual_indicator.strip() == "F")


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """Demand Data Update: what has not ended at `now` is a forecast row, with zeros where upstream has them."""
    records: list[JsonValue] = []
    for start in sorted(half_hours):
        row = settlement_row(start)
        if start + HALF_HOUR <= now:
            records.append({**row, "FORECAST_ACTUAL_INDICATOR": "A"})
        else:
            records.append({**row, "FORECAST_ACTUAL_INDICATOR": "F", "ND": 0, "TSD": 0, "ENGLAND_WALES_DEMAND": 0})
    return body_of(records)


DEMAND_UPDATE = Dataset(
    source=SOURCE,
    name="demand_update",
    clean_tables=("demand_actual_national", "demand_regional", "demand_forecast_national"),
    earliest=windows.last_month,
    lag=timedelta(hours=36),
    horizon=timedelta(days=8),
    refreshes=lambda now: Window(_update_begins(now), windows.days(0, 8)(now).end),
    pieces=settlement_days(ANY_NUMBER),
    fetch=fetches_datastore(lambda request: resources.DEMAND_UPDATE, windows.between("SETTLEMENT_DATE")),
    validate=validate,
    synthesize=synthesize,
)
