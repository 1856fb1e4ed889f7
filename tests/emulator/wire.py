"""What an upstream can do to its client below the level of bodies: answers that never end, and headers that nobody expects."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler

from tests.emulator.protocol import Reply

PAUSE_SECONDS = 0.1
LONG = 10_000_000
OTHER_HOST = "http://localhost:9"
FAULTS = {
    # a byte now and then, so that no read times out
    "drip_length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LONG,
    "drip_close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    "drip_chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "drip_gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % LONG,
    "drip_headers": b"HTTP/1.1 200 OK\r\nX-Slow: ",
    "endless_100": b"",
    "drip_redirect": b"HTTP/1.1 302 Found\r\nLocation: {path}?again\r\nContent-Length: %d\r\n\r\n" % LONG,
    "redirect_here": b"HTTP/1.1 302 Found\r\nLocation: {path}?moved=1\r\nContent-Length: 0\r\n\r\n",
    "redirect_loop": b"HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n",
    "redirect_elsewhere": f"HTTP/1.1 302 Found\r\nLocation: {OTHER_HOST}/\r\nContent-Length: 0\r\n\r\n".encode(),
    "redirect_no_address": b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    "redirect_no_text": b"HTTP/1.1 302 Found\r\nLocation: /\xe9\xff\r\nContent-Length: 0\r\n\r\n",
    "odd_retry_after": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n",
}
DRIPS = {
    "drip_length": b"x",
    "drip_close": b"x",
    "drip_chunked": b"1\r\nx\r\n",
    "drip_headers": b"x",
    "endless_100": b"HTTP/1.1 100 Continue\r\n\r\n",
}


def go_wrong(handler: BaseHTTPRequestHandler, kind: str, reply: Reply, stopped: threading.Event) -> None:
    """Write what this fault sends, until the client hangs up where it never ends."""
    path = handler.path.encode()
    squeezed = gzip.compress(reply.body)
    try:
        handler.wfile.write(FAULTS[kind].replace(b"{path}", path))
        handler.wfile.flush()
        place = 0
        while (kind in DRIPS or kind == "drip_gzip") and not stopped.wait(PAUSE_SECONDS):
            handler.wfile.write(DRIPS[kind] if kind in DRIPS else squeezed[place : place + 1] or b"x")
            handler.wfile.flush()
            place += 1
        while kind == "drip_redirect" and not stopped.wait(PAUSE_SECONDS):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    except OSError:
        pass
