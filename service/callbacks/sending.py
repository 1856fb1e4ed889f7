"""One callback as a request: to an address that was checked, within its time, with no redirect followed."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from service.callbacks import signing
from service.callbacks.addresses import Address, Network, Refused, Resolve, Target, checked, resolve

MOST_BYTES = 64 * 1024
"""of a response; what it says is not read for anything"""


def client() -> httpx.AsyncClient:
    """For all callbacks. No proxy, which would resolve names by itself; no connection serves two hosts on one address."""
    for name in ("httpx", "httpcore"):  # they would log URLs, which may hold a secret
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        headers={"User-Agent": "energy-data-pipeline", "Accept": "*/*"},
    )


@dataclass(frozen=True)
class Sender:
    """Sends callbacks."""

    client: httpx.AsyncClient
    seconds: float
    """for all of a callback: name, connection, request and response"""
    allowed: Sequence[Network] = ()
    resolving: Resolve = resolve

    async def send(self, url: str, secret: str, event_id: str, body: bytes) -> str | None:
        """Why it was not delivered, in a few words that hold neither URL nor secret; None if it was."""
        try:
            async with asyncio.timeout(self.seconds):
                target = Target.of(url)
                addresses = await checked(target, self.allowed, self.resolving)
                headers = {
                    **signing.headers(secret, event_id, int(time.time()), body),
                    "Content-Type": "application/json",
                    "Host": target.url.netloc.decode("ascii"),
                }
                return await self._post(target, addresses, headers, body)
        except TimeoutError:
            return f"no response within {self.seconds:g} s"
        except (Refused, ValueError) as refused:
            return f"refused: {refused}"
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: the receiver cannot be reached"

    async def _post(
        self, target: Target, addresses: Sequence[Address], headers: Mapping[str, str], body: bytes
    ) -> str | None:
        for address in addresses[:-1]:
            try:
                return await self._post_to(target, address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):  # such as IPv6 that leads nowhere
                continue
        return await self._post_to(target, addresses[-1], headers, body)

    async def _post_to(self, target: Target, address: Address, headers: Mapping[str, str], body: bytes) -> str | None:
        async with self.client.stream(
            "POST",
            target.url.copy_with(host=str(address)),
            content=body,
            headers=dict(headers),
            timeout=httpx.Timeout(self.seconds, connect=max(1.0, self.seconds / 3)),
            extensions={"sni_hostname": target.host},
        ) as response:
            read = 0
            async for part in response.aiter_raw():
                read += len(part)
                if read > MOST_BYTES:
                    break
        if response.is_success:
            return None
        if response.is_redirect or 300 <= response.status_code < 400:
            return f"the receiver answers {response.status_code}, and redirects are not followed"
        return f"the receiver answers {response.status_code}"
