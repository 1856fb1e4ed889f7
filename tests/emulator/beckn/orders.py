"""The canned provider: each action has one message, whatever was ordered. Of cancel and track there is no example."""

from copy import deepcopy
from typing import Any

from tests.emulator.beckn.catalogue import COMPUTE_ENERGY, CORE, Node
from tests.emulator.beckn.switches import Switches

ACTIONS = ("select", "init", "confirm", "status", "update", "cancel", "track", "rating", "support")
DOMAIN = "beckn.one:DEG:compute-energy:1.0"
BPP_URI = "https://ev-charging.sandbox1.com.com/bpp"
ORDER_ID, OTHER_ORDER_ID = "order-ce-cambridge-morning-001", "order-ce-manchester-afternoon-001"
# order status, fulfilment status
_STATUSES = {
    "select": ("QUOTE_REQUESTED", "QUOTED"),
    "init": ("INITIALIZED", "PENDING"),
    "confirm": ("CONFIRMED", "CONFIRMED"),
    "update": ("IN_PROGRESS", "IN_PROGRESS"),
    "status": ("COMPLETED", "COMPLETED"),
    "cancel": ("CANCELLED", "CANCELLED"),
}


def answered(action: str, request: Node, messages: dict[str, Node], switches: Switches) -> Node | None:
    """The callback's body; None if none comes. `messages` are recorded ones, by action."""
    context = request["context"]
    if action not in ACTIONS or context.get("bpp_uri") != BPP_URI or switches.callback_timeout or switches.nack:
        return None
    answer: Node = {"context": {**context, "action": f"on_{action}"}}
    if switches.no_message or context.get("domain") != DOMAIN:
        return answer
    message = deepcopy(messages.get(action) or _message(action))
    order = message.get("order") or message.get("tracking")
    if order:
        sent = _order_id(request.get("message"))
        order["beckn:id"] = _other(sent) if switches.wrong_order_id else sent or ORDER_ID
    return {**answer, "message": message}


def _other(order_id: Any) -> str:
    return OTHER_ORDER_ID if order_id == ORDER_ID else ORDER_ID


def _order_id(message: Any) -> Any:
    order = message.get("order") if isinstance(message, dict) else None
    return order.get("beckn:id") if isinstance(order, dict) else None


def _message(action: str) -> Node:
    if action == "rating":
        return {"received": True, "aggregate": {"count": 1, "value": 5, "best": 5, "worst": 1}}
    if action == "support":
        return {
            "support": {
                "name": "GridFlex Agent Support",
                "email": "support@gridflex-agent.example.com",
                "hours": "24/7",
                "channels": ["email", "web"],
            }
        }
    if action == "track":
        return {"tracking": {"@type": "beckn:Tracking", "beckn:id": ORDER_ID, "beckn:trackingStatus": "ACTIVE"}}
    return {"order": _order(action)}


def _order(action: str) -> Node:
    status, fulfilment_status = _STATUSES[action]
    return {
        "@context": CORE,
        "@type": "beckn:Order",
        "beckn:id": ORDER_ID,
        "beckn:orderStatus": status,
        "beckn:seller": "provider-gridflex-001",
        "beckn:buyer": "buyer-compflex-001",
        "beckn:orderItems": [
            {
                "@type": "beckn:OrderItem",
                "beckn:lineId": "order-item-ce-001",
                "beckn:orderedItem": "item-ce-cambridge-morning-001",
                "beckn:quantity": 1,
                "beckn:orderItemAttributes": _attributes(action),
            }
        ],
        "beckn:fulfillment": {
            "@context": CORE,
            "@type": "beckn:Fulfillment",
            "beckn:id": "fulfillment-ce-cambridge-001",
            "beckn:mode": "GRID-BASED",
            "beckn:status": fulfilment_status,
        },
    }


def _attributes(action: str) -> Node:
    named: Node = {
        "@context": COMPUTE_ENERGY,
        "@type": "beckn:ComputeEnergyWindow",
        "beckn:slotId": "slot-cambridge-morning-20251117-001",
    }
    if action == "status":
        return {
            **named,
            "beckn:performanceMetrics": {
                "plannedLoad": 1.2, "actualLoad": 0.9, "loadUnit": "MW", "energyConsumed": 3.6, "energyUnit": "MWh",
            },
            "beckn:carbonMetrics": {"plannedCarbonBudget": 576, "actualCarbon": 432, "carbonUnit": "kgCO2"},
            "beckn:costMetrics": {"estimatedCost": 489.6, "actualCost": 475.2, "currency": "GBP"},
        }  # fmt: skip
    return {
        **named,
        "beckn:timeWindow": {"start": "2025-11-17T10:00:00Z", "end": "2025-11-17T14:00:00Z", "duration": "PT4H"},
        "beckn:pricingParameters": {
            "spotPrice": 0.102,
            "currency": "GBP",
            "unit": "per_kWh",
            "priceStability": "stable",
        },
        "beckn:capacityParameters": {"capacityUnit": "MW", "availableCapacity": 5},
    }
