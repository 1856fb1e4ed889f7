"""What stands in the contexts of the agents: the grid, prices, workloads, users, assets, and what was said."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.models.common import Answer, Clock, Span
from service.models.workloads import RecordedRound
from service.shapes import Priority, Status, WorkloadType


class ForecastPeriod(Answer):
    """A region and coming half-hour, a row of `carbon_intensity_forecast_24h`; as of an instant it has fewer columns."""

    region_id: int
    region_name: str | None = None
    period_start: datetime
    period_end: datetime
    forecast_gco2_kwh: int | None
    intensity_index: str | None = None
    payload_id: UUID | None = None
    is_synthetic: bool
    fetched_at: datetime | None
    data_age: Span | None = None
    data_age_seconds: float | None = None
    data_age_in_words: str | None = None
    is_isolated: bool | None = None


class ComputeWindow(Answer):
    """A Beckn compute window, its last snapshot and cheapest offer. A row of `latest_compute_windows`."""

    window_id: str
    name: str | None
    zone_id: str | None
    grid_area: str | None
    zone_code: str | None
    region_id: int | None
    region_name: str | None
    address_differs: bool | None
    provider_id: str | None
    starts_at_time: Clock | None
    ends_at_time: Clock | None
    crosses_midnight: bool | None
    reservation_required: bool | None
    valid_from: datetime | None
    valid_until: datetime | None
    is_expired: bool | None
    renewable_pct: float | None
    carbon_intensity_gco2_kwh: float | None
    available_capacity_mw: float | None
    observed_at: datetime | None
    offer_id: str | None
    price: float | None
    currency: str | None
    price_unit: str | None
    price_stability: str | None
    listed_at: datetime | None
    is_synthetic: bool


class OperatorSummary(Answer):
    """What an operator has and carries. A row of `operator_summary`."""

    operator_id: UUID
    operator_name: str
    operator_type: str | None
    region_id: int | None
    region_name: str | None
    user_count: int
    asset_count: int
    active_asset_count: int
    rated_power_kw: float | None
    workload_count: int
    active_workloads: int
    waiting_workloads: int


class UserSummary(Answer):
    """What a user has submitted. A row of `user_workload_summary`."""

    user_id: UUID
    user_email: str | None
    user_name: str | None
    operator_id: UUID | None
    operator_name: str | None
    total_workloads: int
    pending_workloads: int
    running_workloads: int
    completed_workloads: int
    failed_workloads: int
    cancelled_workloads: int
    total_energy_kwh: float | None
    total_carbon_kg: float | None
    total_cost_gbp: float | None
    total_cost_unknown_because: str | None = Field(None, description="Missing if it is known.")
    last_submitted_at: datetime | None


class WaitingWorkload(Answer):
    """A workload that waits, with its best window. A row of `workload_opportunities`."""

    workload_id: UUID
    operator_id: UUID
    user_id: UUID | None
    workload_type: str
    status: str
    energy_kwh: float
    duration_minutes: int
    earliest_start: datetime
    deadline: datetime
    placed_start: datetime | None
    placed_region_id: int | None
    placed_region_name: str | None
    placed_gco2_kwh: float | None
    best_region_id: int | None
    best_region_name: str | None
    best_start: datetime | None
    best_end: datetime | None
    best_gco2_kwh: float | None
    best_price_gbp_mwh: float | None
    best_price_unknown_because: str | None = None
    best_price_estimate_gbp_mwh: float | None = None
    best_price_estimate_error_gbp_mwh: float | None = None
    best_estimate_basis: str | None = None
    best_carbon_kg: float | None
    saving_against_soonest_kg: float | None
    saving_against_placement_kg: float | None
    synthetic_share: float | None


class GridStatus(Answer):
    """The grid now. A row of `national_grid_status`: `*_age` is that of the newest real half-hour, `*_synthetic_age` that of the
    half-hour shown if it is synthetic.
    """

    as_of: datetime
    intensity_period_start: datetime | None
    gco2_kwh: int | None
    intensity_is_measured: bool | None
    intensity_index: str | None
    intensity_age: Span | None
    intensity_age_seconds: float | None
    intensity_age_in_words: str | None
    intensity_is_synthetic: bool | None
    intensity_synthetic_age: Span | None
    intensity_synthetic_age_seconds: float | None
    intensity_synthetic_age_in_words: str | None
    mix_period_start: datetime | None
    biomass_pct: float | None
    coal_pct: float | None
    gas_pct: float | None
    hydro_pct: float | None
    imports_pct: float | None
    nuclear_pct: float | None
    other_pct: float | None
    solar_pct: float | None
    wind_pct: float | None
    renewable_pct: float | None
    low_carbon_pct: float | None
    mix_age: Span | None
    mix_age_seconds: float | None
    mix_age_in_words: str | None
    mix_is_synthetic: bool | None
    mix_synthetic_age: Span | None
    mix_synthetic_age_seconds: float | None
    mix_synthetic_age_in_words: str | None
    demand_period_start: datetime | None
    national_demand_mw: int | None
    demand_is_measured: bool | None
    demand_age: Span | None
    demand_age_seconds: float | None
    demand_age_in_words: str | None
    demand_is_synthetic: bool | None
    demand_synthetic_age: Span | None
    demand_synthetic_age_seconds: float | None
    demand_synthetic_age_in_words: str | None
    price_period_start: datetime | None
    price_gbp_mwh: float | None
    price_market: str | None
    price_age: Span | None
    price_age_seconds: float | None
    price_age_in_words: str | None
    price_is_synthetic: bool | None
    price_synthetic_age: Span | None
    price_synthetic_age_seconds: float | None
    price_synthetic_age_in_words: str | None


class Price(Answer):
    """A market and half-hour."""

    market: str
    period_start: datetime
    period_end: datetime
    price_gbp_mwh: float | None
    is_synthetic: bool
    fetched_at: datetime


class WorkloadPattern(Answer):
    """The newest 5,000 workloads of the last 90 days, by type and hour of the day."""

    workload_type: WorkloadType
    hour_utc: int
    workloads: int
    mean_energy_kwh: float
    mean_power_kw: float
    mean_duration_minutes: float
    deferrable: int


class Preferences(Answer):
    """What a user prefers."""

    user_id: UUID
    role: str | None
    preferences: dict[str, Any]


class Asset(Answer):
    """A place of an operator where workloads run."""

    asset_id: UUID
    operator_id: UUID
    name: str
    region_id: int | None
    region_name: str | None
    zone_id: str | None
    rated_power_kw: float
    max_deferral_minutes: int | None
    carbon_cap_gco2_kwh: float | None
    is_active: bool
    taken_now_kw: float


class PastWorkload(Answer):
    """A workload of the history."""

    workload_id: UUID
    operator_id: UUID
    user_id: UUID | None
    workload_type: WorkloadType
    priority: Priority
    status: Status | None = Field(
        description="null as of an instant if the workload has changed since; so are `actual_*`."
    )
    is_changed_since: bool = Field(description="Whether it has changed since `as_of`; false without one.")
    energy_kwh: float
    power_kw: float
    duration_minutes: int
    earliest_start: datetime
    deadline: datetime
    actual_start: datetime | None
    actual_end: datetime | None
    actual_carbon_kg: float | None
    actual_cost_gbp: float | None
    actual_cost_unknown_because: str | None = Field(None, description="Missing if it is known.")
    created_at: datetime


class Negotiation(RecordedRound):
    """What an agent said of a workload."""

    negotiation_id: int
    workload_id: UUID
