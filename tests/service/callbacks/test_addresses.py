"""Which URLs and addresses a callback may go to; the connection goes to an address that was checked."""

import asyncio
import ipaddress
from collections.abc import Sequence

import pytest

from service.callbacks.addresses import Refused, Target, checked, is_allowed, is_public
from service.callbacks.sending import Sender, client
from service.callbacks.signing import make_secret
from service.settings import ServiceSettings
from tests.service.callbacks.receiver import receiving, verify

LOOPBACK = ServiceSettings(service_callback_networks="127.0.0.0/8, ::1/128").callback_networks


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
        "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1",
    ],
)  # fmt: skip
def test_no_callback_goes_to_an_address_that_is_not_public(address: str) -> None:
    found = ipaddress.ip_address(address)
    assert not is_public(found) and not is_allowed(found, ())


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_it_may_go_to_a_public_one(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_setting_allows_networks_and_no_others() -> None:
    allowed = {
        text: is_allowed(ipaddress.ip_address(text), LOOPBACK) for text in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    }
    assert all(allowed.values()), allowed
    assert not is_allowed(ipaddress.ip_address("10.0.0.1"), LOOPBACK)
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        ServiceSettings(service_callback_networks="10.0.0.1/8")


@pytest.mark.parametrize(
    "text",
    [
        "", "hooks.example.com", "ftp://example.com/", "file:///etc/passwd", "HTTPS://example.com/", "http://", "http:///x",
        "https://user:secret@example.com/", "https://example.com/#x", "http://example.com:22/", "http://example.com:25/",
        "http://example.com:0/", "http://example.com:70000/", "http://exa mple.com/", "http://example.com/\r\nHost: x",
        "http://[::1/", "http://é.example/", "https://example.com/" + "x" * 2000,
    ],
)  # fmt: skip
def test_other_urls_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|is not|belongs"):
        Target.of(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://localhost/",
        "http://[::]/",
    ],
)
def test_loopback_is_refused_however_it_is_written(text: str) -> None:
    with pytest.raises((Refused, ValueError)):
        asyncio.run(checked(Target.of(text), ()))


def answering(*answers: Sequence[str]) -> tuple[list[str], object]:
    """A name server that gives one answer after the other, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return asked, resolve


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    for answers in (["1.1.1.1", "10.0.0.1"], ["::1", "2606:4700::1111"], []):
        _, resolve = answering(answers)
        with pytest.raises(Refused):
            asyncio.run(checked(Target.of("https://hooks.example.com/"), (), resolve))  # type: ignore[arg-type]


def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_checked() -> None:
    asked, resolve = answering(["127.0.0.1"], ["10.0.0.1"])  # another answer a moment later, as by rebinding

    async def send(url: str) -> str | None:
        async with client() as http:
            return await Sender(http, 5, LOOPBACK, resolve).send(url, secret, "one", b"{}")  # type: ignore[arg-type]

    secret = make_secret()
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        assert asyncio.run(send(f"http://hooks.example.com:{port}/a?b=c")) is None
        assert asked == ["hooks.example.com"]
        ((headers, body),) = receiver.requests
        assert headers["host"] == f"hooks.example.com:{port}" and verify(secret, headers, body)
        assert not verify(secret, headers, body + b" ")
        assert "refused" in str(asyncio.run(send(f"http://hooks.example.com:{port}/a"))), (
            "what it leads to now is checked again"
        )
        assert len(receiver.requests) == 1


def test_what_a_receiver_answers_is_bounded_in_time_and_size() -> None:
    async def send(url: str, seconds: float) -> str | None:
        async with client() as http:
            return await Sender(http, seconds, LOOPBACK).send(url, make_secret(), "one", b"{}")

    with receiving() as receiver:
        receiver.body_bytes = 50_000_000
        assert asyncio.run(send(receiver.url, 5)) is None
        receiver.body_bytes, receiver.status, receiver.location = 0, 302, receiver.url
        assert "redirects are not followed" in str(asyncio.run(send(receiver.url, 5)))
        receiver.status = 500
        assert asyncio.run(send(receiver.url, 5)) == "the receiver answers 500"
        receiver.seconds = 1
        assert asyncio.run(send(receiver.url, 0.3)) == "no response within 0.3 s"
    assert "cannot be reached" in str(asyncio.run(send(receiver.url, 5)))
