"""What is found, in the shapes that the switches ask for: the answer's context and its message."""

from copy import deepcopy
from itertools import chain, repeat
from typing import Any

from tests.emulator.beckn.catalogue import CORE, OFFERS_PROVIDER_ID, PROVIDER_ID, Node, descriptor
from tests.emulator.beckn.switches import Switches

CONTEXT_KEYS = (
    "message_id", "bap_id", "transaction_id", "timestamp", "domain", "action", "version", "ttl", "bap_uri",
    "schema_context",
)  # fmt: skip
EXAMPLE_BPP = {"bpp_id": "gridflex-agent.example.com", "bpp_uri": "https://gridflex-agent.example.com"}


def echoed(context: Node, **other: str) -> Node:
    """The context of a request, in the order of the catalogue service, with what is other in the answer."""
    merged = {**context, **other}
    return {name: merged[name] for name in (*CONTEXT_KEYS, *merged) if name in merged}


def shaped(context: Node, catalogues: list[Node], switches: Switches) -> Node:
    """The body of an answer. The catalogues are changed in the course of it."""
    for catalogue in catalogues:
        _add(catalogue, switches)
        _present(catalogue, switches)
    if switches.mapped_legacy_catalog:
        return {
            "context": echoed(context, action="on_search", domain="retail"),
            "message": {"catalog": _mapped(catalogues)},
        }
    named = EXAMPLE_BPP if switches.legacy_example_shape else {}
    return {"context": echoed(context, action="on_discover", **named), "message": {"catalogs": catalogues}}


def _add(catalogue: Node, switches: Switches) -> None:
    items, offers = catalogue["beckn:items"], catalogue["beckn:offers"]
    if switches.item_without_grid_parameters and items:
        del items[0]["beckn:itemAttributes"]["beckn:gridParameters"]
    if switches.duplicate_items:
        items[:] = [deepcopy(item) for item in chain.from_iterable(map(repeat, items, repeat(2)))]
    if switches.unknown_item_offer and offers:
        stray = deepcopy(offers[0])
        stray.update({"beckn:id": "offer-ce-unknown-001", "beckn:items": ["item-ce-unknown-001"]})
        offers.append(stray)


def _present(catalogue: Node, switches: Switches) -> None:
    example = switches.legacy_example_shape
    if example:
        del catalogue["beckn:providerId"]
        catalogue["beckn:provider"] = {
            "@context": CORE,
            "@type": "beckn:Provider",
            "beckn:id": OFFERS_PROVIDER_ID,
            "beckn:descriptor": descriptor("GridFlex Agent"),
            "beckn:rateable": True,
            "beckn:rating": {"@type": "beckn:Rating", "beckn:ratingValue": 4.8, "beckn:ratingCount": 245},
        }
    for item in catalogue["beckn:items"]:
        if example:
            del item["beckn:provider"]
        if example or switches.availability_object:
            item["beckn:availableAt"] = item["beckn:availableAt"][0]
    for offer in catalogue["beckn:offers"]:
        if example or switches.price_string:
            offer["beckn:price"]["value"] = str(offer["beckn:price"]["value"])


def _mapped(catalogues: list[Node]) -> Node:
    """What the adapter's mapping leaves: names, and which item they are of."""
    return {
        "providers": [
            {
                "id": catalogue.get("beckn:providerId", PROVIDER_ID),
                "descriptor": _mapped_descriptor(catalogue),
                "items": [
                    {"id": item["beckn:id"], "descriptor": _mapped_descriptor(item)}
                    for item in catalogue["beckn:items"]
                ],
            }
            for catalogue in catalogues
        ]
    }


def _mapped_descriptor(node: Node) -> dict[str, Any]:
    merged = node["beckn:descriptor"]
    return {"name": merged["schema:name"], "short_desc": merged["beckn:shortDesc"]}
