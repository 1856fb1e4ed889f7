"""Ports of servers that we start: the one that was asked for, or a free one if another program has it."""

import socket


def free_port(host: str, wanted: int) -> int:
    """`wanted` if nothing listens there (0 takes any), else a free port that the system chooses."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no port is free on {host}")
