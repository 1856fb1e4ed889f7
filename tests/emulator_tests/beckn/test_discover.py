"""Discovery against its contract: what was recorded, and filters."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import needs_recorded
from tests.emulator.beckn import Beckn
from tests.emulator.beckn.jsonpath import BadExpression, compiled
from tests.emulator_tests.beckn.asked import (
    AT_LEAST_30,
    CONTEXT,
    FOLDER,
    GRID,
    NOW,
    asking,
    catalogues,
    discover,
    items,
    keys,
    order,
    post,
    without,
)


@needs_recorded
@pytest.mark.parametrize("name", ["20251124T172519Z", "20251124T172425Z"])
@pytest.mark.parametrize("path", ["/api/discover", "/api/search"])
def test_the_recorded_answer(recorded: Beckn, name: str, path: str) -> None:
    was = json.loads((FOLDER / f"recorded/on_discover_recorded_{name}.json").read_bytes())
    request = {**asking(), "context": {**was["context"], "action": "discover"}}
    reply = post(recorded, path, request)
    assert (reply.status, reply.content_type) == (200, "application/json")
    found = json.loads(reply.body, parse_float=str, parse_int=str)
    assert json.dumps(found) == json.dumps(json.loads(json.dumps(was), parse_float=str, parse_int=str))


@needs_recorded
def test_the_generated_catalogue_differs_in_short_descriptions_alone(recorded: Beckn, beckn: Beckn) -> None:
    made, was = (json.dumps(without(catalogues(one), "beckn:shortDesc")) for one in (beckn, recorded))
    assert made == was


@needs_recorded
def test_the_requests_of_the_collection_are_taken(recorded: Beckn) -> None:
    for path in sorted((FOLDER / "postman-requests").glob("*.json")):
        request = json.loads(path.read_bytes())
        action = request["context"]["action"]
        answer = json.loads(post(recorded, f"/api/{action}", request).body)
        assert answer["context"] == {**request["context"], "action": f"on_{action}"}
        assert answer["message"]
    request = json.loads((FOLDER / "deg-compute-energy/1.discover_discover-request.json").read_bytes())
    (catalogue,) = json.loads(post(recorded, "/api/discover", request).body)["message"]["catalogs"]
    assert keys(catalogue["beckn:items"]) == ["cambridge-morning-001", "manchester-afternoon-001"]


@needs_recorded
@pytest.mark.parametrize(
    ("action", "file"),
    [("confirm", "2.order_4.confirm_on_confirm-response.json"), ("status", "3.fulfilment_on_status.json")],
)
def test_recorded_order_messages(recorded: Beckn, action: str, file: str) -> None:
    was = json.loads((FOLDER / "deg-compute-energy" / file).read_bytes())["message"]
    message = json.loads(post(recorded, f"/api/{action}", order(action)).body)["message"]
    assert message.pop("order") == {**was.pop("order"), "beckn:id": "order-1"}
    assert message == was == {}


def test_a_recording_that_is_not_there_is_generated(beckn: Beckn) -> None:
    assert discover(Beckn(Path("/nowhere"), lambda: NOW)) == discover(beckn)


def test_the_context_comes_back(beckn: Beckn) -> None:
    context = discover(beckn)["context"]
    assert context == {**CONTEXT, "action": "on_discover"}
    assert list(context)[:3] == ["message_id", "bap_id", "transaction_id"]
    assert "bpp_id" not in context
    assert beckn.sent == [("discover", "m-1", "t-1")]


def test_numbers_keep_their_form(beckn: Beckn) -> None:
    body = post(beckn, "/api/discover", asking()).body
    assert b'"availableCapacity":5,' in body
    assert b'"availableCapacity":4.5,' in body
    assert b'"value":0.102,' in body


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        (AT_LEAST_30, 9),
        (f"$[?({GRID}.renewableMix >= 70)]", 8),
        (f"$[?({GRID}.renewableMix > 70)]", 7),
        (f"$[?({GRID}.renewableMix < 70)]", 1),
        (f"$[?({GRID}.renewableMix <= 70)]", 2),
        (f"$[?({GRID}.renewableMix == 70.0)]", 1),
        (f"$[?({GRID}.renewableMix != 70)]", 8),
        (f"$[?({GRID}.renewableMix >= 80 || {GRID}.carbonIntensity >= 150)]", 6),
        (f"$[?({GRID}.renewableMix >= 80 && !({GRID}.carbonIntensity < 115))]", 2),
        (f"$[?({GRID}.gridArea in ['Cambridge-East', 'Manchester'] && {GRID}.renewableMix >= 70)]", 2),
        (f'$[?({GRID}.gridArea in ["Leeds"])]', 1),
        (f"$[?({GRID}.gridArea in [])]", 0),
        ("$[?(@['beckn:itemAttributes']['beckn:gridParameters']['renewableMix']>=70)]", 8),
        ("$[?(@['beckn:itemAttributes'].beckn:timeWindow.end < '05:00:00Z')]", 1),
        ("$[?(@.beckn:itemAttributes.beckn:capacityParameters.reservationRequired == true)]", 2),
        ("$[?(@.beckn:availableAt[0].address.addressRegion == 'Scotland')]", 2),
        ("$[?(@.beckn:availableAt[*].address.addressRegion == 'Scotland')]", 2),
        ("$[?(@.beckn:availableAt.address.addressRegion == 'Scotland')]", 2),
        (f"$[*][?{GRID}.renewableMix >= 70]", 8),
        (f"$.beckn:items[?(70 <= {GRID}.renewableMix)]", 8),
        (f"$[?({GRID}.renewableMix)]", 9),
        (f"$[?({GRID}.nothing)]", 0),
        (f"$[?({GRID}.nothing != 1)]", 0),
        (f"$[?({GRID}.renewableMix >= '30')]", 0),
        (f"$[?({GRID}.renewableMix >= true)]", 0),
        ("$[*]", 9),
    ],
)
def test_filters(beckn: Beckn, expression: str, count: int) -> None:
    assert len(items(beckn, expression)) == count


def test_the_second_recorded_filter_leaves_out_bristol_alone(beckn: Beckn) -> None:
    left = set(keys(items(beckn))) - set(keys(items(beckn, f"$[?({GRID}.renewableMix >= 70)]")))
    assert left == {"bristol-midday-001"}


def test_offers_are_of_the_items_that_are_left(beckn: Beckn) -> None:
    (catalogue,) = catalogues(beckn, f"$[?({GRID}.gridArea == 'Manchester')]")
    assert [offer["beckn:id"] for offer in catalogue["beckn:offers"]] == ["offer-ce-manchester-afternoon-001"]
    (catalogue,) = catalogues(beckn, f"$[?({GRID}.gridArea == 'Leeds')]")
    assert catalogue["beckn:offers"] == []
    assert catalogues(beckn, f"$[?({GRID}.renewableMix > 99)]") == []


def test_a_text_alone_is_enough(beckn: Beckn) -> None:
    assert len(items(beckn, None)) == 9


@pytest.mark.parametrize(
    "expression",
    [
        "", "renewableMix >= 30", "$[?(@.a >= )]", "$[?(@.a >= 30]", "$[?(@.a = 30)]", "$[?(@.a >= 30) 5]", "$[?()]",
        "$[?(@.a in 5)]", "$[?(@.a in ['x')]", "$[?(@.a == x)]", "$[?(@. == 1)]", "$[?(@['a' == 1)]", "$nonsense",
        "$[?(@.a == 'x)]", "$[?(" + "(" * 5000 + "@.a" + ")" * 5000 + ")]", "$[?(@.a == " + "9" * 5000 + ")]",
    ],
)  # fmt: skip
def test_expressions_that_cannot_be_read(beckn: Beckn, expression: str) -> None:
    with pytest.raises(BadExpression):
        compiled(expression)
    request = {**asking(), "message": {"filters": {"type": "jsonpath", "expression": expression}}}
    reply = post(beckn, "/api/discover", request)
    message = json.loads(reply.body)["message"]
    assert (reply.status, message["ack"], message["error"]["code"]) == (400, {"status": "NACK"}, "Bad Request")
    assert message["error"]["paths"] == "message.filters.expression"


@pytest.mark.parametrize("message", [None, {}, [], {"text_search": ""}, {"filters": {"expression": "$"}},
                                     {"filters": {"type": "jsonpath"}}, {"filters": "x"}])  # fmt: skip
def test_a_message_without_text_and_filter(beckn: Beckn, message: Any) -> None:
    reply = post(beckn, "/api/discover", {"context": CONTEXT, "message": message})
    assert reply.status == 400
    assert json.loads(reply.body)["message"]["ack"]["status"] == "NACK"
