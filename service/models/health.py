"""What machines that watch read."""

from typing import Literal

from service.models.common import Age, Answer


class Alive(Answer):
    """`GET /healthz`."""

    status: Literal["ok"]


class Ready(Answer):
    """`GET /readyz`."""

    status: Literal["ready", "not ready"]
    reason: str | None = None
    data: Age | None = None
