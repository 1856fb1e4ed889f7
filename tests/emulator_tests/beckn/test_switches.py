"""The shapes that the catalogue may have, and its faults."""

import gzip
import json
import threading
import time
from typing import Any

import pytest
from shapely.geometry import shape

from tests.emulator.beckn import Beckn
from tests.emulator_tests.beckn.asked import GRID, NOW, asking, catalogues, discover, grid, items, keys, order, post


def test_the_documented_shape(beckn: Beckn) -> None:
    beckn.switches.legacy_example_shape = True
    answer = discover(beckn)
    (catalogue,) = answer["message"]["catalogs"]
    assert answer["context"]["bpp_id"] == "gridflex-agent.example.com"
    assert catalogue["beckn:provider"]["beckn:id"] == "provider-gridflex-001"
    assert "beckn:providerId" not in catalogue
    assert not any("beckn:provider" in item for item in catalogue["beckn:items"])
    assert catalogue["beckn:items"][0]["beckn:availableAt"]["geo"]["type"] == "Polygon"
    assert catalogue["beckn:offers"][0]["beckn:price"]["value"] == "0.102"


def test_the_mapped_shape(beckn: Beckn) -> None:
    beckn.switches.mapped_legacy_catalog = True
    answer = discover(beckn)
    assert (answer["context"]["action"], answer["context"]["domain"]) == ("on_search", "retail")
    assert list(answer["message"]) == ["catalog"]
    (provider,) = answer["message"]["catalog"]["providers"]
    assert len(provider["items"]) == 9
    assert b"renewableMix" not in post(beckn, "/api/discover", asking()).body


def test_one_trait_of_the_documented_shape_at_a_time(beckn: Beckn) -> None:
    beckn.switches.availability_object = beckn.switches.price_string = True
    (catalogue,) = catalogues(beckn)
    assert isinstance(catalogue["beckn:items"][0]["beckn:availableAt"], dict)
    assert [offer["beckn:price"]["value"] for offer in catalogue["beckn:offers"]] == ["0.102", "0.092"]
    assert catalogue["beckn:providerId"] == "gridflex-agent-uk"


def test_switches_on_what_is_found(beckn: Beckn) -> None:
    beckn.switches.second_catalogue = beckn.switches.unknown_item_offer = True
    first, second = catalogues(beckn)
    assert keys(second["beckn:items"]) == ["stockholm-night-001", "oslo-hydro-001", "copenhagen-solar-001"]
    assert first["beckn:offers"][-1]["beckn:items"] == ["item-ce-unknown-001"]
    beckn.reset()
    beckn.switches.item_without_grid_parameters = True
    assert ["beckn:gridParameters" in item["beckn:itemAttributes"] for item in items(beckn)] == [False] + [True] * 8
    beckn.reset()
    beckn.switches.duplicate_items = True
    found = items(beckn)
    assert len(found) == 18 and found[0] == found[1] and len(set(keys(found))) == 9
    beckn.reset()
    beckn.switches.empty_catalogs = True
    assert discover(beckn)["message"] == {"catalogs": []}
    assert post(beckn, "/api/discover", asking("nonsense")).status == 400
    beckn.reset()
    assert len(items(beckn)) == 9


def test_polygons(beckn: Beckn) -> None:
    plain = shape(items(beckn)[1]["beckn:availableAt"][0]["geo"])
    beckn.switches.polygon_hole = True
    holed = shape(items(beckn)[1]["beckn:availableAt"][0]["geo"])
    assert holed.is_valid and len(holed.interiors) == 1
    assert holed.area == pytest.approx(plain.area * 8 / 9, rel=1e-2)
    beckn.reset()
    beckn.switches.swapped_axes = True
    assert shape(items(beckn)[1]["beckn:availableAt"][0]["geo"]).bounds == (53.3, -2.5, 53.7, -2)


def test_other_scripts(beckn: Beckn) -> None:
    beckn.switches.unicode = True
    body = post(beckn, "/api/discover", asking()).body.decode()
    assert "曼彻斯特" in body
    assert len({grid(item)["gridArea"] for item in items(beckn)}) == 9
    assert len(items(beckn, f"$[?({GRID}.gridArea in ['曼彻斯特'])]")) == 1
    assert post(beckn, "/api/discover", asking(message_id="\ud800")).status == 200


@pytest.mark.parametrize("count", [0, 1, 9, 10, 5000])
def test_as_many_items_as_wanted(beckn: Beckn, count: int) -> None:
    beckn.switches.item_count = count
    found = items(beckn)
    assert len(found) == len(set(keys(found))) == count
    assert all(30 <= grid(item)["renewableMix"] <= 100 for item in found)
    offered = [
        id for catalogue in catalogues(beckn) for offer in catalogue["beckn:offers"] for id in offer["beckn:items"]
    ]
    assert set(offered) <= {item["beckn:id"] for item in found}


