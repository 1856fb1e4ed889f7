"""`python -m service [token --operator NAME [--label WORD]]`: serve, or make a bearer token for an operator."""

import argparse
import logging
import socket
import sys

import uvicorn
from pydantic import ValidationError

from service import tokens
from service.app import create
from service.connections import most_connections, protocol
from service.settings import ServiceSettings
from service.words import moments
from warehouse import ports
from warehouse.database import resolve
from warehouse.errors import UsageError, in_words
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.settings import WarehouseSettings


def serve() -> None:
    """Serve until stopped."""
    settings, warehouse = ServiceSettings(), WarehouseSettings()
    database = resolve(warehouse)
    prepare(database)
    where = "SERVICE_TOKEN"
    if settings.service_token:
        tokens.register(database, settings.service_token.get_secret_value(), label="SERVICE_TOKEN")
    elif database.is_embedded:
        tokens.register(database, tokens.development_token(warehouse.data_dir), label=tokens.DEVELOPMENT)
        where = f"SERVICE_TOKEN in {warehouse.data_dir / 'service.env'}"
    else:
        where = 'a token of: python -m service token --operator "..."'
    moments.warm_up()
    listener = _listen(settings)
    host, port = listener.getsockname()[:2]
    out(f"The service answers at http://{host}:{port} (bearer token: {where}).", flush=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    config = uvicorn.Config(
        create(database, settings),
        http=protocol(settings.service_receive_seconds, most_connections()),
        backlog=100,  # so many are accepted at once at most: the descriptors last
        proxy_headers=bool(settings.service_proxy_addresses),
        forwarded_allow_ips=settings.service_proxy_addresses,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(settings: ServiceSettings) -> socket.socket:
    try:
        listener, is_wanted = ports.listen(settings.service_host, settings.service_port)
    except OSError as error:
        raise UsageError(
            f"The service cannot listen at {settings.service_host}:{settings.service_port} ({error.strerror}). "
            "Set SERVICE_HOST to an address of this machine, or SERVICE_PORT to another port (0 takes any free one)."
        ) from None
    if not is_wanted:
        out(
            f"Port {settings.service_port} (SERVICE_PORT) cannot be used, another program may have it: the service takes "
            f"{listener.getsockname()[1]}.",
            file=sys.stderr,
            flush=True,
        )
    return listener


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m service", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    token = commands.add_parser("token", help="make a bearer token; it is shown this once")
    token.add_argument(
        "--operator", help="name of an operator; the platform's own token, which sees every operator, without"
    )
    token.add_argument("--label", help="what the token is for; a new token of the same label revokes the one before")
    arguments = parser.parse_args()
    try:
        if arguments.command == "token":
            database = resolve()
            prepare(database)
            out(
                tokens.make(
                    database, operator=arguments.operator, label=arguments.label or arguments.operator or "platform"
                )
            )
        else:
            serve()
    except (UsageError, ValidationError) as error:
        out(f"error: {in_words(error) if isinstance(error, ValidationError) else error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
