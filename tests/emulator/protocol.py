"""What the server and the upstreams that it speaks for say to each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request. `target` is its path and query below the upstream's own address."""

    method: str
    target: str
    body: bytes = b""
    content_type: str = ""

    @property
    def path(self) -> str:
        """Without the query, percent-encoding undone nowhere."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters in their order, decoded, blank ones included."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Upstream(Protocol):
    """An API that the emulator speaks for."""

    def answer(self, asked: Asked) -> Reply:
        """What the upstream says."""
        ...

    def spoil(self, kind: str, body: bytes) -> bytes:
        """A body of its own as a fault of this kind (`faults.Kind`) leaves it."""
        ...
