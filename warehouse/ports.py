"""The port that was requested, or a free one where another program has it."""

import socket


def listen(host: str, port: int, *, backlog: int = 100) -> tuple[socket.socket, bool]:
    """A socket that listens at `port` of `host` (0: any free one), and whether it is the port that was requested.

    Raises OSError where `host` is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port, 0):
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
            listener.listen(backlog)
        except OSError as error:
            listener.close()
            if wanted == 0 or isinstance(error, socket.gaierror):
                raise
        else:
            return listener, wanted == port
    raise AssertionError("unreachable")


def free(host: str, port: int) -> int:
    """A port of `host` that is free now: `port`, or another where that is taken. Raises OSError as `listen` does."""
    listener, _ = listen(host, port)
    with listener:
        return int(listener.getsockname()[1])
