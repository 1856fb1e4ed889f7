"""Why a request failed is known by types: whatever language and words the errors are in."""

import errno
import http.client
import ssl

import pytest
import requests
from urllib3 import exceptions as urllib3_errors
from urllib3.connection import HTTPConnection

from pipelines.connection_faults import fault_of

HERE = HTTPConnection("upstream.example")
GERMAN = "Die Verbindung ist fehlgeschlagen"


def not_made(cause: OSError) -> Exception:
    """As requests raises it where no connection was made."""
    new = urllib3_errors.NewConnectionError(HERE, GERMAN)
    new.__cause__ = cause
    return requests.ConnectionError(urllib3_errors.MaxRetryError(None, "/", new))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "words", "is_unreachable"),
    [
        (not_made(ConnectionRefusedError(errno.ECONNREFUSED, GERMAN)), "connection refused", True),
        (not_made(OSError(errno.EHOSTUNREACH, GERMAN)), "no route to the host", True),
        (not_made(OSError(errno.ENETUNREACH, GERMAN)), "the network is unreachable", True),
        (
            requests.ConnectionError(
                urllib3_errors.MaxRetryError(
                    None, "/", urllib3_errors.NameResolutionError("x", HERE, OSError(GERMAN))  # type: ignore[arg-type]
                )
            ),
            "the name cannot be resolved",
            True,
        ),
        (requests.ConnectTimeout(GERMAN), "no connection within the time-out", True),
        (requests.ReadTimeout(GERMAN), "no answer within the time-out", False),
        (requests.ConnectionError(TimeoutError(GERMAN)), "no answer within the time-out", False),
        (
            requests.exceptions.ChunkedEncodingError(urllib3_errors.ProtocolError(GERMAN, http.client.IncompleteRead(b""))),
            "the connection was dropped in the middle of the body",
            False,
        ),
        (
            requests.ConnectionError(urllib3_errors.ProtocolError(GERMAN, http.client.RemoteDisconnected(GERMAN))),
            "the connection was dropped",
            False,
        ),
        (requests.exceptions.SSLError(ssl.SSLError(GERMAN)), "the TLS certificate was not accepted", False),
        (requests.exceptions.InvalidHeader(GERMAN), f"InvalidHeader: {GERMAN}", False),
    ],
)  # fmt: skip
def test_the_types_say_it(error: Exception, words: str, is_unreachable: bool) -> None:
    fault = fault_of(error)
    assert (fault.words, fault.is_unreachable) == (words, is_unreachable)


def test_an_error_that_wraps_itself_is_described_too() -> None:
    error = requests.ConnectionError("x")
    error.__cause__ = error
    assert fault_of(error).words.startswith("ConnectionError")
