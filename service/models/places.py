"""Places, and why they lie in a region."""

from pydantic import Field

from service.models.common import Age, Answer
from service.places.place import Basis


class PlaceFound(Answer):
    """A place, the region that it lies in, and why."""

    asked: str = Field(description="As it was given, spelled the usual way.")
    basis: Basis
    region_id: int
    region_name: str | None
    because: str = Field(description="Why, in one sentence.")
    is_certain: bool = Field(description="false if another region is near enough, or if the table had to guess.")
    other_region_id: int | None = Field(description="The region that it may lie in instead.")
    other_region_name: str | None
    km_to_other: float | None = Field(description="Kilometres to that region.")
    latitude: float | None
    longitude: float | None


class PlaceAsked(Answer):
    """The request as it was understood."""

    q: str


class PlacesFound(Answer):
    """`GET /places`; more than one place only for a name that covers several regions."""

    asked: PlaceAsked
    places: list[PlaceFound]
    data: Age
