"""The documented rows of NESO's datastore answers, as typed models.

CKAN gives a number as a number or as text by the type of its column, and `NA` where a file has it; which of the three a
year's file has is not told. Unknown keys are let through; missing ones, and text that is no number, are not.
"""

from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Struct

NUMBER = r"^[ \t\r\n]*(NA|-?[0-9]+(\.[0-9]+)?)?[ \t\r\n]*\Z"
Number = int | float | Annotated[str, Meta(pattern=NUMBER)] | None
Whole = int | Annotated[str, Meta(pattern=r"^[0-9]{1,8}\Z")]
Clock = Annotated[int, Meta(ge=0, le=2400)] | Annotated[str, Meta(pattern=r"^[0-9]{1,4}\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?\Z")]
Row = TypeVar("Row")


class Result(Struct, Generic[Row]):
    """`result` of datastore_search_sql."""

    records: list[Row]


class Body(Struct, Generic[Row]):
    """CKAN's envelope."""

    success: bool
    result: Result[Row]


class DemandRow(Struct, rename="upper"):
    """A settlement period of Historic Demand Data; MW."""

    settlement_date: str
    settlement_period: Whole
    nd: Number
    tsd: Number
    england_wales_demand: Number
    embedded_wind_generation: Number
    embedded_solar_generation: Number


class DemandUpdateRow(DemandRow, rename="upper"):
    """The same of Demand Data Update, which has forecasts too."""

    forecast_actual_indicator: str


class TwoTo14Row(Struct):
    """A half-hour of the 2-14 days ahead forecast; GDATETIME is its end, UTC."""

    GDATETIME: str
    NATIONALDEMAND: Number


class DayAheadRow(Struct):
    """A settlement period of the day-ahead forecast; `Publish_Datetime` is when it was issued."""

    Date: str
    Settlement_Period: Whole
    Demand_Forecast: Number
    Publish_Datetime: str | None


class CardinalRow(Struct, rename="upper"):
    """A cardinal point of a day: demand at its turning points, HHMM local."""

    targetdate: int | str
    forecastdemand: Number
    cardinalpoint: str
    cp_st_time: Clock
    cp_end_time: Clock
    forecast_timestamp: str | None = None


class N2exRow(Struct, rename={"day": "Date", "hour": "Delivery Period", "price": "Price"}):
    """An hour of the N2EX day-ahead auction, labelled in GMT on every day of the year; GBP/MWh."""

    day: str
    hour: Annotated[str, Meta(pattern=r"^ *([01][0-9]|2[0-3]):00 - ([01][0-9]|2[0-3]):00 *\Z")]
    price: Number


class EacRow(Struct, rename="camel"):
    """A product and delivery block of the response and reserve auctions; MW, GBP/MW/h."""

    auction_product: str
    delivery_start: str
    delivery_end: str
    cleared_volume: Number
    clearing_price: Number


class DfsRow(
    Struct,
    rename={
        "delivery_date": "Delivery Date", "from_utc": "From_UTC", "to_utc": "To_UTC", "unit": "DFS Unit ID",
        "procured_mw": "DFS Procured MW", "price": "Utilisation Price GBP per MWh", "status": "Status",
    },
):  # fmt: skip
    """A bid to the Demand Flexibility Service; MW, GBP/MWh."""

    delivery_date: str
    from_utc: TimeOfDay
    to_utc: TimeOfDay
    unit: str
    procured_mw: Number
    price: Number
    status: str
