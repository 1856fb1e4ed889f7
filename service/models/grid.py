"""Where and when: opportunities of each region, and the best windows."""

from datetime import datetime

from pydantic import Field

from service.models.common import Age, Answer, Piece, PlacesAsked, Span
from service.models.places import PlaceFound


class Opportunity(Answer):
    """A licence area now, and its cleanest 1, 2, 4 and 8 hours of the next 48. A row of `regional_opportunities`.

    Where a price is null, `best_<n>h_price_unknown_because` and an estimate with its mean absolute error stand beside it;
    otherwise they are missing.
    """

    region_id: int
    region_name: str | None
    rank: int | None = Field(description="1 is the cleanest four hours of all fourteen areas.")
    now_period_start: datetime | None
    now_gco2_kwh: int | None
    now_intensity_index: str | None
    now_renewable_pct: float | None
    now_price_gbp_mwh: float | None
    now_1h_gco2_kwh: float | None
    now_2h_gco2_kwh: float | None
    now_4h_gco2_kwh: float | None
    now_8h_gco2_kwh: float | None
    best_1h_start: datetime | None
    best_1h_gco2_kwh: float | None
    best_1h_price_gbp_mwh: float | None
    best_1h_price_unknown_because: str | None = None
    best_1h_price_estimate_gbp_mwh: float | None = None
    best_1h_price_estimate_error_gbp_mwh: float | None = None
    best_1h_estimate_basis: str | None = None
    saving_1h_gco2_kwh: float | None
    saving_1h_pct: float | None
    best_2h_start: datetime | None
    best_2h_gco2_kwh: float | None
    best_2h_price_gbp_mwh: float | None
    best_2h_price_unknown_because: str | None = None
    best_2h_price_estimate_gbp_mwh: float | None = None
    best_2h_price_estimate_error_gbp_mwh: float | None = None
    best_2h_estimate_basis: str | None = None
    saving_2h_gco2_kwh: float | None
    saving_2h_pct: float | None
    best_4h_start: datetime | None
    best_4h_gco2_kwh: float | None
    best_4h_price_gbp_mwh: float | None
    best_4h_price_unknown_because: str | None = None
    best_4h_price_estimate_gbp_mwh: float | None = None
    best_4h_price_estimate_error_gbp_mwh: float | None = None
    best_4h_estimate_basis: str | None = None
    saving_4h_gco2_kwh: float | None
    saving_4h_pct: float | None
    best_8h_start: datetime | None
    best_8h_gco2_kwh: float | None
    best_8h_price_gbp_mwh: float | None
    best_8h_price_unknown_because: str | None = None
    best_8h_price_estimate_gbp_mwh: float | None = None
    best_8h_price_estimate_error_gbp_mwh: float | None = None
    best_8h_estimate_basis: str | None = None
    saving_8h_gco2_kwh: float | None
    saving_8h_pct: float | None
    open_capacity_mw: float | None
    synthetic_share: float | None
    data_age: Span | None
    data_age_seconds: float | None
    data_age_in_words: str | None
    synthetic_age: Span | None
    synthetic_age_seconds: float | None
    synthetic_age_in_words: str | None


class Opportunities(Answer):
    """`GET /regions/opportunities`, best first."""

    asked: PlacesAsked
    places: list[PlaceFound]
    regions: list[Opportunity]
    data: Age


class BestWindow(Answer):
    """A time and place for a run. Where there is no price yet, why, and an estimate with its error, stand beside it."""

    rank: int
    region_id: int
    region_name: str | None
    starts_at: datetime
    ends_at: datetime
    chunks: list[Piece] | None = Field(
        None, description="Its pieces, if the work may be interrupted or its power varies."
    )
    mean_gco2_kwh: float
    mean_price_gbp_mwh: float | None
    score: float = Field(description="GBP/MWh; the lowest is the best.")
    synthetic_share: float
    price_unknown_because: str | None = None
    price_estimate_gbp_mwh: float | None = None
    price_estimate_error_gbp_mwh: float | None = None
    estimate_basis: str | None = None


class WindowsAsked(PlacesAsked):
    """The request as it was understood."""

    duration_minutes: int
    earliest: datetime
    deadline: datetime
    carbon_to_cost_weight: float
    is_interruptible: bool | None
    max_chunks: int | None
    min_chunk_minutes: int | None
    resume_overhead_minutes: int | None
    power_profile_kw: list[float] | None
    limit: int


class BestWindows(Answer):
    """`GET /windows/best`, best first."""

    asked: WindowsAsked
    places: list[PlaceFound]
    windows: list[BestWindow]
    why_none: str | None = Field(description="Why there are no windows; null if there are.")
    data: Age
