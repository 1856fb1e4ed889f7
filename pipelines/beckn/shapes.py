"""A catalogue of compute-energy windows, as the sandbox gives it and as its documentation writes it.

The two differ: an object or an array of locations, a price as a number or as text, the provider on the item, on the
catalogue, or by its id alone. Unknown keys are let through.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

Number = int | float | Annotated[str, Meta(pattern=r"^[ \t\r\n]*-?[0-9]+(\.[0-9]+)?[ \t\r\n]*\Z")]
Longitude = int | float
Point = Annotated[list[Longitude], Meta(min_length=2, max_length=3)]
Ring = Annotated[list[Point], Meta(min_length=4)]
TIME_OF_DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T)?([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?(Z|[+-]00:00)\Z"


class Polygon(Struct, tag_field="type", tag="Polygon"):
    """GeoJSON; longitude before latitude."""

    coordinates: Annotated[list[Ring], Meta(min_length=1)]


class Spot(Struct, tag_field="type", tag="Point"):
    """GeoJSON; longitude before latitude."""

    coordinates: Point


class Address(Struct, rename="camel"):
    """Where a zone says that it is."""

    address_locality: str | None = None
    address_region: str | None = None
    address_country: str | None = None


class Location(Struct):
    """Where a window is available."""

    geo: Polygon | Spot
    address: Address | str | None = None


class GridParameters(Struct, rename="camel"):
    """The grid of a window; per cent and gCO2/kWh."""

    grid_area: Annotated[str, Meta(min_length=1)]
    grid_zone: Annotated[str, Meta(min_length=1)]
    renewable_mix: Number | None = None
    carbon_intensity: Number | None = None


class TimeWindow(Struct):
    """Times of day in UTC; an end before its start is on the next day."""

    start: Annotated[str, Meta(pattern=TIME_OF_DAY)]
    end: Annotated[str, Meta(pattern=TIME_OF_DAY)]


class Capacity(Struct, rename="camel"):
    """MW."""

    available_capacity: Number | None = None
    capacity_unit: str = "MW"
    reservation_required: bool | None = None


class WindowAttributes(
    Struct,
    rename={"grid": "beckn:gridParameters", "time_window": "beckn:timeWindow", "capacity": "beckn:capacityParameters"},
):
    """What makes an item a window of compute energy."""

    grid: GridParameters
    time_window: TimeWindow
    capacity: Capacity


class Item(
    Struct,
    rename={"id": "beckn:id", "available_at": "beckn:availableAt", "attributes": "beckn:itemAttributes"},
):
    """A window."""

    id: Annotated[str, Meta(min_length=1)]
    available_at: Annotated[list[Location], Meta(min_length=1)] | Location
    attributes: WindowAttributes

    @property
    def locations(self) -> list[Location]:
        """Its locations, in either form."""
        return self.available_at if isinstance(self.available_at, list) else [self.available_at]


class Price(Struct):
    """A price; `value` in catalogues, `price` in orders."""

    value: Number
    currency: str


class Offer(Struct, rename={"id": "beckn:id", "items": "beckn:items", "price": "beckn:price"}):
    """A price for items. Its provider is another name than theirs and joins nothing."""

    id: Annotated[str, Meta(min_length=1)]
    items: list[str]
    price: Price


class Validity(Struct, rename={"start": "schema:startDate", "end": "schema:endDate"}):
    """When a catalogue holds; an empty text is none."""

    start: str | None = None
    end: str | None = None


class Catalog(
    Struct,
    rename={"id": "beckn:id", "items": "beckn:items", "offers": "beckn:offers", "validity": "beckn:validity"},
):
    """A catalogue."""

    id: str
    items: list[Item]
    offers: list[Offer] | None = None
    validity: Validity | None = None


class Message(Struct):
    """`catalogs` of the sandbox; `catalog` is an older protocol's, without anything of interest."""

    catalogs: list[Catalog]


class Body(Struct):
    """`on_discover`."""

    context: dict[str, Any]
    message: Message
