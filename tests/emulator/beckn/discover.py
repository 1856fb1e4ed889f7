"""The catalogue service: checks a request, applies its filter, answers with what is left."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.emulator.beckn import problems
from tests.emulator.beckn.catalogue import Node
from tests.emulator.beckn.changes import Values
from tests.emulator.beckn.jsonpath import BadExpression, Test, compiled
from tests.emulator.beckn.recorded import Recorded
from tests.emulator.beckn.shapes import shaped
from tests.emulator.beckn.stock import stocked
from tests.emulator.beckn.switches import Switches


class Catalogues:
    """What can be discovered."""

    def __init__(self, recorded: Recorded, now: Callable[[], datetime]):
        self._recorded = recorded
        self._now = now

    def discover(
        self, request: Node, switches: Switches, items: Mapping[str, Values], offers: Mapping[str, Values]
    ) -> Node:
        """The answer, or what speaks against one."""
        if switches.bad_gateway:
            raise problems.adapter(502, "Failed to forward request to ONIX service")
        if switches.nack:
            raise problems.nack(switches.nack, request["context"], self._now())
        meets = _filter(request.get("message"))
        if switches.empty_catalogs:
            return shaped(request["context"], [], switches)
        stock = stocked(self._recorded.catalogues, switches, items, offers, self._now().date())
        found = [catalogue for catalogue in stock if _sift(catalogue, meets)]
        return shaped(request["context"], found, switches)


def _sift(catalogue: Node, meets: Test) -> bool:
    """Leave only the items that meet the filter, and offers for them. Whether any are left."""
    catalogue["beckn:items"] = [item for item in catalogue["beckn:items"] if meets(item)]
    left = {item["beckn:id"] for item in catalogue["beckn:items"]}
    catalogue["beckn:offers"] = [offer for offer in catalogue["beckn:offers"] if left & set(offer["beckn:items"])]
    return bool(left)


def _filter(message: Any) -> Test:
    if not isinstance(message, dict):
        raise problems.onix("BAD Request: message is required")
    filters = message.get("filters")
    if not filters:
        if not message.get("text_search"):
            raise problems.onix("BAD Request: at least one of text_search or filters is required")
        return lambda item: True
    kind, expression = (filters.get("type"), filters.get("expression")) if isinstance(filters, dict) else (None, None)
    if kind != "jsonpath" or not isinstance(expression, str):
        raise problems.onix("BAD Request: filters need the type jsonpath and an expression", "message.filters")
    try:
        return compiled(expression)
    except BadExpression as error:
        raise problems.onix(f"BAD Request: invalid JSONPath: {error}", "message.filters.expression") from None
