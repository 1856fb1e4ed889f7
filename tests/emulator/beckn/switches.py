"""Everything about the sandbox that a test can switch on."""

from dataclasses import dataclass
from typing import Literal

Nack = Literal["onix", "cds", "successor"]


@dataclass
class Switches:
    """All off: the sandbox as it was deployed."""

    # the shape of what is found
    legacy_example_shape: bool = False  # provider on the catalogue, availableAt an object, price a text, bpp_id
    mapped_legacy_catalog: bool = False  # message.catalog.providers, without any attribute
    availability_object: bool = False
    price_string: bool = False
    # what is found
    empty_catalogs: bool = False
    second_catalogue: bool = False  # three Nordic windows, their offers in EUR
    unknown_item_offer: bool = False
    item_without_grid_parameters: bool = False  # the first one found
    duplicate_items: bool = False  # each one found, twice
    swapped_axes: bool = False  # latitude first
    polygon_hole: bool = False
    unicode: bool = False  # names and areas in other scripts
    item_count: int | None = None
    fresh_validity: bool = False  # valid today
    # how it goes wrong
    nack: Nack | None = None
    bad_gateway: bool = False
    callback_timeout: bool = False
    timeout_seconds: float = 0.2  # stands for the adapter's 30
    no_message: bool = False
    wrong_order_id: bool = False
    # how it travels
    gzip: bool = False
    latency_seconds: float = 0.0
