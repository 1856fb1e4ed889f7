"""Requests and responses, named as in the Carbon Aware SDK's own description, so that generated clients have the same names."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from service.shapes import Strict

MOST_LOCATIONS = 18
MOST_IN_A_BATCH = 100
LONGEST_WINDOW_MINUTES = 14 * 24 * 60


def _is_text(instant: object) -> object:
    if isinstance(instant, int | float) or (isinstance(instant, str) and "-" not in instant):
        raise ValueError("is not a date and time such as 2022-03-01T15:30:00Z")
    return instant


def _utc(instant: datetime) -> datetime:
    """Without a zone it is UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if not 2000 <= aware.year < 2100:
        raise ValueError("must lie between 2000 and 2100")
    return aware.astimezone(UTC)


def _spelled(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


Instant = Annotated[
    datetime,
    Field(strict=False),  # JSON has no type for it: a string is read, a number is not
    BeforeValidator(_is_text),
    AfterValidator(_utc),
    PlainSerializer(_spelled, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Location = Annotated[str, Field(min_length=1, max_length=80, examples=["uksouth"])]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_WINDOW_MINUTES, examples=[30])]


class EmissionsData(BaseModel):
    """An observed half-hour."""

    location: str
    time: Instant
    rating: float = Field(description="gCO2/kWh, average")
    duration: str = Field(description="hh:mm:ss", examples=["00:30:00"])


class EmissionsDataDTO(BaseModel):
    """A point of a forecast."""

    location: str
    timestamp: Instant
    duration: int = Field(description="Minutes")
    value: float = Field(description="gCO2/kWh, average")


class EmissionsForecastDTO(BaseModel):
    """A forecast of a location, scoped and averaged."""

    generatedAt: Instant  # noqa: N815  the names are those of the Carbon Aware SDK
    requestedAt: Instant  # noqa: N815
    location: str
    dataStartAt: Instant  # noqa: N815
    dataEndAt: Instant  # noqa: N815
    windowSize: int = Field(description="Minutes")  # noqa: N815
    optimalDataPoints: list[EmissionsDataDTO]  # noqa: N815
    forecastData: list[EmissionsDataDTO]  # noqa: N815


class EmissionsForecastBatchParametersDTO(Strict):
    """A forecast as it was known at `requestedAt`."""

    requestedAt: Instant  # noqa: N815
    location: Location
    dataStartAt: Instant | None = None  # noqa: N815
    dataEndAt: Instant | None = None  # noqa: N815
    windowSize: Minutes | None = None  # noqa: N815


class CarbonIntensityBatchParametersDTO(Strict):
    """A stretch of time."""

    location: Location
    startTime: Instant  # noqa: N815
    endTime: Instant  # noqa: N815


class CarbonIntensityDTO(BaseModel):
    """The average over a stretch of time."""

    location: str
    startTime: Instant  # noqa: N815
    endTime: Instant  # noqa: N815
    carbonIntensity: float = Field(description="gCO2/kWh, average")  # noqa: N815


class NamedLocation(BaseModel):
    """A place by its name."""

    latitude: float | None
    longitude: float | None
    name: str


class ValidationProblemDetails(BaseModel):
    """A request that is refused."""

    type: str | None = None
    title: str
    status: int
    detail: str | None = None
    errors: dict[str, list[str]]
    traceId: str  # noqa: N815
