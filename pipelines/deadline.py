"""A total time for a request, whatever it is spent on: name and handshake, headers, endless interim answers, body.

`requests` limits only the time between two bytes, so an upstream that sends a byte now and then would hold a request for days.
Here every connection tells the `Deadline` of its thread which socket it uses, and when the time is up a timer shuts the socket
down, which ends any read. Connecting ends with it too, however many addresses a name has; only the look-up of the name takes as
long as the machine's resolver allows. This is the one place that uses internals of urllib3: `HTTPConnection._new_conn`, which also
sees the socket before a TLS handshake, and `_dns_host`; tests/pipelines/test_client.py notices if they go.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

_of_this_thread = threading.local()


class Deadline:
    """A context: requests of this thread within it end after `seconds`. `has_passed` tells a cut answer from a whole one."""

    def __init__(self, seconds: float):
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._ends = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.has_passed = False

    @property
    def left(self) -> float:
        """Seconds that are left; 0 or less if there are none."""
        return self._ends - time.monotonic()

    def __enter__(self) -> "Deadline":
        _of_this_thread.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _of_this_thread.deadline = None
        with self._lock:
            for twin in self._sockets:
                twin.close()
            self._sockets.clear()

    def watch(self, used: socket.socket) -> None:
        """End this socket's reads when the time is up."""
        with self._lock:
            # a descriptor of our own: wrapping a socket in TLS takes the descriptor away from the object
            self._sockets.append(socket.socket(fileno=os.dup(used.fileno())))
            if self.has_passed:
                _shut_down(self._sockets[-1])

    def _end(self) -> None:
        with self._lock:
            self.has_passed = True
            for twin in self._sockets:
                _shut_down(twin)


def _shut_down(twin: socket.socket) -> None:
    with suppress(OSError):  # the other side has closed it
        twin.shutdown(socket.SHUT_RDWR)


def _watch(used: Any) -> None:
    deadline: Deadline | None = getattr(_of_this_thread, "deadline", None)
    if deadline and isinstance(used, socket.socket) and used.fileno() >= 0:
        deadline.watch(used)


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        deadline: Deadline | None = getattr(_of_this_thread, "deadline", None)
        fresh = super()._new_conn() if deadline is None else self._connect(deadline)
        _watch(fresh)
        return fresh

    def _connect(self, deadline: Deadline) -> socket.socket:
        """The first address of the name that answers; each has its own time-out, and all of them end with the deadline."""
        name, timeout = self._dns_host, self.timeout
        failed: Exception = ConnectTimeoutError(self, f"Connection to {self.host} timed out.")
        try:
            addresses = [str(found[4][0]) for found in socket.getaddrinfo(name, self.port, type=socket.SOCK_STREAM)]
        except OSError:
            return super()._new_conn()  # which says why
        try:
            for self._dns_host in addresses:
                self.timeout = min(timeout or deadline.left, deadline.left)
                if self.timeout <= 0:
                    break
                try:
                    return super()._new_conn()
                except (ConnectTimeoutError, NewConnectionError) as error:
                    failed = error
            raise failed
        finally:
            self._dns_host, self.timeout = name, timeout

    def request(self, *args: Any, **kwargs: Any) -> None:
        _watch(self.sock)  # one that an earlier request left open
        super().request(*args, **kwargs)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pools: dict[str, type[ConnectionPool]] = {"http": _Pool, "https": _TlsPool}
        self.poolmanager.pool_classes_by_scheme = pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager


class Session(requests.Session):
    """A session whose requests keep the deadline of their thread. It follows no redirect, and reads no body of one."""

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def get_redirect_target(self, response: requests.Response) -> None:
        """None: `requests` would look at the Location, and read the body, even without following it."""
