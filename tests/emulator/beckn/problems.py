"""How the services refuse: the adapter, the gateway behind it, the catalogue service and its successor."""

from datetime import datetime
from typing import Any

from tests.emulator.beckn.catalogue import Node
from tests.emulator.beckn.switches import Nack

MESSAGE = "BAD Request: the request does not conform to the schema"


class Refused(Exception):
    """An answer other than 200: its status and its body."""

    def __init__(self, status: int, body: Node):
        super().__init__(status, body)
        self.status = status
        self.body = body


def adapter(status: int, message: str) -> Refused:
    """A refusal in the adapter's own words."""
    return Refused(status, {"error": message})


def no_callback() -> Refused:
    """The adapter's answer when no callback comes, whatever the reason."""
    return Refused(
        408,
        {
            "message": {"ack": {"status": "NACK"}},
            "error": {
                "type": "TIMEOUT",
                "code": "REQUEST_TIMEOUT",
                "message": "No response received within 30 seconds",
            },
        },
    )


def no_waiter() -> Refused:
    """The adapter's answer to a callback that nobody waits for."""
    return Refused(
        404,
        {
            "message": {"ack": {"status": "NACK"}},
            "error": {"message": "No pending request found for this transaction"},
        },
    )


def onix(message: str = MESSAGE, paths: str = "message") -> Refused:
    """The gateway's NACK: the error stands inside the message."""
    error = {"code": "Bad Request", "message": message, "paths": paths}
    return Refused(400, {"message": {"ack": {"status": "NACK"}, "error": error}})


def nack(kind: Nack, context: Node, now: datetime) -> Refused:
    """A NACK in the words of one of the three services that can give one."""
    if kind == "onix":
        return onix()
    if kind == "cds":
        return Refused(400, _cds(context, now))
    error = {"code": "SCH_SCHEMA_VALIDATION_FAILED", "message": MESSAGE}
    return Refused(400, {"message": {"status": "NACK", "messageId": context.get("message_id"), "error": error}})


def _cds(context: Node, now: datetime) -> dict[str, Any]:
    return {
        "transaction_id": context.get("transaction_id"),
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "ack_status": "NACK",
        "error": {"code": "INVALID_REQUEST", "paths": "context.schema_context", "message": MESSAGE},
    }
