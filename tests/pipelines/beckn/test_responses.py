"""The door for catalogues: both forms go through, everything else is refused with a reason, never half taken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.beckn.datasets import CATALOGUE
from pipelines.beckn.responses import refused, validate, version_of
from pipelines.dataset import BodyRejected
from pipelines.payload import compact
from tests.conftest import RECORDED_DIR, needs_recorded


def catalogue() -> dict:
    return json.loads(compact(CATALOGUE.synthesize([], None)))


def item(body: dict, number: int = 0) -> dict:
    return body["message"]["catalogs"][0]["beckn:items"][number]


@needs_recorded
def test_every_example_file_parses_or_is_refused_with_a_reason() -> None:
    outcomes = {}
    for path in sorted((RECORDED_DIR / "beckn").rglob("*.json")):
        try:
            validate(path.read_bytes())
            outcomes[path.name] = "parses"
        except BodyRejected as reason:
            assert len(str(reason)) > 10
            outcomes[path.name] = "refused"
    parses = {name for name, outcome in outcomes.items() if outcome == "parses"}
    assert parses == {
        "1.discover_on_discover-response-1.json",
        "1.discover_on_discover-response-2.json",
        "1.discover_on_discover-response-3.json",
        "on_discover_recorded_20251124T172425Z.json",
        "on_discover_recorded_20251124T172519Z.json",
    }
    assert len(outcomes) > 40


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "empty object"),
        (b"<html></html>", "HTML"),
        (b'{"context":{}}', "a context and no message"),
        (
            b'{"message":{"ack":{"status":"NACK"},"error":{"code":"Bad Request","message":"no such domain"}}}',
            "no such domain",
        ),
        (b'{"ack_status":"NACK","error":{"code":"INVALID_REQUEST","message":"bad path"}}', "bad path"),
        (b'{"message":{"status":"NACK","error":{"code":"SCH_INVALID_JSONPATH"}}}', "SCH_INVALID_JSONPATH"),
        (b'{"context":{"action":"on_search"},"message":{"catalog":{"providers":[]}}}', "older form"),
        (b'{"context":{"action":"on_status"},"message":{"catalogs":[]}}', "answers on_status"),
        (b'{"x":' + b"[" * 20000, "cannot be read|cut short"),
    ],
)
def test_a_refusal_is_said_in_its_own_words(body: bytes, words: str) -> None:
    with pytest.raises(BodyRejected, match=words):
        validate(body)


def test_an_item_without_grid_parameters_refuses_the_catalogue() -> None:
    body = catalogue()
    del item(body)["beckn:itemAttributes"]["beckn:gridParameters"]
    with pytest.raises(BodyRejected, match="gridParameters"):
        validate(compact(body))


def test_an_item_twice_is_one_if_it_is_the_same_and_none_if_it_is_not() -> None:
    body = catalogue()
    items = body["message"]["catalogs"][0]["beckn:items"]
    items.append(json.loads(json.dumps(items[0])))
    validate(compact(body))
    items[-1]["beckn:itemAttributes"]["beckn:gridParameters"]["renewableMix"] = 1
    with pytest.raises(BodyRejected, match="twice, with different values"):
        validate(compact(body))


def test_swapped_axes_are_noticed_where_a_zone_says_that_it_is_british() -> None:
    body = catalogue()
    ring = item(body)["beckn:availableAt"][0]["geo"]["coordinates"][0]
    ring[:] = [point[::-1] for point in ring]
    with pytest.raises(BodyRejected, match="are its axes swapped"):
        validate(compact(body))


def test_holes_unicode_and_both_forms_of_locations_and_prices_go_through() -> None:
    body = catalogue()
    place = item(body)["beckn:availableAt"][0]
    place["geo"]["coordinates"].append([[0.1, 52.1], [0.2, 52.1], [0.2, 52.2], [0.1, 52.1]])
    item(body)["beckn:availableAt"] = place
    item(body, 1)["beckn:descriptor"]["schema:name"] = "Fenêtre de Manchester 曼彻斯特"
    body["message"]["catalogs"][0]["beckn:offers"][0]["beckn:price"]["value"] = "0.102"
    validate(compact(body))


@given(st.binary(max_size=300) | st.sampled_from([compact(catalogue())[:n] for n in range(0, 3000, 97)]))
def test_whatever_comes_is_taken_or_refused(body: bytes) -> None:
    try:
        validate(body)
    except BodyRejected as reason:
        assert str(reason)
    assert refused(body) is None or isinstance(refused(body), str)


def test_the_context_and_the_order_of_keys_make_no_other_version() -> None:
    body = catalogue()
    turned = {"message": json.loads(json.dumps(body["message"], sort_keys=True)), "context": {"message_id": "other"}}
    assert version_of(compact(turned)) == version_of(compact(body))
    item(body)["beckn:itemAttributes"]["beckn:gridParameters"]["renewableMix"] = 1
    assert version_of(compact(turned)) != version_of(compact(body))
