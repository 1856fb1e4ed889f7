"""A connection that is kept alive outlives the time that clients keep an idle one; whoever takes nothing of an answer goes."""

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn

from service.connections import MOST_HEADER_BYTES, protocol

PART = b"x" * 65536


@pytest.mark.slow
def test_an_idle_connection_is_not_closed_under_a_client_that_keeps_it_for_five_seconds(served: httpx.Client) -> None:
    limits = httpx.Limits(keepalive_expiry=60)
    with httpx.Client(base_url=served.base_url, limits=limits, timeout=30) as patient:
        ports = []
        for wait in (0, 6):  # by default uvicorn closes it after five
            time.sleep(wait)
            stream = patient.get("/healthz").extensions["network_stream"]
            ports.append(stream.get_extra_info("client_addr")[1])
    assert len(set(ports)) == 1


Send = Callable[[dict[str, Any]], Awaitable[None]]


def answers(parts: int) -> Any:
    """An application that reads the body, then answers with so many parts."""

    async def app(scope: Any, receive: Any, send: Send) -> None:
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        length = (b"content-length", str(parts * len(PART)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        for part in range(parts):
            await send({"type": "http.response.body", "body": PART, "more_body": part < parts - 1})

    return app


@contextmanager
def listening(app: Any, *, most: int = 100, receive: float = 1, stalled: float = 1) -> Iterator[uvicorn.Server]:
    """The application served under the protocol; `server.address` is where."""
    http = protocol(receive, most, stalled=stalled)
    config = uvicorn.Config(app, http=http, lifespan="off", log_level="critical", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server.address = listener.getsockname()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def url_of(server: Any) -> str:
    return f"http://127.0.0.1:{server.address[1]}"


@pytest.mark.parametrize("kept", ["keep-alive", "close"])
@pytest.mark.parametrize("parts", [1, 400])
def test_whoever_takes_nothing_of_an_answer_goes(kept: str, parts: int) -> None:
    with listening(answers(parts)) as server:
        with socket.socket() as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idle.connect(server.address)  # type: ignore[attr-defined]
            idle.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nConnection: {kept}\r\n\r\n".encode())
            until = time.monotonic() + 30
            while not server.server_state.connections:
                assert time.monotonic() < until
                time.sleep(0.01)
            while server.server_state.connections:
                assert time.monotonic() < until, "it stays for ever"
                time.sleep(0.05)
        with httpx.Client(base_url=url_of(server), timeout=30) as reader:
            assert len(reader.get("/").content) == parts * len(PART)


def test_who_takes_a_large_answer_slowly_gets_all_of_it() -> None:
    """It all lies ready at once: what counts is whether it grows less."""

    async def app(scope: Any, receive: Any, send: Send) -> None:
        length = (b"content-length", str(100 * len(PART)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": 100 * PART})

    with listening(app, stalled=0.5) as server, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(server.address)  # type: ignore[attr-defined]
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        begun, taken = time.monotonic(), 0
        while taken < 100 * len(PART):
            received = slow.recv(len(PART))
            assert received, f"cut off after {taken:,} bytes"
            taken += len(received)
            time.sleep(len(received) / len(PART) / 40)
        assert time.monotonic() - begun > 4 * 0.5


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1"
ENDLESS = {
    "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-More: " + 1000 * b"y" + b"\r\n"),
    "one header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-More: ", 1000 * b"y"),
    "an address": (b"GET /", 1000 * b"y"),
    "trailers": (CHUNKED + b"\r\n{\r\n0\r\n", b"X: " + 1000 * b"y" + b"\r\n"),
    "one trailer": (CHUNKED + b"\r\n{\r\n0\r\nX: ", 1000 * b"y"),
    "a chunk's words": (CHUNKED + b";", 1000 * b"y"),
    "empty lines": (b"", 500 * b"\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_is_no_body_ends_or_is_refused(kind: str) -> None:
    first, more = ENDLESS[kind]
    with listening(answers(1), receive=30) as server, socket.create_connection(server.address, timeout=30) as endless:  # type: ignore[attr-defined]
        endless.sendall(first)
        sent, received = 0, b""
        endless.setblocking(False)
        with suppress(ConnectionError):
            while sent < 50 * MOST_HEADER_BYTES and not received:
                with suppress(BlockingIOError):
                    sent += endless.send(more)
                with suppress(BlockingIOError):
                    received = endless.recv(10_000)
        assert sent < 50 * MOST_HEADER_BYTES, "it takes what comes"
        assert received[:13] in (b"HTTP/1.1 431 ", b"")
        assert httpx.get(url_of(server), timeout=30).status_code == 200


def test_a_body_in_the_smallest_chunks_is_no_such_thing() -> None:
    def body() -> Iterator[bytes]:
        for _ in range(2 * MOST_HEADER_BYTES):
            yield b"x"

    with listening(answers(1), receive=30) as server:
        assert httpx.post(url_of(server), content=body(), timeout=60).status_code == 200


BEGUN = {
    "a header": b"GET / HTTP/1.1\r\nX-",
    "a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    "an answer": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BEGUN)
def test_however_many_leave_something_unfinished_the_next_one_is_answered(kind: str) -> None:
    with listening(answers(400), most=20, receive=60, stalled=60) as server, ExitStack() as stack:
        for _ in range(30):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(server.address)  # type: ignore[attr-defined]
            with suppress(ConnectionError):
                one.sendall(BEGUN[kind])
        for _ in range(10):
            assert len(httpx.get(url_of(server), timeout=30).content) == 400 * len(PART)
        assert len(server.server_state.connections) <= 20
