"""What each agent reads, in full and in brief; `detail` tells them apart."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from service.models.common import Age, Answer, PlacesAsked
from service.models.context_rows import (
    Asset,
    ComputeWindow,
    ForecastPeriod,
    GridStatus,
    Negotiation,
    OperatorSummary,
    PastWorkload,
    Preferences,
    Price,
    UserSummary,
    WaitingWorkload,
    WorkloadPattern,
)
from service.models.grid import Opportunity
from service.models.places import PlaceFound

AS_OF = "What is missing as of an instant, and why; only with `as_of`."


class ContextAsked(PlacesAsked):
    """The request as it was understood."""

    hours: int | None
    as_of: datetime | None
    limit: int
    detail: Literal["full", "brief"]


class Full(Answer):
    """A context in full."""

    detail: Literal["full"]
    asked: ContextAsked
    places: list[PlaceFound]
    as_of_in_words: str | None = Field(None, description=AS_OF)
    data: Age


class EnergyFull(Full):
    """For the energy agent."""

    grid_status: GridStatus | None = Field(description="null as of an instant.")
    regional_opportunities: list[Opportunity]
    compute_windows: list[ComputeWindow]
    prices: list[Price]
    forecast_24h: list[ForecastPeriod]


class ComputeFull(Full):
    """For the compute agent."""

    workload_patterns: list[WorkloadPattern]
    preferences: list[Preferences]
    operators: list[OperatorSummary]
    assets: list[Asset]
    waiting: list[WaitingWorkload]


class HeadFull(Full):
    """For the head agent."""

    grid_status: GridStatus | None = Field(description="null as of an instant.")
    workload_history: list[PastWorkload]
    users: list[UserSummary]
    operators: list[OperatorSummary]
    negotiations: list[Negotiation]
    waiting: list[WaitingWorkload]


class GridNow(Answer):
    """The grid now, in brief."""

    intensity_period_start: datetime | None
    gco2_kwh: int | None
    intensity_index: str | None
    renewable_pct: float | None
    low_carbon_pct: float | None
    national_demand_mw: int | None
    price_gbp_mwh: float | None
    price_market: str | None


class RegionBrief(Answer):
    """A region now, its cleanest four hours, and its forecast by the hour; of region 18 (Great Britain) the forecast alone."""

    region_id: int
    region_name: str | None
    now_gco2_kwh: int | None
    best_4h_start: datetime | None
    best_4h_gco2_kwh: float | None
    saving_4h_pct: float | None
    hourly_gco2_kwh: list[int | None] = Field(
        description="Mean forecast of each hour from `hours_from` on; null where nothing is known."
    )


class PlaceBrief(Answer):
    """A place and its region; the full context says why."""

    asked: str
    region_id: int
    region_name: str | None
    is_certain: bool


class Brief(Answer):
    """A context in brief: under 8 KB. Fields of its rows are those of the full one, fewer of them."""

    detail: Literal["brief"]
    asked: dict[str, Any]
    places: list[PlaceBrief]
    as_of_in_words: str | None = Field(None, description=AS_OF)
    left_out: dict[str, int] = Field(description="List -> rows that did not fit.")
    data: Age


class EnergyBrief(Brief):
    """For the energy agent."""

    grid_now: GridNow | None
    hours_from: datetime | None
    regions: list[RegionBrief]
    hourly_price_gbp_mwh: list[float | None] = Field(
        description="Day-ahead price of each hour from `hours_from` on; null where there is none yet."
    )
    compute_windows: list[dict[str, Any]]


class ComputeBrief(Brief):
    """For the compute agent."""

    workload_patterns: list[dict[str, Any]]
    operators: list[dict[str, Any]]
    assets: list[dict[str, Any]]
    waiting: list[dict[str, Any]]


class HeadBrief(Brief):
    """For the head agent."""

    grid_now: GridNow | None
    workload_history: list[dict[str, Any]]
    operators: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    waiting: list[dict[str, Any]]


EnergyContext = Annotated[EnergyFull | EnergyBrief, Field(discriminator="detail")]
ComputeContext = Annotated[ComputeFull | ComputeBrief, Field(discriminator="detail")]
HeadContext = Annotated[HeadFull | HeadBrief, Field(discriminator="detail")]
