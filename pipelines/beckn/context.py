"""The context of a Beckn message: who asks whom, with a message id that no other call has."""

import uuid
from datetime import UTC, datetime

from pydantic import JsonValue

DOMAIN = "beckn.one:DEG:compute-energy:1.0"
VERSION = "2.0.0"
SCHEMA = (
    "https://raw.githubusercontent.com/beckn/protocol-specifications-new/refs/heads/draft/schema/ComputeEnergy/v1/"
    "context.jsonld"
)
# the sandbox knows one subscriber on either side
BAP_ID = BPP_ID = "ev-charging.sandbox1.com"
BAP_URI = "https://ev-charging.sandbox1.com.com/bap"
BPP_URI = "https://ev-charging.sandbox1.com.com/bpp"


def context(action: str, *, transaction_id: str | None = None, to_provider: bool = False) -> dict[str, JsonValue]:
    """A context for one call. A transaction may span several calls; a message never does."""
    fields: dict[str, JsonValue] = {
        "version": VERSION,
        "action": action,
        "domain": DOMAIN,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "message_id": str(uuid.uuid4()),
        "transaction_id": transaction_id or str(uuid.uuid4()),
        "bap_id": BAP_ID,
        "bap_uri": BAP_URI,
        "ttl": "PT30S",
        "schema_context": [SCHEMA],
    }
    return {**fields, "bpp_id": BPP_ID, "bpp_uri": BPP_URI} if to_provider else fields
