"""`python -m service [token --operator NAME | callback --operator NAME --url URL]`: serve, or set an operator up."""

import argparse
import logging
import os
import socket
import sys
from pathlib import Path

import uvicorn

from service import tokens
from service.app import create
from service.callbacks import addresses, subscriptions
from service.connections import KEEP_ALIVE_SECONDS, most_connections, most_queued, protocol, raise_limit
from service.observed import CutOff
from service.settings import ServiceSettings
from service.words import reading
from warehouse import command, ports
from warehouse.errors import UsageError
from warehouse.prepare import prepare
from warehouse.printed import out
from warehouse.server import resolve
from warehouse.settings import WarehouseSettings


def serve() -> None:
    """Serve until stopped."""
    os.environ.setdefault("RES_OPTIONS", addresses.RESOLVER_OPTIONS)
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
    reading.warm_up()
    raise_limit()
    most = most_connections()
    listener = _listen(settings, backlog=most_queued(most))
    host, port = listener.getsockname()[:2]
    out(f"The service answers at http://{host}:{port} (bearer token: {where}).", flush=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)s | %(name)s | %(message)s")
    app = create(database, settings)
    config = uvicorn.Config(
        app,
        http=protocol(settings.service_receive_seconds, most, cut_off=CutOff(app.state.service.metrics).happened),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        backlog=most_queued(most),
        ws="none",  # there are none: what asks for one is answered as HTTP, and counted
        proxy_headers=bool(settings.service_proxy_addresses),
        forwarded_allow_ips=settings.service_proxy_addresses,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(settings: ServiceSettings, *, backlog: int) -> socket.socket:
    try:
        listener, is_wanted = ports.listen(settings.service_host, settings.service_port, backlog=backlog)
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
    callback = commands.add_parser("callback", help="send an operator what happens to its workloads")
    callback.add_argument("--operator", required=True, help="name of an operator")
    callback.add_argument("--url", help="where to; only tasks that name a callback_url are sent, without")
    callback.add_argument(
        "--secret-file", type=Path, help="holds the secret to sign with; one is made and shown, without"
    )
    callback.add_argument("--remove", action="store_true", help="send it nothing more")
    arguments = parser.parse_args()
    if arguments.command == "callback":
        command.run(lambda: _set_callback(arguments))
    if arguments.command == "token":
        command.run(lambda: _make_token(arguments.operator, arguments.label or arguments.operator or "platform"))
    command.run(serve)


def _make_token(operator: str | None, label: str) -> None:
    database = resolve()
    prepare(database)
    out(tokens.make(database, operator=operator, label=label))


def _set_callback(arguments: argparse.Namespace) -> None:
    database = resolve()
    prepare(database)
    if arguments.remove:
        is_gone = subscriptions.take_down(database, operator=arguments.operator)
        out("It is called back no more." if is_gone else "It was not called back.")
        return
    secret = None
    if arguments.secret_file:
        try:
            secret = arguments.secret_file.read_text().strip()
        except OSError as error:
            raise UsageError(f"{arguments.secret_file} cannot be read: {error.strerror}.") from None
    made = subscriptions.set_up(database, operator=arguments.operator, url=arguments.url, secret=secret)
    out(made or "It is called back, and signed with the secret that was set.")


if __name__ == "__main__":
    main()
