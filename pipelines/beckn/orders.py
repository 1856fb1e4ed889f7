"""Orders of compute windows: `select`, `init`, `confirm`, `status`. The sandbox answers each call at once with its `on_` message.

Each call has a message id of its own and is sent once: an order must not be made twice. An answer counts only for the
order that was sent: the sandbox has been seen to answer with a fixed text about another one.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import JsonValue

from pipelines.beckn.context import context
from pipelines.beckn.responses import refused
from pipelines.client import UpstreamClient
from warehouse.periods import iso

Action = Literal["select", "init", "confirm", "status"]
STATUS_SENT: dict[str, str] = {"select": "QUOTE_REQUESTED", "init": "INITIALIZED", "confirm": "PENDING"}

TURNED_DOWN = ("CANCELLED", "REJECTED", "FAILED")


@dataclass(frozen=True)
class OrderRequest:
    """A window that somebody wants: `order_id` is chosen by who asks, and is the same through all steps."""

    order_id: str
    window_id: str
    offer_id: str | None
    provider_id: str
    starts_at: datetime
    ends_at: datetime
    load_mw: float
    workload_id: str
    workload_type: str = "BATCH"
    buyer: str = "energy-data-pipeline"


@dataclass(frozen=True)
class OrderAnswer:
    """The result of a call. `failure` says why it is not what was requested."""

    action: Action
    order_id: str
    message_id: str
    transaction_id: str
    http_status: int | None
    order_status: str | None
    body: JsonValue
    failure: str | None

    @property
    def is_confirmed(self) -> bool:
        """Whether the provider confirmed this very order."""
        return self.action == "confirm" and self.failure is None and self.order_status not in TURNED_DOWN


class OrderClient:
    """Orders one after the other, in one transaction an order."""

    def __init__(self, client: UpstreamClient, *, read_timeout_seconds: float):
        self._client = client
        self._timeout = read_timeout_seconds

    def select(self, order: OrderRequest, *, transaction_id: str | None = None) -> OrderAnswer:
        """Ask for a quote."""
        return self._send("select", order.order_id, _order(order, "select"), transaction_id)

    def init(self, order: OrderRequest, *, transaction_id: str | None = None) -> OrderAnswer:
        """Draw up the order: load, times, workload."""
        return self._send("init", order.order_id, _order(order, "init"), transaction_id)

    def confirm(self, order: OrderRequest, *, transaction_id: str | None = None) -> OrderAnswer:
        """Place the order. Confirmed only if the answer carries its id."""
        return self._send("confirm", order.order_id, _order(order, "confirm"), transaction_id)

    def status(self, order_id: str, *, transaction_id: str | None = None) -> OrderAnswer:
        """Ask how an order stands."""
        return self._send("status", order_id, {"beckn:id": order_id}, transaction_id)

    def _send(
        self, action: Action, order_id: str, order: dict[str, JsonValue], transaction_id: str | None
    ) -> OrderAnswer:
        head = context(action, transaction_id=transaction_id, to_provider=True)
        answer = self._client.post(
            f"/api/{action}",
            lambda: {"context": head, "message": {"order": order}},
            attempts=1,
            read_timeout_seconds=self._timeout,
        )
        body, failure = _validated(answer.body, order_id)
        if answer.failure:
            failure = f"{answer.failure}: it {refused(answer.body)}" if refused(answer.body) else answer.failure
        received = _order_of(body)
        return OrderAnswer(
            action=action,
            order_id=order_id,
            message_id=str(head["message_id"]),
            transaction_id=str(head["transaction_id"]),
            http_status=answer.status,
            order_status=str(received["beckn:orderStatus"])
            if not failure and "beckn:orderStatus" in received
            else None,
            body=body,
            failure=failure,
        )


def _validated(content: bytes, order_id: str) -> tuple[JsonValue, str | None]:
    """The body, and why it does not answer for this order."""
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        return None, "the answer is not JSON"
    refusal = refused(content)
    if refusal:
        return body, f"the answer {refusal}"
    received = _order_of(body).get("beckn:id")
    if received is None:
        return body, "the answer names no order"
    if received != order_id:
        return body, f"the answer is about the order {received!r}, not about {order_id!r}"
    return body, None


def _order_of(body: Any) -> dict[str, Any]:
    message = body.get("message") if isinstance(body, dict) else None
    order = message.get("order") if isinstance(message, dict) else None
    return order if isinstance(order, dict) else {}


def _order(order: OrderRequest, action: Action) -> dict[str, JsonValue]:
    item: dict[str, JsonValue] = {
        "beckn:lineId": "order-item-1",
        "beckn:orderedItem": order.window_id,
        "beckn:quantity": 1,
    }
    if order.offer_id:
        item["beckn:acceptedOffer"] = {"@type": "beckn:Offer", "beckn:id": order.offer_id}
    fields: dict[str, JsonValue] = {
        "@type": "beckn:Order",
        "beckn:id": order.order_id,
        "beckn:orderStatus": STATUS_SENT[action],
        "beckn:seller": order.provider_id,
        "beckn:buyer": order.buyer,
        "beckn:orderItems": [item],
    }
    if action == "select":
        return fields
    workload: dict[str, JsonValue] = {"workloadType": order.workload_type, "workloadId": order.workload_id}
    return {
        **fields,
        "beckn:fulfillment": {
            "@type": "beckn:Fulfillment",
            "beckn:id": f"fulfillment-{order.order_id}",
            "beckn:mode": "GRID-BASED",
            "beckn:status": "PENDING",
            "beckn:deliveryAttributes": {
                "@type": "beckn:ComputeEnergyFulfillment",
                "beckn:computeLoad": order.load_mw,
                "beckn:computeLoadUnit": "MW",
                "beckn:timeWindow": {"start": iso(order.starts_at), "end": iso(order.ends_at)},
                "beckn:workloadMetadata": workload,
            },
        },
    }
