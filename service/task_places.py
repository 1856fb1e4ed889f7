"""Where a task may run, named by more than the numbers of regions."""

from collections.abc import Callable
from typing import Annotated, Self

from pydantic import BaseModel, Field, PrivateAttr, model_validator

from service.places import areas, cloud, names, postcodes
from service.places.place import Place

MOST = 14
_Text = Annotated[str, Field(min_length=1, max_length=60)]


def _found(kind: str, text: str, find: Callable[[str], Place]) -> Place:
    """The place of this name. Raises ValueError with the name: several may have been given."""
    try:
        return find(text)
    except (LookupError, ValueError) as error:  # no region there, or no place at all
        raise ValueError(f"{kind} {text!r}: {error}") from None


class InPlaces(BaseModel):
    """Places as the other routes take them; their regions are added to `region_ids`."""

    region_ids: list[Annotated[int, Field(ge=1, le=14)]] | None = Field(None, min_length=1, max_length=MOST)
    postcode: list[_Text] | None = Field(
        None, min_length=1, max_length=MOST, description="Postcodes or outward codes.", examples=[["EN2"]]
    )
    lat: float | None = Field(None, ge=-90, le=90, description="Degrees north, with lon.")
    lon: float | None = Field(None, ge=-180, le=180, description="Degrees east, with lat.")
    cloud_region: list[_Text] | None = Field(
        None, min_length=1, max_length=MOST, description="Regions of cloud providers.", examples=[["aws:eu-west-2"]]
    )
    city: list[_Text] | None = Field(
        None, min_length=1, max_length=MOST, description="Cities, by name.", examples=[["Leeds"]]
    )
    _places: tuple[Place, ...] = PrivateAttr(())

    @property
    def places(self) -> tuple[Place, ...]:
        """How each place was understood that was not given by its number."""
        return self._places

    @model_validator(mode="after")
    def _lies_in_regions(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError(f"lat and lon belong together; {'lon' if self.lon is None else 'lat'} is missing")
        found = [_found("postcode", text, postcodes.find) for text in self.postcode or ()]
        if self.lat is not None and self.lon is not None:
            lat, lon = self.lat, self.lon
            found.append(_found("lat and lon", f"{lat:g}, {lon:g}", lambda _: areas.at(lat, lon)))
        found += [_found("cloud_region", text, cloud.find) for text in self.cloud_region or ()]
        found += [_found("city", text, names.city) for text in self.city or ()]
        if found:
            self.region_ids = list(dict.fromkeys([*(self.region_ids or ()), *(place.region_id for place in found)]))
            self._places = tuple(found)
        return self