def test_validity(beckn: Beckn) -> None:
    assert catalogues(beckn)[0]["beckn:validity"]["schema:startDate"] == "2025-11-17T00:00:00Z"
    beckn.switches.fresh_validity = True
    (catalogue,) = catalogues(beckn)
    assert catalogue["beckn:validity"]["schema:endDate"] == "2026-11-05T23:59:59Z"
    assert catalogue["beckn:descriptor"]["beckn:shortDesc"].endswith("for November 5, 2026")


def test_how_it_travels(beckn: Beckn) -> None:
    plain = post(beckn, "/api/discover", asking()).body
    beckn.switches.gzip, beckn.switches.latency_seconds = True, 0.05
    started = time.monotonic()
    reply = post(beckn, "/api/discover", asking())
    assert time.monotonic() - started >= 0.05
    assert (reply.headers["Content-Encoding"], gzip.decompress(reply.body)) == ("gzip", plain)
    assert gzip.decompress(beckn.spoil("empty_object", reply.body)) == b"{}"
    assert gzip.decompress(post(beckn, "/api/confirm", order("confirm")).body).startswith(b'{"context"')


def test_changes(beckn: Beckn) -> None:
    beckn.changes["item-ce-bristol-midday-001"] = {"renewableMix": 79}
    beckn.change("item-ce-leeds-night-001", carbonIntensity=99, availableCapacity=4)
    beckn.change("item-ce-leeds-night-001", end="04:30:00Z", renewableMix=0)
    beckn.change_offer("offer-ce-cambridge-morning-001", value=0.2)
    assert len(items(beckn, f"$[?({GRID}.renewableMix >= 70)]")) == 8
    leeds = items(beckn, f"$[?({GRID}.renewableMix == 0)]")[0]["beckn:itemAttributes"]
    assert leeds["beckn:gridParameters"]["carbonIntensity"] == 99
    assert leeds["beckn:capacityParameters"]["availableCapacity"] == 4
    assert leeds["beckn:timeWindow"] == {"end": "04:30:00Z", "start": "22:00:00Z", "duration": "PT6H30M"}
    assert catalogues(beckn)[0]["beckn:offers"][0]["beckn:price"] == {"value": 0.2, "currency": "GBP"}
    with pytest.raises(TypeError):
        beckn.change("item-ce-leeds-night-001", price=1)
    beckn.reset()
    assert catalogues(beckn) == catalogues(Beckn(None, lambda: NOW))
    assert (beckn.changes, beckn.offer_changes) == ({}, {})


def test_faults(beckn: Beckn) -> None:
    body = post(beckn, "/api/discover", asking()).body
    before = items(beckn)

    def spoiled(kind: str) -> list[dict[str, Any]]:
        (catalogue,) = json.loads(beckn.spoil(kind, body))["message"]["catalogs"]
        return list(catalogue["beckn:items"])

    with pytest.raises(KeyError):
        spoiled("missing_key")
    assert [grid(item)["renewableMix"] for item in spoiled("changed_type")].count("unknown") == 1
    twice = spoiled("duplicate")
    assert len(twice) == 10 and len(set(keys(twice))) == 9
    assert [grid(item) for item in twice].count(grid(before[4])) == 1
    for was, item in zip(before, spoiled("revised"), strict=True):
        assert grid(item)["renewableMix"] == grid(was)["renewableMix"] + 1
        assert grid(item)["carbonIntensity"] == grid(was)["carbonIntensity"] + 3
    assert {(grid(i)["renewableMix"], grid(i)["carbonIntensity"]) for i in spoiled("absurd")} == {(9999, 1_000_000)}
    assert json.loads(beckn.spoil("empty", body)) == {**json.loads(body), "message": {"catalogs": []}}
    assert beckn.spoil("empty_object", body) == b"{}"
    assert json.loads(beckn.spoil("error_200", body))["message"]["ack"]["status"] == "NACK"
    assert b"\\u0000" in beckn.spoil("nul", body)
    assert beckn.spoil("short_horizon", body) == beckn.spoil("429", body) == body


@pytest.mark.parametrize("kind", ["missing_key", "changed_type", "duplicate", "revised", "absurd", "nul"])
@pytest.mark.parametrize("switch", ["empty_catalogs", "mapped_legacy_catalog"])
def test_faults_on_what_has_no_items(beckn: Beckn, kind: str, switch: str) -> None:
    setattr(beckn.switches, switch, True)
    body = post(beckn, "/api/discover", asking()).body
    assert beckn.spoil(kind, body) == body
    confirmed = post(beckn, "/api/confirm", order("confirm")).body
    assert beckn.spoil(kind, confirmed) == confirmed


def test_threads_do_not_see_each_others_answers(beckn: Beckn) -> None:
    found: list[str] = []

    def ask(number: int) -> None:
        request = asking(message_id=f"m-{number}")
        found.append(json.loads(post(beckn, "/api/discover", request).body)["context"]["message_id"])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"m-{number}" for number in range(30)) == sorted(key[1] for key in beckn.sent)
