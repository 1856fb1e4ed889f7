"""The Prefect server as `make up` runs it: `prefect server start` in the foreground, which answers to this machine's names alone.

A page of another origin whose name leads to this machine (DNS rebinding) is of the same origin for a browser; the name in its
Host header is another one. Prefect itself does not look at it.
"""

import argparse
import socket

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def names(host: str) -> list[str]:
    """The names that a server at this address answers to: any, where other machines reach it by names that are not known here."""
    if host not in LOOPBACK:
        return ["*"]
    return [*LOOPBACK, "[", socket.gethostname()]  # Starlette takes what stands before the first colon of [::1]:4200


def main() -> None:
    """Serve until it is ended; settings are those of the environment, as for `prefect server start`."""
    parser = argparse.ArgumentParser(prog="python -m flows.prefect_app", description=main.__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    given = parser.parse_args()
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    server = get_current_settings().server
    uvicorn.run(
        TrustedHostMiddleware(create_app(final=True), allowed_hosts=names(given.host), www_redirect=False),
        host=given.host,
        port=given.port,
        timeout_keep_alive=server.api.keepalive_timeout,
        ws_ping_interval=server.api.websocket_ping_interval,
        ws_ping_timeout=server.api.websocket_ping_timeout,
        log_level=server.logging_level.lower(),
    )


if __name__ == "__main__":
    main()
