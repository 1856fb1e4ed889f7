"""What every response has."""

from datetime import datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Span = Annotated[timedelta, WithJsonSchema({"type": "string", "description": "ISO 8601, also with parts of a second."})]
"""`format: duration` of JSON Schema has no parts of a second"""
Clock = Annotated[
    time, WithJsonSchema({"type": "string", "description": "Time of day, UTC.", "examples": ["07:00:00"]})
]
"""`format: time` of JSON Schema wants a zone"""


class Answer(BaseModel):
    """A response, or a part of one. What a table has beyond the fields named here is passed on."""

    model_config = ConfigDict(extra="allow")


class Age(Answer):
    """How old the forecast is and how much of it is synthetic."""

    known_at: datetime = Field(description="The instant that the forecasts are as of.")
    fetched_at: datetime | None = Field(description="When the newest real forecast was fetched.")
    age_seconds: int | None = Field(description="Age of the newest real forecast; null without one.")
    age_in_words: str | None
    synthetic_share: float | None = Field(description="0 to 1; null without a forecast.")
    synthetic_age_seconds: int | None
    synthetic_age_in_words: str | None
    in_words: str = Field(description="One sentence on whether to trust the data.")


class PlacesAsked(Answer):
    """The places of a request as they were understood."""

    region_id: list[int] | None = Field(description="All regions that were named, by whatever kind of place.")
    region_name: list[str | None] | None
    postcode: list[str] | None
    lat: float | None
    lon: float | None
    cloud_region: list[str] | None
    city: list[str] | None


class Piece(Answer):
    """From when until when it runs."""

    starts_at: datetime
    ends_at: datetime
