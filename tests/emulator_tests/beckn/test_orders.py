"""The order actions: callbacks, refusals, time-outs."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import pytest

from tests.emulator.beckn import Beckn
from tests.emulator.protocol import Asked, Reply
from tests.emulator_tests.beckn.asked import (
    CONTEXT,
    ORDER_ACTIONS,
    ORDER_CONTEXT,
    TIMEOUT,
    asking,
    order,
    post,
)


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
