"""Shapes of what tools give. Instants are UTC; units are in the names: gCO2/kWh, GBP/MWh, kg, kWh, kW."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from service.models.common import Age, Piece


class Origin(BaseModel):
    """Where the numbers came from."""

    tables: list[str] = Field(description="Tables, views or functions of schema public; describe_tables explains them")
    sources: list[str] = Field(description="Publishers of the data, with their licences and attributions")
    note: str | None = None


class Result(BaseModel):
    """What every result carries."""

    data: Age
    origin: Origin


class PlaceUsed(BaseModel):
    """How a place was understood."""

    asked: str
    region_id: int
    region_name: str | None
    because: str
    is_certain: bool


class Quantity(BaseModel):
    """A value of now, of the half-hour that it is of."""

    value: float | None
    unit: str
    period_start: datetime | None
    age_seconds: float | None = Field(
        description="Since the newest real half-hour ended; 0 while it lasts, null without one"
    )
    synthetic_age_seconds: float | None = Field(
        description="Since this half-hour ended, if it is synthetic; null if it is real"
    )
    is_measured: bool | None = Field(description="false: a forecast")
    is_synthetic: bool | None


class GridNow(Result):
    """The grid of Great Britain now, and one region of it."""

    as_of: datetime
    intensity: Quantity
    intensity_index: str | None
    demand: Quantity
    price: Quantity
    price_market: str | None
    mix_pct: dict[str, float | None] = Field(description="Shares of fuels, per cent")
    renewable_pct: float | None
    low_carbon_pct: float | None
    place: PlaceUsed | None
    place_gco2_kwh: float | None = Field(description="Intensity of the place's region in this half-hour")
    place_rank: int | None = Field(description="1: the cleanest of the fourteen licence areas now")


class ForecastPoint(BaseModel):
    """A coming half-hour."""

    period_start: datetime
    gco2_kwh: float | None = Field(description="null: no forecast that can be relied on")
    p10_gco2_kwh: float | None = Field(
        description="In one case of ten it was below this; null without enough history, and of a synthetic forecast"
    )
    p50_gco2_kwh: float | None = Field(description="What a decision expects")
    p90_gco2_kwh: float | None = Field(description="In one case of ten it was above this")
    typical_error_gco2_kwh: float | None = Field(
        description="Mean absolute error of forecasts so long before, of all time: null until measured, and with as_of"
    )
    known_at: datetime | None
    is_synthetic: bool


class Forecast(Result):
    """The forecast of a place as it was known at an instant."""

    place: PlaceUsed
    as_of: datetime
    points: list[ForecastPoint]
    lowest: ForecastPoint | None
    in_words: str


class Window(BaseModel):
    """A stretch of time in a region."""

    rank: int
    region_id: int
    region_name: str | None
    starts_at: datetime
    ends_at: datetime
    mean_gco2_kwh: float
    mean_price_gbp_mwh: float | None
    price_unknown_because: str | None = Field(None, description="Why there is no price; null if there is one")
    price_estimate_gbp_mwh: float | None = Field(None, description="From past days, where the auction has no price yet")
    price_estimate_error_gbp_mwh: float | None = Field(None, description="Mean absolute error of such estimates")
    estimate_basis: str | None = None
    synthetic_share: float
    chunks: list[Piece] | None = Field(
        None, description="When it runs, of a run that may be split; null of one that may not"
    )


class Windows(Result):
    """Windows, best first."""

    places: list[PlaceUsed]
    windows: list[Window]
    why_none: str | None
    in_words: str


class Decided(BaseModel):
    """The time and place of a workload."""

    region_id: int
    region_name: str | None = None
    venue: str
    starts_at: datetime
    ends_at: datetime
    carbon_kg: float
    cost_gbp: float | None
    cost_unknown_because: str | None = Field(None, description="Why there is no cost; null if there is one")
    cost_estimate_gbp: float | None = Field(None, description="From past days, where the auction has no price yet")
    cost_estimate_error_gbp: float | None = Field(None, description="Mean absolute error of such estimates")
    estimate_basis: str | None = None
    mean_gco2_kwh: float | None
    synthetic_share: float | None


class Workload(Result):
    """A workload as it stands."""

    workload_id: str
    status: str
    placement: Decided | None
    unplaced_because: str | None
    next_step: str | None
    deadline: datetime | None
    energy_kwh: float | None
    duration_minutes: float | None
    in_words: str
    details: dict[str, Any] = Field(
        description="The whole answer of the HTTP route, with options, savings and estimates"
    )


class Explained(Result):
    """Why a workload is where it is."""

    workload_id: str
    is_same: bool = Field(description="Whether deciding again from what was known then gives the same place")
    known_at: datetime = Field(description="The instant of the forecasts that it was decided by")
    decided_then: dict[str, Any]
    decided_again: dict[str, Any] | None
    constraints: list[dict[str, Any]] = Field(
        description="Each that struck out candidates, and what the best of them would save"
    )
    reasons: list[str] = Field(description="What the energy, compute and head agents said, in order")


class Traced(Result):
    """Where a value came from."""

    table: str
    row: dict[str, Any]
    dataset: str | None
    request_url: str | None
    fetched_at: datetime | None
    payload_origin: str | None = Field(description="live, archive or synthetic")
    records: list[Any] = Field(description="The records of the payload that the row was read from")
    checks_met: int
    checks_not_met: list[str]
    in_words: str


class Coverage(BaseModel):
    """How a table stands over the last seven whole days."""

    dataset: str
    newest_day: str
    half_hours_expected: int
    half_hours_present: int
    half_hours_synthetic: int


class Trust(Result):
    """Whether the data can be relied on now."""

    is_ready: bool
    in_words: str
    last_seven_days: list[Coverage]
    gaps: int = Field(description="Ranges of days with something missing; table data_gaps has them")


class Column(BaseModel):
    """A column of a table."""

    name: str
    type: str
    description: str | None


class Table(BaseModel):
    """A table or view of schema public."""

    name: str
    kind: str
    description: str | None
    columns: list[Column] = Field(description="Only where one table is asked for")


class Tables(Result):
    """Tables and views."""

    tables: list[Table]


class Rows(Result):
    """Rows of a query."""

    columns: list[str]
    rows: list[list[Any]]
    row_count: int
    is_truncated: bool = Field(description="true: there are more rows; narrow the query or raise limit")
