"""Whichever command is a user's first, on a database with nothing in it: it makes what it needs."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.backfill import backfill
from flows.discover import discover_neso
from flows.export import export
from flows.maintenance import maintenance
from flows.refresh import refresh
from flows.transform import transform
from flows.watch import watch
from tests.emulator import Emulator
from tests.energy import FAST
from warehouse.database import Database
from warehouse.prepare import prepare

NATIONAL = "carbon_intensity__national"
FLOWS: dict[str, Callable[[], Any]] = {
    "refresh": lambda: refresh.fn([NATIONAL]),
    "backfill": lambda: backfill.fn(date(2024, 3, 4), date(2024, 3, 5), [NATIONAL]),
    "transform": lambda: transform.fn(),
    "discover-neso": lambda: discover_neso.fn(),
    "maintenance": lambda: maintenance.fn(),
    "export": lambda: export.fn(),
}


@pytest.fixture
def nothing(
    empty_database: Database, emulator: Emulator, session_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """A database that no command has seen yet."""
    settings = {"DATABASE_URL": empty_database.address(), "DATA_DIR": str(session_dir), **FAST, **emulator.settings}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return empty_database


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS)
def test_each_flow_can_be_the_first(nothing: Database, flow: str) -> None:
    assert FLOWS[flow]()["failures"] == []
    with nothing.connect() as connection:
        assert connection.execute("select flow, status from ops.runs").fetchall() == [(flow, "completed")]
        if flow in ("refresh", "backfill"):
            real = connection.execute("select count(*) > 0, bool_or(is_synthetic) from carbon_intensity_national")
            assert real.fetchone() == (True, False)


def test_the_watch_says_of_each_dataset_that_nobody_has_asked(nothing: Database) -> None:
    prepare(nothing)
    found = watch(nothing, datetime.now(UTC))
    assert {trouble.kind for trouble in found} == {"stopped"}
    assert all("last requested never" in trouble.line for trouble in found)
