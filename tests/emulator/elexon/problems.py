"""How the Insights API refuses: problem details, as ASP.NET writes them."""

import hashlib
import json
from collections.abc import Sequence

CONTENT_TYPE = "application/problem+json"
SECTION = "https://tools.ietf.org/html/rfc9110#section-15"
LATER = ("The From field must not be later than the To field", "Errors found when parsing DateTimes")
UNREADABLE = ("Errors found when parsing DateTimes",)


class BadRequest(Exception):
    """The upstream's 400: the messages, and the field that they are about."""

    def __init__(self, messages: Sequence[str], field: str = ""):
        super().__init__(*messages)
        self.messages = list(messages)
        self.field = field


class NotFound(Exception):
    """The upstream's 404."""


def too_long(first: str, last: str, longest: str) -> BadRequest:
    """A range that exceeds its route's longest."""
    return BadRequest([f"The date range between {first} and {last} inclusive must not exceed {longest}"])


def required(field: str) -> BadRequest:
    """A parameter that is missing."""
    return BadRequest([f"The {field} field is required."], field)


def bad_request(target: str, error: BadRequest) -> bytes:
    """The body of a 400."""
    return _problem(
        f"{SECTION}.5.1", "One or more validation errors occurred.", 400, target, {error.field: error.messages}
    )


def not_found(target: str) -> bytes:
    """The body of a 404."""
    return _problem(f"{SECTION}.5.5", "Not Found", 404, target)


def server_error(target: str) -> bytes:
    """The body of a 500."""
    return _problem(f"{SECTION}.6.1", "An error occurred while processing your request.", 500, target)


def _problem(kind: str, title: str, status: int, target: str, errors: dict[str, list[str]] | None = None) -> bytes:
    trace = hashlib.blake2b(target.encode(), digest_size=24).hexdigest()
    document = {
        "type": kind,
        "title": title,
        "status": status,
        **({"errors": errors} if errors else {}),
        "traceId": f"00-{trace[:32]}-{trace[32:]}-00",
    }
    return json.dumps(document, separators=(",", ":")).encode()
