"""Orders: one message id a call, one attempt, and confirmed only if the answer is about the order that was sent."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipelines.beckn.orders import OrderClient, OrderRequest
from pipelines.client import UpstreamClient
from pipelines.settings import PipelineSettings
from tests.emulator import Emulator

ORDER = OrderRequest(
    order_id="order-7f3a",
    window_id="item-ce-cambridge-morning-001",
    offer_id="offer-ce-cambridge-morning-001",
    provider_id="gridflex-agent-uk",
    starts_at=datetime(2026, 11, 24, 10, tzinfo=UTC),
    ends_at=datetime(2026, 11, 24, 14, tzinfo=UTC),
    load_mw=1.2,
    workload_id="workload-1",
)


@pytest.fixture
def orders(emulator: Emulator) -> Iterator[OrderClient]:
    client = UpstreamClient(emulator.settings["BECKN_URL"], settings=PipelineSettings())
    yield OrderClient(client, read_timeout_seconds=5)


def test_an_order_goes_through_its_steps_and_is_confirmed(orders: OrderClient, emulator: Emulator) -> None:
    quoted = orders.select(ORDER)
    drawn_up = orders.init(ORDER, transaction_id=quoted.transaction_id)
    confirmed = orders.confirm(ORDER, transaction_id=quoted.transaction_id)
    stands = orders.status(ORDER.order_id, transaction_id=quoted.transaction_id)
    assert [a.failure for a in (quoted, drawn_up, confirmed, stands)] == [None] * 4
    assert confirmed.is_confirmed and not quoted.is_confirmed
    assert stands.order_status
    sent = emulator.beckn.sent
    assert [action for action, *_ in sent] == ["select", "init", "confirm", "status"]
    assert len({message_id for _, message_id, _ in sent}) == 4, "a message id is never used twice"
    assert {transaction_id for *_, transaction_id in sent} == {quoted.transaction_id}


def test_an_answer_about_another_order_confirms_nothing(orders: OrderClient, emulator: Emulator) -> None:
    emulator.beckn.switches.wrong_order_id = True
    answer = orders.confirm(ORDER)
    assert not answer.is_confirmed
    assert "not about 'order-7f3a'" in (answer.failure or "")


def test_an_answer_without_a_message_confirms_nothing(orders: OrderClient, emulator: Emulator) -> None:
    emulator.beckn.switches.no_message = True
    answer = orders.confirm(ORDER)
    assert not answer.is_confirmed
    assert answer.failure


def test_a_time_out_of_the_sandbox_is_said_and_not_tried_again(orders: OrderClient, emulator: Emulator) -> None:
    emulator.beckn.switches.callback_timeout = True
    answer = orders.confirm(ORDER)
    assert (answer.http_status, answer.is_confirmed) == (408, False)
    assert "No response received" in (answer.failure or "")
    assert len(emulator.beckn.sent) == 1


@pytest.mark.parametrize("kind", ["500", "html", "truncated", "drop"])
def test_a_fault_confirms_nothing(orders: OrderClient, emulator: Emulator, kind: str) -> None:
    emulator.fault(kind, "/api/confirm")
    answer = orders.confirm(ORDER)
    assert not answer.is_confirmed
    assert answer.failure
