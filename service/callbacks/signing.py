"""Secrets and signatures of callbacks, as the Standard Webhooks specification 1.0 has them: its libraries verify them."""

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64


def make_secret() -> str:
    """A new secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes behind a secret. Raises ValueError for one of another form; the message does not hold it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"must be {PREFIX} and the base64 of {LEAST_BYTES} to {MOST_BYTES} random bytes")
    return key


def headers(secret: str, event_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a callback that is sent at this instant (seconds since 1970)."""
    signed = hmac.new(key_of(secret), f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
