"""Shapes of requests. What does not fit is refused with 422, naming the field; unknown fields are refused too."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

WorkloadType = Literal[
    "training", "fine_tuning", "inference", "simulation", "rendering", "data_processing", "build", "other"
]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["pending", "scheduled", "running", "completed", "failed", "cancelled"]


def _printable(text: str) -> str:
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise ValueError("must not hold control characters")
    if not text.strip():
        raise ValueError("must not be blank")
    return text.strip()


def _address(text: str) -> str:
    try:
        return validate_email(_printable(text), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None


def _is_written(instant: object) -> object:
    if isinstance(instant, int | float) or (isinstance(instant, str) and "-" not in instant):
        raise ValueError("must be a date and time with its zone, such as 2026-11-26T09:00:00Z")
    return instant


def _near(instant: datetime) -> datetime:
    if not datetime(2000, 1, 1, tzinfo=UTC) < instant < datetime(2100, 1, 1, tzinfo=UTC):
        raise ValueError("must lie between 2000 and 2100")
    return instant.astimezone(UTC)


Text = Annotated[str, AfterValidator(_printable)]
Email = Annotated[str, Field(max_length=320, examples=["researcher@example.com"]), AfterValidator(_address)]
# JSON has no type for these: a string is read, a number is not
Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_is_written), AfterValidator(_near)]
Id = Annotated[UUID, Field(strict=False)]


class Strict(BaseModel):
    """A body in which nothing unknown passes unnoticed."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_max_length=10_000, strict=True)


class TaskRequest(Strict):
    """`POST /submit_task`: a request in words, and whatever is known of its size and limits."""

    request: Annotated[
        Text, Field(min_length=1, description="What is to be run, in words.", examples=["Train ResNet-50 on ImageNet"])
    ]
    user_email: Email | None = Field(None, description="Whose it is. A new address makes a user.")
    user_name: Annotated[Text, Field(max_length=200)] | None = None
    workload_type: WorkloadType | None = Field(None, description="Estimated from the request where left out.")
    priority: Priority = "normal"
    energy_kwh: float | None = Field(None, ge=0.001, le=1e6)
    power_kw: float | None = Field(None, ge=0.001, le=1e6)
    duration_minutes: int | None = Field(None, ge=1, le=10_080)
    earliest_start: Instant | None = Field(None, description="Now, where left out.")
    deadline: Instant | None = Field(None, description="When it must have ended.")
    region_ids: list[Annotated[int, Field(ge=1, le=14)]] | None = Field(None, min_length=1, max_length=14)
    asset_id: Id | None = Field(None, description="The one asset that it may run on.")
    carbon_cap_gco2_kwh: float | None = Field(None, ge=0, le=10_000, description="Most mean intensity.")
    price_cap_gbp_mwh: float | None = Field(None, ge=-100_000, le=100_000, description="Most mean day-ahead price.")
    carbon_to_cost_weight: float | None = Field(None, ge=0, le=1, description="1: carbon alone decides; 0: cost alone.")
    is_deferrable: bool | None = Field(None, description="false: it begins at its earliest start or not at all.")

    @model_validator(mode="before")
    @classmethod
    def _is_object(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            raise ValueError("must be a JSON object")
        return body


class StatusChange(Strict):
    """`PATCH /workloads/{id}`: the next step of a workload, and when it was taken."""

    status: Status
    at: Instant | None = Field(None, description="When it began or ended; now, where left out.")
    actual_cost_gbp: float | None = Field(None, ge=-1e9, le=1e9, description="Computed from the prices where left out.")
    actual_carbon_kg: float | None = Field(
        None, ge=0, le=1e9, description="Computed from the intensity where left out."
    )


def default_deadline(earliest: datetime, duration: timedelta, slack: timedelta) -> datetime:
    """When a task must have ended that names no deadline: some hours after it could have."""
    return earliest + max(duration, slack)
