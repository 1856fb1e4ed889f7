"""The fields of the service's responses that this client reads. A test compares them with the service's own models."""

from __future__ import annotations

from typing import TypedDict


class Age(TypedDict):
    """How old the forecast is and how much of it is synthetic."""

    in_words: str
    synthetic_share: float | None


class AgainstBaseline(TypedDict):
    """What a placement saves against another start."""

    carbon_kg: float | None
    carbon_pct: float | None


class Saving(TypedDict, total=False):
    """What a placement saves."""

    against_now: AgainstBaseline | None


class Piece(TypedDict):
    """From when until when it runs."""

    starts_at: str
    ends_at: str


class PlacedPiece(Piece, total=False):
    """A piece of a placement, and when it really ran."""

    started_at: str | None
    stopped_at: str | None


class _Option(TypedDict):
    region_id: int
    region_name: str | None
    starts_at: str
    ends_at: str
    chunks: list[Piece]
    mean_gco2_kwh: float
    carbon_kg: float
    cost_gbp: float | None


class PlacementOption(_Option, total=False):
    """A time and place that is possible."""

    saving: Saving | None


class Submitted(TypedDict):
    """`POST /submit_task`."""

    workload_id: str
    status: str
    placement: PlacementOption | None
    unplaced_because: str | None
    data: Age


class Placement(TypedDict):
    """Where and when a workload is placed."""

    region_id: int
    region_name: str | None
    starts_at: str
    ends_at: str
    chunks: list[PlacedPiece]
    mean_intensity_gco2_kwh: float
    carbon_kg: float
    cost_gbp: float | None


class Workload(TypedDict):
    """A workload as it stands."""

    workload_id: str
    request: str
    status: str
    duration_minutes: int
    deadline: str
    unplaced_because: str | None
    failed_because: str | None
    actual_start: str | None
    actual_end: str | None
    actual_carbon_kg: float | None
    placement: Placement | None


class Workloads(TypedDict):
    """`GET /workloads`."""

    workloads: list[Workload]


class Claimed(TypedDict):
    """A workload that a runner holds."""

    token: int
    workload_id: str


class Claims(TypedDict):
    """`POST /workloads/claim`."""

    claims: list[Claimed]


class _Window(TypedDict):
    region_id: int
    region_name: str | None
    starts_at: str
    ends_at: str
    mean_gco2_kwh: float
    mean_price_gbp_mwh: float | None
    synthetic_share: float


class BestWindow(_Window, total=False):
    """A time and place for a run."""

    chunks: list[Piece] | None


class BestWindows(TypedDict):
    """`GET /windows/best`."""

    windows: list[BestWindow]
    why_none: str | None
    data: Age


class Opportunity(TypedDict):
    """A licence area now, and its cleanest hours."""

    region_id: int
    region_name: str | None
    now_gco2_kwh: int | None
    now_intensity_index: str | None
    now_renewable_pct: float | None
    now_price_gbp_mwh: float | None
    best_4h_start: str | None
    best_4h_gco2_kwh: float | None


class Opportunities(TypedDict):
    """`GET /regions/opportunities`."""

    regions: list[Opportunity]
    data: Age


class PlaceFound(TypedDict):
    """A place and its region."""

    region_id: int
    region_name: str | None


class PlacesFound(TypedDict):
    """`GET /places`."""

    places: list[PlaceFound]


class Figures(TypedDict):
    """What something emits and costs; None where an actual is missing."""

    carbon_kg: float | None
    cost_gbp: float | None


class Foresight(Figures):
    """What the best start would have given by what came."""


class Saved(Figures):
    """What was saved."""

    carbon_pct: float | None


class Savings(TypedDict):
    """What a completed workload saved; by time and by place are two figures."""

    against_at_once: Saved
    by_time: Saved
    by_place: Saved
    captured_pct: float | None


class Promised(TypedDict):
    """What the forecasts said."""

    by_its_placement: Figures


class Method(TypedDict):
    """How savings are to be read."""

    position: str


class Receipt(TypedDict):
    """`GET /workloads/{id}/receipt`."""

    workload_id: str
    version: int
    status: str
    is_final: bool
    began_at: str | None
    ended_at: str | None
    region_id: int
    region_name: str | None
    energy_kwh: float | None
    promised: Promised
    realised: Figures
    at_once: Figures
    first_plan: Figures
    foresight: Foresight
    savings: Savings | None
    notes: list[str]
    method: Method
