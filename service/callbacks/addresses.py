"""Where a callback may go: no private address unless a setting allows it, whatever a name resolves to.

Every address that a name has must be allowed, and the connection goes to one of those that were checked: the name is not resolved
again.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

LONGEST_URL = 2000
WELL_KNOWN = {"http": 80, "https": 443}
FIRST_FREE_PORT, LAST_PORT = 1024, 65535
"""Ports below belong to other services of a machine, except for those of http and https"""
NOT_ALLOWED = (
    "its host must lead to public addresses alone, and does not (SERVICE_CALLBACK_NETWORKS allows private networks)"
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Not the event loop's own threads: a name server that says nothing holds one until the resolver gives up (RES_OPTIONS).
_THREADS = ThreadPoolExecutor(128, thread_name_prefix="callback-names")
"""four times what one operator can hold"""
RESOLVER_OPTIONS = "timeout:2 attempts:2"
"""of the C library, seconds for each name server: less than a callback may take, so that its thread is free when it ends"""


class Refused(Exception):
    """A callback may not go there; the message is one sentence without the URL."""


@dataclass(frozen=True)
class Target:
    """A URL of the right form."""

    url: httpx.URL
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> "Target":
        """Raises ValueError if it is no http or https URL, or holds a user, a fragment or another service's port."""
        if len(text) > LONGEST_URL or not text.isascii() or any(character <= " " for character in text):
            raise ValueError(f"must be a URL of at most {LONGEST_URL} ASCII characters without spaces")
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, ValueError):
            raise ValueError("is not a URL") from None
        if not text.startswith(("http://", "https://")) or not url.host:
            raise ValueError("must begin with http:// or https:// and a host")
        if url.userinfo or url.fragment:
            raise ValueError("must hold neither a user nor a fragment")
        port = WELL_KNOWN[url.scheme] if url.port is None else url.port
        if not FIRST_FREE_PORT <= port <= LAST_PORT and port not in WELL_KNOWN.values():
            raise ValueError(f"port {port} belongs to another service; use 80, 443 or {FIRST_FREE_PORT} to {LAST_PORT}")
        return cls(url, url.raw_host.decode("ascii"), port)

    @property
    def literal(self) -> Address | None:
        """Its host, if that is an address and no name."""
        try:
            return ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return None


def is_public(address: Address) -> bool:
    """Whether it is an address of the Internet, and none behind which a private one may hide."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        tunnelled = [one for one in (address.sixtofour, *(address.teredo or ())) if one is not None]
        if address.is_site_local or not all(is_public(one) for one in tunnelled):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether a callback may go to this address: it is public, or in a network that a setting allows."""
    inner = getattr(address, "ipv4_mapped", None) or address
    return is_public(address) or any(inner in network for network in allowed if network.version == inner.version)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name. Raises OSError."""
    found = await asyncio.get_running_loop().run_in_executor(
        _THREADS, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def checked(target: Target, allowed: Sequence[Network], resolving: Resolve = resolve) -> list[Address]:
    """The addresses to connect to. Raises Refused if there is none, or if one of them is not allowed: it does not say which."""
    found: list[Address] = []
    if target.literal is not None:
        found = [target.literal]
    else:
        with suppress(OSError, UnicodeError, ValueError):
            found = [ipaddress.ip_address(text) for text in await resolving(target.host, target.port)]
    if not found or not all(is_allowed(address, allowed) for address in found):
        raise Refused(NOT_ALLOWED)
    return found
