"""A webhook that alerts go to."""

import threading
from collections.abc import Iterator

import pytest

from tests.energy import Energy
from tests.flows.watching import Webhook


@pytest.fixture
def webhook(energy: Energy) -> Iterator[Webhook]:
    """It listens, and `watch` knows its address."""
    this = Webhook()
    threading.Thread(target=this.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    energy.set(ALERT_WEBHOOK_URL=this.url)
    yield this
    this.server.shutdown()
    this.server.server_close()
