"""The emulated portal, with generated files and with recorded ones."""

from collections.abc import Iterator

import pytest

from tests.conftest import RECORDED_DIR
from tests.emulator.neso import Neso
from tests.emulator_tests.neso.asking import NOW, Clock
from warehouse.database import Database


@pytest.fixture(scope="module")
def portal(server: Database) -> Iterator[Neso]:
    portal = Neso(None, lambda: Clock.now, server)
    yield portal
    portal.close()


@pytest.fixture
def neso(portal: Neso) -> Neso:
    portal.reset()
    Clock.now = NOW
    return portal


@pytest.fixture(scope="module")
def recorded(server: Database) -> Iterator[Neso]:
    portal = Neso(RECORDED_DIR, lambda: Clock.now, server)
    yield portal
    portal.close()
