"""The Beckn emulator, with generated and with recorded answers."""

from datetime import UTC, datetime

import pytest

from tests.conftest import RECORDED_DIR
from tests.emulator.beckn import Beckn

NOW = datetime(2026, 11, 5, 14, 7, tzinfo=UTC)


@pytest.fixture
def beckn() -> Beckn:
    made = Beckn(None, lambda: NOW)
    made.switches.timeout_seconds = 0.02
    return made


@pytest.fixture
def recorded() -> Beckn:
    return Beckn(RECORDED_DIR, lambda: NOW)
