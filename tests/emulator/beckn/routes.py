"""The adapter in front of it all: its paths, what it refuses, what it hands on and to whom."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.emulator.beckn import faults, orders, problems
from tests.emulator.beckn.catalogue import Node
from tests.emulator.beckn.changes import PLACES
from tests.emulator.beckn.discover import Catalogues
from tests.emulator.beckn.pending import Key, Pending
from tests.emulator.beckn.recorded import Recorded
from tests.emulator.beckn.switches import Switches
from tests.emulator.protocol import Asked, Reply

DISCOVER = ("discover", "search")
PLAIN = "text/plain; charset=utf-8"
PACKED = {"Content-Encoding": "gzip"}


class Beckn:
    """Answers for the sandbox: every request gets its on_* body in the response itself."""

    def __init__(self, recorded: Path | None, now: Callable[[], datetime]):
        self._recorded = Recorded(recorded)
        self._catalogues = Catalogues(self._recorded, now)
        self._pending = Pending()
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Nothing switched on, nothing changed, an empty log."""
        with self._lock:
            self.switches = Switches()
            self.changes: dict[str, dict[str, Any]] = {}
            self.offer_changes: dict[str, dict[str, Any]] = {}
            self.sent: list[Key] = []

    def change(self, item_id: str, **values: Any) -> None:
        """From now on the item has these values: renewableMix, carbonIntensity, availableCapacity, start, end, ..."""
        unknown = set(values) - set(PLACES)
        if unknown:
            raise TypeError(f"an item has no {', '.join(sorted(unknown))}")
        with self._lock:
            self.changes[item_id] = {**self.changes.get(item_id, {}), **values}

    def change_offer(self, offer_id: str, **values: Any) -> None:
        """From now on the offer's price has these: value, currency."""
        with self._lock:
            self.offer_changes[offer_id] = {**self.offer_changes.get(offer_id, {}), **values}

    def spoil(self, kind: str, body: bytes) -> bytes:
        """A body as a fault leaves it."""
        return faults.spoil(kind, body)

    def answer(self, asked: Asked) -> Reply:
        """What the sandbox says."""
        try:
            return self._route(asked)
        except problems.Refused as refused:
            return Reply(refused.status, faults.printed(refused.body))

    def _route(self, asked: Asked) -> Reply:
        match asked.method, asked.path.strip("/").split("/", 1):
            case "GET", ["health"]:
                return _json({"status": "ok", "message": "Server is running"})
            case "POST", ["api"]:
                raise problems.adapter(400, "sub-route is required")
            case "POST", ["api", action]:
                return self._api(action, asked.body)
            case "POST", ["webhook", callback]:
                return self._webhook(callback, asked.body)
            case _, ["health"] | ["api" | "webhook", *_]:
                return Reply(405, b"Method Not Allowed", PLAIN)
        return Reply(404, f"Cannot {asked.method} {asked.path}".encode(), PLAIN)

    def _api(self, action: str, body: bytes) -> Reply:
        request, key = _checked(action, body)
        with self._lock:
            self.sent.append(key)
            switches = self.switches
            items, offers = dict(self.changes), dict(self.offer_changes)
        time.sleep(switches.latency_seconds)
        if action in DISCOVER:
            found = self._catalogues.discover(request, switches, items, offers)
        else:
            found = self._callback(key, request, switches)
        return _packed(_json(found)) if switches.gzip else _json(found)

    def _callback(self, key: Key, request: Node, switches: Switches) -> Any:
        """What the provider calls back with; what somebody else does, if the provider does not."""
        answer = orders.answered(key[0], request, self._recorded.messages, switches)
        if answer is None:
            answer = self._pending.wait(key, switches.timeout_seconds)
        if answer is None:
            raise problems.no_callback()
        return answer

    def _webhook(self, callback: str, body: bytes) -> Reply:
        action = callback.removeprefix("on_")
        if callback == action or action not in orders.ACTIONS:
            raise problems.adapter(400, f"Invalid callback route: {callback}")
        request, key = _checked(action, body)
        if not self._pending.deliver(key, request):
            raise problems.no_waiter()
        return _json({"message": {"ack": {"status": "ACK"}}})


def _checked(action: str, body: bytes) -> tuple[Node, Key]:
    """A request that the adapter takes, and what tells it from others."""
    try:
        request = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise problems.adapter(400, "Invalid JSON body")
    context = request.get("context")
    given = context if isinstance(context, dict) else {}
    message_id, transaction_id = given.get("message_id"), given.get("transaction_id")
    if not (isinstance(message_id, str) and message_id and isinstance(transaction_id, str) and transaction_id):
        raise problems.adapter(400, "context.transaction_id and context.message_id are required")
    return request, (action, message_id, transaction_id)


def _no_number(name: str) -> None:
    raise ValueError(name)


def _json(document: object) -> Reply:
    return Reply(200, faults.printed(document))


def _packed(reply: Reply) -> Reply:
    return Reply(reply.status, gzip.compress(reply.body, mtime=0), reply.content_type, PACKED)
