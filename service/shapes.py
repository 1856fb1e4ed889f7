"""Shapes of requests. What does not fit is refused with 422, naming the field; unknown fields are refused too."""

import re
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from placement.outlook import Risk
from service.callbacks.addresses import LONGEST_URL, Target
from service.task_places import InPlaces

WorkloadType = Literal[
    "training", "fine_tuning", "inference", "simulation", "rendering", "data_processing", "build", "other"
]
Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["pending", "scheduled", "running", "completed", "failed", "cancelled"]


DEPLOYMENT_PATTERN = r"^[^/%&<>?#\x00-\x1f\x7f]+/[^/%&<>?#\x00-\x1f\x7f]+$"
"""Of a deployment that Prefect can find by its name"""
KEY_PATTERN = r"^[\x21-\x7e]+$"
"""Of an Idempotency-Key"""


def _printable(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text):
        raise ValueError("must not hold control characters")
    if not text.strip():
        raise ValueError("must not be blank")
    return text.strip()


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """JSON that PostgreSQL can keep: neither NUL nor half a character in a text, and each number finite."""
    left: list[Any] = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += [*part, *part.values()]
        elif isinstance(part, list):
            left += part
        elif isinstance(part, float) and not isfinite(part):
            raise ValueError("must hold finite numbers only")
        elif isinstance(part, str) and re.search(r"[\x00\ud800-\udfff]", part):
            raise ValueError("must not hold NUL or half of a character")
    return value


def _address(text: str) -> str:
    try:
        return validate_email(_printable(text), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None


def _callback(text: str) -> str:
    Target.of(text)
    return text


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


class Interruptible(BaseModel):
    """In how many pieces work may run."""

    is_interruptible: bool | None = Field(None, description="It may be stopped and resumed, and run in several pieces.")
    max_chunks: int | None = Field(None, ge=1, le=48, description="Most pieces; 4 where left out.")
    min_chunk_minutes: int | None = Field(
        None, ge=1, le=10_080, description="Least work of a piece; 30 where left out, all of it if that is less."
    )
    resume_overhead_minutes: int | None = Field(
        None,
        ge=0,
        le=1440,
        description="Minutes without work with which each piece but the first begins; 0 where left out.",
    )

    @model_validator(mode="after")
    def _is_about_chunks(self) -> Self:
        given = [
            name
            for name in ("max_chunks", "min_chunk_minutes", "resume_overhead_minutes")
            if getattr(self, name) is not None
        ]
        if given and not self.is_interruptible:
            raise ValueError(f"{given[0]} speaks of work in pieces; say is_interruptible: true, or leave it out")
        return self


class RunBy(Strict):
    """What runs a workload: a deployment of Prefect, or the runner of a name."""

    deployment: str | None = Field(
        None,
        min_length=3,
        max_length=400,
        pattern=DEPLOYMENT_PATTERN,
        description="`flow/deployment` in Prefect, without control characters and %&<>?#. It must have the tag `workloads`.",
        examples=["example-job/example-job"],
    )
    parameters: Annotated[dict[str, Any], AfterValidator(_storable)] | None = Field(
        None, description="Of the deployment's flow."
    )
    runner: Annotated[Text, Field(max_length=200)] | None = Field(
        None, description="Only the runner of this name may claim it."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.deployment is None) == (self.runner is None):
            raise ValueError("give deployment or runner")
        if self.parameters is not None and self.deployment is None:
            raise ValueError("parameters are those of a deployment")
        return self


class TaskRequest(Strict, Interruptible, InPlaces):
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
    asset_id: Id | None = Field(None, description="The one asset that it may run on.")
    carbon_cap_gco2_kwh: float | None = Field(None, ge=0, le=10_000, description="Most mean intensity.")
    price_cap_gbp_mwh: float | None = Field(None, ge=-100_000, le=100_000, description="Most mean day-ahead price.")
    carbon_to_cost_weight: float | None = Field(None, ge=0, le=1, description="1: carbon alone decides; 0: cost alone.")
    is_deferrable: bool | None = Field(None, description="false: it begins at its earliest start or not at all.")
    risk: Risk = Field(
        "expected",
        description="expected: decided by the middle of the forecast's band (P50). cautious: by its upper end (P90), so that what "
        "is promised is kept nine times of ten. Alike where the forecast has no band yet.",
    )
    power_profile_kw: list[Annotated[float, Field(ge=0, le=1e6)]] | None = Field(
        None,
        min_length=1,
        max_length=336,
        description="Power in each half-hour of the run, in place of power_kw and energy_kwh.",
    )
    is_pinned: bool = Field(False, description="true: a new plan does not move it.")
    freeze_minutes: int = Field(
        0, ge=0, le=10_080, description="A new plan does not move it so shortly before its start."
    )

    run: RunBy | None = Field(None, description="What runs it. Left out: whoever claims it when it is due.")
    callback_url: Annotated[str, AfterValidator(_callback)] | None = Field(
        None,
        max_length=LONGEST_URL,
        description="Where the events of this workload are sent, in place of the operator's own URL.",
        examples=["https://hooks.example.com/energy"],
    )
    max_attempts: int = Field(
        3, ge=1, le=100, description="How often a runner may begin it, before it has failed for good."
    )

    @model_validator(mode="after")
    def _has_one_power(self) -> Self:
        if self.power_profile_kw is not None and (self.power_kw is not None or self.energy_kwh is not None):
            raise ValueError(
                "power_profile_kw gives the power and with it the energy; leave power_kw and energy_kwh out"
            )
        if self.power_profile_kw is not None and not any(self.power_profile_kw):
            raise ValueError("power_profile_kw has no power in it")
        return self

    @model_validator(mode="after")
    def _runs_as_it_can(self) -> Self:
        if self.is_interruptible and self.max_chunks != 1 and self.run is not None and self.run.deployment is not None:
            raise ValueError(
                "nothing suspends a run of Prefect between its pieces: "
                "leave is_interruptible out, or run it with energy run --split"
            )
        return self

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


class PlanRequest(Strict):
    """`POST /plan`: whose workloads, and whether the plan is carried out."""

    dry_run: bool = Field(True, description="true: only say what would be moved.")
    operator_id: Id | None = Field(None, description="Only with the platform's token.")


def default_deadline(earliest: datetime, duration: timedelta, slack: timedelta) -> datetime:
    """When a task must have ended that names no deadline: some hours after it could have."""
    return earliest + max(duration, slack)
