"""The catalogues as the switches have them, before they are filtered."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from itertools import cycle, islice

from tests.emulator.beckn.catalogue import Node, descriptor, nordic, short_description, validity
from tests.emulator.beckn.changes import Values, change_item, change_offer
from tests.emulator.beckn.switches import Switches

SCRIPTS = (
    "Кембридж-Восток",
    "曼彻斯特",
    "لندن الجنوبية",
    "Ἐδιμβοῦργον",
    "ब्रिस्टल",
    "ברמינגהאם",
    "리버풀",
    "Glaschú — Glaschu\u0301",
    "リーズ 🌬️",
)
HOLE_SHARE = 3  # the hole begins a third of the way in, on each side


def stocked(
    catalogues: list[Node], switches: Switches, items: Mapping[str, Values], offers: Mapping[str, Values], today: date
) -> list[Node]:
    """Copies of the catalogues, with what was changed of their items and offers by id."""
    found = deepcopy(catalogues)
    if switches.item_count is not None:
        _resize(found[0], switches.item_count)
    if switches.second_catalogue:
        found.append(nordic())
    for catalogue in found:
        if switches.fresh_validity:
            catalogue["beckn:validity"] = validity(today)
            catalogue["beckn:descriptor"]["beckn:shortDesc"] = short_description(today)
        for item, name in zip(catalogue["beckn:items"], cycle(SCRIPTS), strict=False):
            if switches.unicode:
                _rename(item, name)
            _redraw(item, switches)
            change_item(item, items.get(item["beckn:id"], {}))
        for offer in catalogue["beckn:offers"]:
            change_offer(offer, offers.get(offer["beckn:id"], {}))
    return found


def _resize(catalogue: Node, count: int) -> None:
    """Its own windows first, then likenesses of them with names and numbers of their own; a third have an offer."""
    items, offers = catalogue["beckn:items"], catalogue["beckn:offers"]
    patterns = [json.dumps(item) for item in items]
    pattern_offer = json.dumps(offers[0])
    for number, pattern in islice(enumerate(cycle(patterns)), len(items), max(count, len(items))):
        item = json.loads(pattern)
        item["beckn:id"] = f"item-ce-generated-{number:05d}"
        item["beckn:descriptor"]["schema:name"] += f" {number}"
        grid = item["beckn:itemAttributes"]["beckn:gridParameters"]
        grid.update(
            gridArea=f"{grid['gridArea']} {number}",
            gridZone=f"{grid['gridZone']}-{number}",
            renewableMix=30 + number * 7 % 70,
            carbonIntensity=40 + number * 13 % 260,
        )
        items.append(item)
        if number % 3 == 0:
            offer = json.loads(pattern_offer)
            offer.update({"beckn:id": f"offer-ce-generated-{number:05d}", "beckn:items": [item["beckn:id"]]})
            offer["beckn:price"]["value"] = round(0.08 + number % 100 / 1000, 3)
            offers.append(offer)
    del items[count:]
    left = {item["beckn:id"] for item in items}
    offers[:] = [offer for offer in offers if left & set(offer["beckn:items"])]


def _rename(item: Node, name: str) -> None:
    item["beckn:descriptor"] = descriptor(name, f"“{name}”\n\t<&> \u2028 {name}")
    item["beckn:itemAttributes"]["beckn:gridParameters"]["gridArea"] = name
    for place in item["beckn:availableAt"]:
        place["address"].update(streetAddress=f"{name} 1", addressLocality=name)


def _redraw(item: Node, switches: Switches) -> None:
    for place in item["beckn:availableAt"]:
        geo = place["geo"]
        if switches.polygon_hole:
            geo["coordinates"] = [geo["coordinates"][0], _hole(geo["coordinates"][0])]
        if switches.swapped_axes:
            geo["coordinates"] = [[[y, x] for x, y in ring] for ring in geo["coordinates"]]


def _hole(outline: list[list[float]]) -> list[list[float]]:
    """A box within a box, the other way round."""
    xs, ys = sorted({x for x, _ in outline}), sorted({y for _, y in outline})
    in_x, in_y = (xs[-1] - xs[0]) / HOLE_SHARE, (ys[-1] - ys[0]) / HOLE_SHARE
    west, south, east, north = xs[0] + in_x, ys[0] + in_y, xs[-1] - in_x, ys[-1] - in_y
    corners = [[west, south], [west, north], [east, north], [east, south], [west, south]]
    return [[round(x, 4), round(y, 4)] for x, y in corners]
