"""The service over `grid`: a database in which one refresh has run against the emulator."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.settings import ServiceSettings
from warehouse.database import Database, Role, existing_roles
from warehouse.settings import PROJECT_ROOT

TOKEN = "platform-token-of-the-tests"
CONTEXTS = ("energy", "compute", "head")
CAPTURES = "update intermediate.int_carbon_intensity__captures set "


@dataclass
class Api:
    """The service, its database, and requests with the platform's token."""

    client: TestClient
    database: Database

    def submit(self, request: str = "Train ResNet-50 on ImageNet", status: int = 201, **more: Any) -> dict[str, Any]:
        """Submit a task and expect this status."""
        headers = more.pop("headers", {})
        answer = self.client.post("/submit_task", json={"request": request, **more}, headers=headers)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        """Get a path and expect this status."""
        answer = self.client.get(path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def query(self, statement: str, *values: Any, role: Role | None = None) -> list[tuple[Any, ...]]:
        """Rows, as the owner of the database sees them, or under a role."""
        with self.database.connect(role=role) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def under(self, role: Role, statement: str, *values: Any, speaking_for: str | None = None) -> list[tuple[Any, ...]]:
        """Rows as a role sees them that speaks for an operator; skips the test where the role does not exist."""
        if role not in existing_roles(self.database):
            pytest.skip(f"the user of this server may not take on {role}: its rights cannot be tried")
        with self.database.connect(role=role) as connection:
            if speaking_for is not None:
                connection.execute("select set_config('energy.operator_id', %s, false)", [speaking_for])
            return connection.execute(statement, values or None).fetchall()  # type: ignore[arg-type]

    def operator(self, name: str, *, domains: tuple[str, ...] = (), is_default: bool = False) -> str:
        """Make an operator; its id."""
        return str(
            self.query(
                "insert into app.operators (name, email_domains, is_default) values (%s, %s, %s) returning operator_id",
                name, list(domains), is_default,
            )[0][0]
        )  # fmt: skip

    def asset(self, operator_id: str, name: str = "rack", *, region_id: int = 13, kw: float = 100, **more: Any) -> str:
        """Make an asset; its id."""
        columns = {"operator_id": operator_id, "name": name, "region_id": region_id, "rated_power_kw": kw, **more}
        places = ", ".join(["%s"] * len(columns))
        return str(
            self.query(
                f"insert into app.compute_assets ({', '.join(columns)}) values ({places}) returning asset_id",
                *columns.values(),
            )[0][0]
        )

    def price(self, least: float = 60) -> None:
        """Publish prices of the half-hours from a day ago to two days ahead that have none yet."""
        self.query(
            "insert into wholesale_prices select (jsonb_populate_record(null::wholesale_prices, known || jsonb_build_object("
            "'period_start', start, 'period_end', start + interval '30 minutes', "
            "'price_gbp_mwh', %s + 7 * extract(hour from start)::int %% 50, "
            "'fetched_at', clock_timestamp(), 'updated_at', clock_timestamp()))).* "
            "from (select to_jsonb(p) from wholesale_prices as p where market = 'n2ex_day_ahead' limit 1) as one (known), "
            "generate_series(date_bin('30 minutes', now() - interval '1 day', '2000-01-01 00:00Z'), "
            "now() + interval '2 days', interval '30 minutes') as start on conflict (market, period_start) do nothing",
            least,
        )

    def token(self, operator: str) -> dict[str, str]:
        """Headers with a token of that operator."""
        return {"Authorization": f"Bearer {tokens.make(self.database, operator=operator, label=operator)}"}


@pytest.fixture
def api(grid: Database) -> Iterator[Api]:
    """The service in this process."""
    with in_process(grid, ServiceSettings()) as api:
        yield api


@pytest.fixture
def worked(api: Api) -> Api:
    """The service after some work: one task runs on an asset, one waits, one is done."""
    api.asset(api.operator("House", is_default=True), kw=10)
    asked = {"user_email": "researcher@example.com", "power_kw": 2}
    running, done = api.submit(is_deferrable=False, **asked), api.submit("Render a film", **asked)
    api.submit(carbon_cap_gco2_kwh=0, **asked)
    for task, status in ((running, "running"), (done, "running"), (done, "completed")):
        assert api.client.patch(f"/workloads/{task['workload_id']}", json={"status": status}).status_code == 200
    return api


@contextmanager
def in_process(grid: Database, settings: ServiceSettings) -> Iterator[Api]:
    """The service in this process, with such settings, while the block lasts."""
    tokens.register(grid, TOKEN, label="tests")
    with TestClient(create(grid, settings), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield Api(client, grid)


@pytest.fixture
def log_of_served(tmp_path: Path) -> Path:
    """What the process of `served` says of itself."""
    return tmp_path / "service.log"


@pytest.fixture
def served(grid: Database, session_dir: Path, log_of_served: Path) -> Iterator[httpx.Client]:
    """The service as `python -m service` serves it, in a process of its own."""
    with client_of(grid, session_dir, log_of_served) as client:
        yield client


@contextmanager
def client_of(grid: Database, session_dir: Path, log_file: Path) -> Iterator[httpx.Client]:
    """A process of the service, which ends with the block, and a client of it."""
    with log_file.open("w") as log:
        process = serve(grid, session_dir, log)
    try:
        assert process.stdout
        line = process.stdout.readline()
        address = re.search(r"http://\S+", line)
        assert address, line + log_file.read_text()
        with httpx.Client(base_url=address[0], headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)


def serve(grid: Database, session_dir: Path, log: IO[str], **settings: str) -> "subprocess.Popen[str]":
    """`python -m service` over a database, with such settings; its first line says where."""
    return subprocess.Popen(
        [sys.executable, "-m", "service"],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "DATABASE_URL": grid.address(),
            "DATA_DIR": str(session_dir),
            "SERVICE_PORT": "0",
            "SERVICE_TOKEN": TOKEN,
            "SERVICE_REQUESTS_PER_MINUTE": "100000",
            "SERVICE_WAIT_SECONDS": "60",  # machines are noisy
            **settings,
        },
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )


def instant(text: str) -> datetime:
    """An instant of an answer."""
    return datetime.fromisoformat(text).astimezone(UTC)
