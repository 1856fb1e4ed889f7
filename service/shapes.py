"""Shapes of requests. What does not fit is refused with 422, naming the field; unknown fields are refused too."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    model_validator,
)

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


def _written_out(value: object) -> object:
    """Numbers, and digits alone, are no instants: pydantic would take them for seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d", value):
        raise ValueError("must be an instant with its zone, such as 2026-11-25T18:00Z")
    return value


def _near(instant: datetime) -> datetime:
    if not datetime(2000, 1, 1, tzinfo=UTC) < instant < datetime(2100, 1, 1, tzinfo=UTC):
        raise ValueError("must lie between 2000 and 2100")
    return instant.astimezone(UTC)


Text = Annotated[str, AfterValidator(_printable)]
Email = Annotated[str, Field(max_length=320, examples=["researcher@example.com"]), AfterValidator(_address)]
Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_near)]
# JSON's own types: `true` is no number, and "60" is text
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]


class Body(BaseModel):
    """A body in which nothing unknown passes unnoticed."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_max_length=10_000)


class TaskRequest(Body):
    """`POST /submit_task`: a request in words, and whatever is known of its size and limits."""

    request: Annotated[
        Text, Field(min_length=1, description="What is to be run, in words.", examples=["Train ResNet-50 on ImageNet"])
    ]
    user_email: Email | None = Field(None, description="Whose it is. A new address makes a user.")
    user_name: Annotated[Text, Field(max_length=200)] | None = None
    workload_type: WorkloadType | None = Field(None, description="Estimated from the request where left out.")
    priority: Priority = "normal"
    energy_kwh: Number | None = Field(None, ge=0.001, le=1e6)
    power_kw: Number | None = Field(None, ge=0.001, le=1e6)
    duration_minutes: Whole | None = Field(None, ge=1, le=10_080)
    earliest_start: Instant | None = Field(None, description="Now, where left out.")
    deadline: Instant | None = Field(None, description="When it must have ended.")
    region_ids: list[Annotated[Whole, Field(ge=1, le=14)]] | None = Field(None, min_length=1, max_length=14)
    asset_id: UUID | None = Field(None, description="The one asset that it may run on.")
    carbon_cap_gco2_kwh: Number | None = Field(None, ge=0, le=10_000, description="Most mean intensity.")
    price_cap_gbp_mwh: Number | None = Field(None, ge=-100_000, le=100_000, description="Most mean day-ahead price.")
    carbon_to_cost_weight: Number | None = Field(
        None, ge=0, le=1, description="1: carbon alone decides; 0: cost alone."
    )
    is_deferrable: Flag | None = Field(None, description="false: it begins at its earliest start or not at all.")

    @model_validator(mode="before")
    @classmethod
    def _is_object(cls, body: Any) -> Any:
        if not isinstance(body, dict):
            raise ValueError("must be a JSON object")
        return body


class StatusChange(Body):
    """`PATCH /workloads/{id}`: the next step of a workload, and when it was taken."""

    status: Status
    at: Instant | None = Field(None, description="When it began or ended; now, where left out.")
    actual_cost_gbp: Number | None = Field(
        None, ge=-1e9, le=1e9, description="Computed from the prices where left out."
    )
    actual_carbon_kg: Number | None = Field(
        None, ge=0, le=1e9, description="Computed from the intensity where left out."
    )


def default_deadline(earliest: datetime, duration: timedelta, slack: timedelta) -> datetime:
    """When a task must have ended that names no deadline: some hours after it could have."""
    return earliest + max(duration, slack)
