"""What the validation of every source shares. A body is read into its typed shape, or refused with the reason in words."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec

from pipelines.dataset import BodyRejected

P = ParamSpec("P")
R = TypeVar("R")
SIGNS_OF_AN_ERROR = (b'"error"', b'"errors"', b'"title"', b'"success": false', b'"success":false')


def refuses_the_unreadable(validate: Callable[P, R]) -> Callable[P, R]:
    """A validation that also refuses what no calendar and no stack can hold."""

    @wraps(validate)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return validate(*args, **kwargs)
        except BodyRejected:
            raise
        except (ValueError, OverflowError, RecursionError) as error:
            raise BodyRejected(f"holds what cannot be read: {error}") from None

    return call


def read(shape: Any, body: bytes) -> Any:
    """The body as its documented shape: a msgspec type, or a decoder of one. Raises BodyRejected."""
    try:
        return shape.decode(body) if isinstance(shape, msgspec.json.Decoder) else msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BodyRejected(_in_words(error, body)) from None


def _in_words(error: Exception, body: bytes) -> str:
    begin = body.strip()[:300]
    if begin == b"{}":
        return "is the empty object {}: the upstream has no data for this window"
    if begin.startswith(b"<"):
        return "is HTML, not JSON"
    if begin.startswith(b"{") and any(sign in begin for sign in SIGNS_OF_AN_ERROR):
        return f"is an error object: {begin.decode(errors='replace')}"
    if isinstance(error, msgspec.ValidationError):
        return f"is not of the documented shape: {error}"
    return f"is not JSON, or cut short: {error}"
