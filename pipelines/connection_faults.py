"""Why a request had no whole answer, in few words: by the types of the errors that requests and urllib3 wrap into each other."""

import errno
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests
import urllib3


@dataclass(frozen=True)
class Fault:
    """What went wrong, for a reader, and whether there was no connection at all."""

    words: str
    is_unreachable: bool = False


def _is(*types: type[BaseException]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, types)


def _has(number: int) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, OSError) and error.errno == number


def _is_late(error: BaseException) -> bool:
    """No connection in time. urllib3 derives "no connection", whatever the cause, from that."""
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return False
    return isinstance(error, requests.ConnectTimeout | urllib3.exceptions.ConnectTimeoutError)


# the first that any error of the chain is; the time-out of a connection before that of an answer, which it contains
_NO_CONNECTION = (
    (_is(urllib3.exceptions.NameResolutionError, socket.gaierror), "the name cannot be resolved"),
    (_is(ConnectionRefusedError), "connection refused"),
    (_is_late, "no connection within the time-out"),
    (_has(errno.EHOSTUNREACH), "no route to the host"),
    (_has(errno.ENETUNREACH), "the network is unreachable"),
)
_BROKEN_CONNECTION = (
    (_is(requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError), "no answer within the time-out"),
    (_is(http.client.IncompleteRead), "the connection was dropped in the middle of the body"),
    (_is(requests.exceptions.SSLError, ssl.SSLError), "the TLS certificate was not accepted"),
    (_is(ConnectionError, http.client.RemoteDisconnected), "the connection was dropped"),
)


def fault_of(error: BaseException) -> Fault:
    """What is behind an error of a request."""
    chain = list(_chain(error))
    for causes, is_unreachable in ((_NO_CONNECTION, True), (_BROKEN_CONNECTION, False)):
        for is_this, words in causes:
            if any(map(is_this, chain)):
                return Fault(words, is_unreachable)
    return Fault(f"{type(error).__name__}: {str(error)[:200]}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps: as its cause, its reason or an argument."""
    left, seen = [error], set[int]()
    while left:
        one = left.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        left += [inner for inner in wrapped if isinstance(inner, BaseException)]
