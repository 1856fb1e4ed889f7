"""An end for a connection whose server accepts everything and says nothing: no time-out of the server's ends that wait."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg


@contextmanager
def cut_off(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Within this, whatever waits for the server after so many seconds ends with psycopg.OperationalError."""
    with socket.socket(fileno=os.dup(connection.fileno())) as twin:

        def end() -> None:
            with suppress(OSError):  # closed already
                twin.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
