"""The types of problems, one for each status: what each means and what to do. `type` in a problem document is its address."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class Kind:
    """A type of problem."""

    name: str
    status: int
    what_to_do: str

    @property
    def type(self) -> str:
        """Its address, relative to the service."""
        return f"/problems/{self.name}"

    @property
    def title(self) -> str:
        """The words of its status."""
        return HTTPStatus(self.status).phrase


_ALL = (
    Kind("bad-request", 400, "Correct the request."),
    Kind("token-missing", 401, "Send a token: Authorization: Bearer ...; `python -m service token` makes one."),
    Kind("forbidden", 403, "Open the page itself, and send its own form."),
    Kind("not-found", 404, "Look at the detail: a place outside Great Britain, or something that does not exist or is not yours."),
    Kind("method-not-allowed", 405, "Look at /docs for the methods of this address."),
    Kind("not-acceptable", 406, "Ask for a form that the route gives, by `format` or Accept."),
    Kind("too-slow", 408, "Send the whole body at once."),
    Kind("conflict", 409, "The state of the workload, or an Idempotency-Key that was used for another request, forbids it."),
    Kind("too-large", 413, "Send less."),
    Kind("invalid-request", 422, "Correct the fields that `faults` or the detail name."),
    Kind("too-many-requests", 429, "Wait as long as Retry-After says."),
    Kind("server-error", 500, "It is not your fault. Nothing of the request was kept; tell the operator of the service."),
    Kind("unavailable", 503, "Wait as long as Retry-After says, and send the same again."),
)  # fmt: skip
KINDS = {kind.name: kind for kind in _ALL}
_BY_STATUS = {kind.status: kind for kind in _ALL}


def of_status(status: int) -> Kind | None:
    """The type of a status; None for one that has none of its own (`about:blank`)."""
    return _BY_STATUS.get(status)
