"""A Prefect server of the module's own, without a worker: what another team's server looks like from here."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness

from flows.prefect_api import PrefectApi
from flows.prefect_server import POOL

EACH_MINUTE: dict[str, Any] = {"interval": 60.0, "timezone": "UTC"}


@dataclass(frozen=True)
class Server:
    """Its API, and what a test has it hold."""

    api: PrefectApi

    def post(self, path: str, body: Any) -> Any:
        """What the API gives; None if it gives nothing."""
        for _ in range(30):  # on SQLite the server may ask for a retry; its own client does so
            response = httpx.post(f"{self.api.url}/{path}", json=body, timeout=60)
            if response.status_code != 503:
                break
            time.sleep(0.5)
        response.raise_for_status()
        return response.json() if response.content else None

    def get(self, path: str) -> Any:
        """The same of a GET."""
        return httpx.get(f"{self.api.url}/{path}", timeout=60).raise_for_status().json()

    def pool(self, name: str) -> str:
        """A work pool; its name."""
        if httpx.get(f"{self.api.url}/work_pools/{name}", timeout=60).status_code == 404:
            self.post("work_pools/", {"name": name, "type": "process"})
        return name

    def deployment(
        self, name: str, pool: str = POOL, *, schedule: dict[str, Any] | None = EACH_MINUTE, **more: Any
    ) -> str:
        """A deployment that is due each minute, unless it has another schedule or none; its id."""
        flow = self.post("flows/", {"name": f"flow-{name}"})
        schedules = [{"schedule": schedule, "active": True}] if schedule else []
        body = {"name": name, "flow_id": flow["id"], "work_pool_name": self.pool(pool), "schedules": schedules}
        return str(self.post("deployments/", body | more)["id"])

    def has_late_runs(self, deployment: str, minutes: int) -> None:
        """Have the deployment's schedule plan runs that were due in the last minutes."""
        now = datetime.now(UTC)
        since = {"start_time": (now - timedelta(minutes=minutes)).isoformat(), "end_time": now.isoformat()}
        self.post(f"deployments/{deployment}/schedule", {**since, "min_runs": minutes, "max_runs": minutes})

    def runs(self, deployment: str, *states: str) -> list[dict[str, Any]]:
        """The runs of a deployment that are in such a state, by its name."""
        wanted = {"deployments": {"id": {"any_": [deployment]}}, "flow_runs": {"state": {"name": {"any_": states}}}}
        return list(self.post("flow_runs/filter", {**wanted, "limit": 200}))


@pytest.fixture(scope="module")
def server_of_others() -> Iterator[Server]:
    """The server, with this process's Prefect client speaking to it."""
    with ExitStack() as harness:
        harness.enter_context(prefect_test_harness(server_startup_timeout=120))
        yield Server(PrefectApi(str(PREFECT_API_URL.value())))
