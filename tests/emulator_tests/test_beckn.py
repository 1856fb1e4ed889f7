"""The Beckn emulator against its contract: what was recorded, filters, refusals, orders, switches, faults."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from shapely.geometry import shape

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator.beckn import Beckn
from tests.emulator.beckn.jsonpath import BadExpression, compiled
from tests.emulator.protocol import Asked, Reply

FOLDER = (RECORDED_DIR or Path()) / "beckn"
NOW = datetime(2026, 11, 5, 14, 7, tzinfo=UTC)
CONTEXT = {
    "version": "2.0.0", "action": "discover", "domain": "beckn.one:DEG:compute-energy:1.0",
    "timestamp": "2025-11-24T11:24:08.317Z", "message_id": "m-1", "transaction_id": "t-1",
    "bap_id": "ev-charging.sandbox1.com", "bap_uri": "https://ev-charging.sandbox1.com.com/bap", "ttl": "PT30S",
    "schema_context": ["https://example.com/context.jsonld"],
}  # fmt: skip
ORDER_CONTEXT = {
    **CONTEXT, "bpp_id": "ev-charging.sandbox1.com", "bpp_uri": "https://ev-charging.sandbox1.com.com/bpp",
}  # fmt: skip
GRID = "@.beckn:itemAttributes.beckn:gridParameters"
AT_LEAST_30 = f"$[?({GRID}.renewableMix >= 30)]"
ORDER_ACTIONS = ("select", "init", "confirm", "status", "update", "cancel")
TIMEOUT = {
    "message": {"ack": {"status": "NACK"}},
    "error": {"type": "TIMEOUT", "code": "REQUEST_TIMEOUT", "message": "No response received within 30 seconds"},
}


@pytest.fixture
def beckn() -> Beckn:
    made = Beckn(None, lambda: NOW)
    made.switches.timeout_seconds = 0.02
    return made


@pytest.fixture
def recorded() -> Beckn:
    return Beckn(RECORDED_DIR, lambda: NOW)


def post(beckn: Beckn, path: str, document: object) -> Reply:
    return beckn.answer(Asked("POST", path, json.dumps(document).encode(), "application/json"))


def asking(expression: str | None = AT_LEAST_30, **context: Any) -> dict[str, Any]:
    filters = {"filters": {"type": "jsonpath", "expression": expression}} if expression else {}
    return {"context": {**CONTEXT, **context}, "message": {"text_search": "Grid flexibility windows", **filters}}


def discover(beckn: Beckn, expression: str | None = AT_LEAST_30) -> dict[str, Any]:
    reply = post(beckn, "/api/discover", asking(expression))
    assert reply.status == 200, reply.body
    return dict(json.loads(reply.body))


def catalogues(beckn: Beckn, expression: str | None = AT_LEAST_30) -> list[dict[str, Any]]:
    return list(discover(beckn, expression)["message"]["catalogs"])


def items(beckn: Beckn, expression: str | None = AT_LEAST_30) -> list[dict[str, Any]]:
    return [item for catalogue in catalogues(beckn, expression) for item in catalogue["beckn:items"]]


def keys(found: list[dict[str, Any]]) -> list[str]:
    return [item["beckn:id"].removeprefix("item-ce-") for item in found]


def grid(item: dict[str, Any]) -> dict[str, Any]:
    return dict(item["beckn:itemAttributes"]["beckn:gridParameters"])


def order(action: str, order_id: str = "order-1", **context: Any) -> dict[str, Any]:
    return {
        "context": {**ORDER_CONTEXT, "action": action, **context}, "message": {"order": {"beckn:id": order_id}},
    }  # fmt: skip


def without(value: Any, *names: str) -> Any:
    if isinstance(value, dict):
        return {name: without(inner, *names) for name, inner in value.items() if name not in names}
    return [without(inner, *names) for inner in value] if isinstance(value, list) else value


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


@pytest.mark.parametrize("path", ["/api/discover", "/api/confirm", "/api/nonsense", "/webhook/on_select"])
def test_the_adapter_refuses(beckn: Beckn, path: str) -> None:
    for body in (b"", b"{", b"[]", b"1", b'{"context":NaN}', b"\xff", b"[" * 100_000):
        reply = beckn.answer(Asked("POST", path, body))
        assert (reply.status, reply.body) == (400, b'{"error":"Invalid JSON body"}')
    ids = b'{"error":"context.transaction_id and context.message_id are required"}'
    contexts: list[Any] = [None, {}, [], {"message_id": "m"}, {"message_id": "m", "transaction_id": ""}]
    for context in (*contexts, {"message_id": 1, "transaction_id": "t"}):
        reply = post(beckn, path, {"context": context})
        assert (reply.status, reply.body) == (400, ids)
    assert beckn.sent == []


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/health", 200, b'{"status":"ok","message":"Server is running"}'),
        ("POST", "/api/", 400, b'{"error":"sub-route is required"}'),
        ("GET", "/api/discover", 405, b"Method Not Allowed"),
        ("POST", "/health", 405, b"Method Not Allowed"),
        ("GET", "/nothing", 404, b"Cannot GET /nothing"),
    ],
)
def test_other_paths(beckn: Beckn, method: str, path: str, status: int, body: bytes) -> None:
    reply = beckn.answer(Asked(method, path, b"{}"))
    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize("action", ORDER_ACTIONS)
def test_orders_answer_with_the_id_that_was_sent(beckn: Beckn, action: str) -> None:
    answer = json.loads(post(beckn, f"/api/{action}", order(action)).body)
    assert answer["context"] == {**ORDER_CONTEXT, "action": f"on_{action}"}
    assert answer["message"]["order"]["beckn:id"] == "order-1"
    assert beckn.sent == [(action, "m-1", "t-1")]
    beckn.switches.wrong_order_id = True
    for sent in ("order-1", "order-ce-cambridge-morning-001"):
        message = json.loads(post(beckn, f"/api/{action}", order(action, sent)).body)["message"]
        assert message["order"]["beckn:id"] not in (sent, None)
    beckn.switches.no_message = True
    assert list(json.loads(post(beckn, f"/api/{action}", order(action)).body)) == ["context"]


def test_order_statuses_and_other_messages(beckn: Beckn) -> None:
    found = {a: json.loads(post(beckn, f"/api/{a}", order(a)).body)["message"] for a in (*ORDER_ACTIONS, "rating",
             "support", "track")}  # fmt: skip
    assert [found[action]["order"]["beckn:orderStatus"] for action in ORDER_ACTIONS] == [
        "QUOTE_REQUESTED", "INITIALIZED", "CONFIRMED", "COMPLETED", "IN_PROGRESS", "CANCELLED",
    ]  # fmt: skip
    assert found["rating"]["received"] is True
    assert found["support"]["support"]["hours"] == "24/7"
    assert found["track"]["tracking"]["beckn:id"] == "order-1"


def test_another_domain_has_no_template(beckn: Beckn) -> None:
    answer = json.loads(post(beckn, "/api/confirm", order("confirm", domain="beckn.one:retail:1.0")).body)
    assert list(answer) == ["context"]


def test_what_finds_no_provider_times_out(beckn: Beckn) -> None:
    def timed_out(path: str, request: object) -> bool:
        reply = post(beckn, path, request)
        return (reply.status, json.loads(reply.body)) == (408, TIMEOUT)

    assert timed_out("/api/confirm", order("confirm", bpp_uri="gridflex-agent-uk/bpp"))
    assert timed_out("/api/confirm", {"context": CONTEXT, "message": {}})
    assert timed_out("/api/nonsense", order("nonsense"))
    beckn.switches.nack = "onix"
    assert timed_out("/api/confirm", order("confirm"))
    beckn.reset()
    beckn.switches.callback_timeout = True
    started = time.monotonic()
    assert timed_out("/api/confirm", order("confirm"))
    assert 0.15 < time.monotonic() - started < 2


def test_a_callback_reaches_the_one_who_waits(beckn: Beckn) -> None:
    nobody = post(beckn, "/webhook/on_confirm", order("on_confirm"))
    assert (nobody.status, json.loads(nobody.body)["error"]) == (
        404, {"message": "No pending request found for this transaction"},
    )  # fmt: skip
    unknown = post(beckn, "/webhook/on_nonsense", order("on_nonsense"))
    assert (unknown.status, unknown.body) == (400, b'{"error":"Invalid callback route: on_nonsense"}')
    beckn.switches.callback_timeout, beckn.switches.timeout_seconds = True, 5
    replies: list[Reply] = []
    waiting = threading.Thread(target=lambda: replies.append(post(beckn, "/api/confirm", order("confirm"))))
    waiting.start()
    deadline = time.monotonic() + 4
    while post(beckn, "/webhook/on_confirm", order("on_confirm", "called back")).status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    waiting.join()
    assert json.loads(replies[0].body)["message"]["order"]["beckn:id"] == "called back"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("onix", lambda body: body["message"]["ack"]["status"] == "NACK" and body["message"]["error"]["code"]),
        ("cds", lambda body: body["ack_status"] == "NACK" and body["error"]["code"] == "INVALID_REQUEST"),
        ("successor", lambda body: body["message"]["status"] == "NACK" and body["message"]["messageId"] == "m-1"),
    ],
)
def test_three_shapes_of_nack(
    beckn: Beckn, kind: Literal["onix", "cds", "successor"], said: Callable[[Any], Any]
) -> None:
    beckn.switches.nack = kind
    reply = post(beckn, "/api/discover", asking())
    assert reply.status == 400
    assert said(json.loads(reply.body))


def test_bad_gateway(beckn: Beckn) -> None:
    beckn.switches.bad_gateway = True
    reply = post(beckn, "/api/discover", asking())
    assert (reply.status, reply.body) == (502, b'{"error":"Failed to forward request to ONIX service"}')
    assert post(beckn, "/api/confirm", order("confirm")).status == 200


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
