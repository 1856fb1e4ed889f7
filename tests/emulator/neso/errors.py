"""What goes wrong in an action, and how CKAN says so."""

from typing import Any


class ActionError(Exception):
    """A reply with `"success": false`, this status and this `error`."""

    def __init__(self, status: int, kind: str, **error: Any):
        super().__init__(kind)
        self.status = status
        self.error: dict[str, Any] = {"__type": kind, **error}


class InternalError(Exception):
    """An error that CKAN does not catch: status 500, an HTML page."""


class Unavailable(Exception):
    """There is no database: status 503."""


def invalid(**error: Any) -> ActionError:
    """409, with what is wrong by parameter."""
    return ActionError(409, "Validation Error", **error)


def missing(name: str) -> ActionError:
    """409: a parameter that is required is not there."""
    return invalid(**{name: ["Missing value"]})


def not_found(message: str = "Not found") -> ActionError:
    """404."""
    return ActionError(404, "Not Found Error", message=message)


def denied(permission: str) -> ActionError:
    """403."""
    return ActionError(403, "Authorization Error", message=f"Access denied: {{'permissions': ['{permission}']}}")
