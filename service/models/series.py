"""Series: what there is, and rows of one."""

from datetime import datetime

from pydantic import ConfigDict, Field

from service.models.common import Answer, PlacesAsked
from service.models.places import PlaceFound
from service.series.catalogue import Grain, Resolution
from service.series.files import Format


class SeriesAbout(Answer):
    """What a series is and what can be asked of it."""

    name: str
    description: str
    unit: str
    grain: Grain = Field(description="What a row is of.")
    columns: list[str] = Field(description="Columns of a row.")
    takes_regions: bool = Field(description="Whether it takes region_id and places.")
    takes_as_of: bool = Field(description="Whether it takes as_of.")
    takes_horizon: bool = Field(description="Whether it takes horizon.")
    resolutions: list[Resolution]


class SeriesSummary(SeriesAbout):
    """A series, and how much there is of it."""

    first: datetime | None = Field(description="Start of the first period.")
    last: datetime | None = Field(description="Start of the last period.")
    real_share: float | None = Field(description="0 to 1: rows that are not synthetic; null where it is not counted.")


class SeriesList(Answer):
    """`GET /series`."""

    series: list[SeriesSummary]


class SeriesAsked(PlacesAsked):
    """The request as it was understood, with the defaults filled in."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    from_: datetime | None = Field(alias="from")
    to: datetime | None = Field(description="null is no end.")
    as_of: datetime | None
    horizon: str | None
    resolution: Resolution
    format: Format
    cursor: str | None
    limit: int


class SeriesRow(Answer):
    """One period. Series with several values, or with other keys than the region, have more columns: see `GET /series`."""

    period_start: datetime | None = None
    period_end: datetime | None = None
    region_id: int | None = None
    value: float | None = Field(None, description="In the unit of the series.")
    is_synthetic: bool | None = None
    known_at: datetime | None = Field(None, description="When we could have known the value.")


class RegionNamed(Answer):
    """A region of the rows."""

    region_id: int
    region_name: str | None


class RowsAge(Answer):
    """How old these rows are and how much of them is synthetic."""

    rows: int
    synthetic_share: float | None
    known_at: datetime | None = Field(description="When the newest real value was known.")
    age_seconds: int | None = Field(description="Age of the newest real value; null without one.")
    age_in_words: str | None
    synthetic_age_seconds: int | None = Field(description="Age of the newest synthetic value; null without one.")
    synthetic_age_in_words: str | None
    in_words: str


class SeriesPage(Answer):
    """`GET /series/{name}` as JSON: rows in the order of their periods."""

    asked: SeriesAsked
    series: SeriesAbout
    places: list[PlaceFound]
    regions: list[RegionNamed]
    rows: list[SeriesRow]
    next_cursor: str | None = Field(description="Send it as `cursor`, with the same parameters; null on the last page.")
    data: RowsAge
