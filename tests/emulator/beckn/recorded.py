"""What was recorded of the sandbox and what its designers published, read when it is first asked for."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.emulator.beckn.catalogue import Node, windows

_DISCOVERED = "recorded/on_discover_recorded_20251124T172519Z.json"
_ORDERS = {
    "select": "2.order_2.select_on_select-response.json",
    "init": "2.order_3.init_on_init-response.json",
    "confirm": "2.order_4.confirm_on_confirm-response.json",
    "update": "3.fulfilment_1.on_update-shift-confirmation.json",
    "status": "3.fulfilment_on_status.json",
    "rating": "4.post-fulfilment_2.on_rating-response.json",
    "support": "4.post-fulfilment_4.on_support-response.json",
}


class Recorded:
    """What lies under `beckn/` in a folder; the generated catalogue without one."""

    def __init__(self, folder: Path | None):
        self._folder = folder / "beckn" if folder else None

    @cached_property
    def catalogues(self) -> list[Node]:
        """Those of the recorded answer. Not to be changed: to be copied."""
        message = self._message(_DISCOVERED)
        return list(message["catalogs"]) if message else [windows()]

    @cached_property
    def messages(self) -> dict[str, Node]:
        """The message that answers each order action of which there is an example."""
        found = {action: self._message(f"deg-compute-energy/{name}") for action, name in _ORDERS.items()}
        return {action: message for action, message in found.items() if message}

    def _message(self, name: str) -> Any:
        path = self._folder / name if self._folder else None
        return json.loads(path.read_bytes())["message"] if path and path.exists() else None
