"""dbt in this process: parsed once, then each command takes a third of a second."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from flows.settings import DBT_PROJECT
from warehouse.database import Database, Role, existing_roles

BATCHES = "+config.materialized:table"
"""The tables of rows that wait to be published, with the views and seeds that they read."""
TYPES = ("--resource-type", "seed", "--resource-type", "model", "--resource-type", "function")


@dataclass(frozen=True)
class Built:
    """What a dbt command built, and which nodes it could not build with the reason."""

    succeeded: tuple[str, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)


class Dbt:
    """Runs dbt commands on one database. One command at a time."""

    def __init__(self, database: Database, data_dir: Path):
        self._database = database
        self._folder = data_dir / "dbt"
        self._manifest: Any = None
        self._lock = Lock()

    def parse(self) -> None:
        """Read the project; done by itself before the first command, sooner if there is time to spare."""
        with self._lock:
            if self._manifest is None:
                outcome = self._invoke(["parse"])
                if not outcome.success:
                    raise RuntimeError(f"the dbt project cannot be read: {outcome.exception}")
                self._manifest = outcome.result

    def build_batches(self) -> Built:
        """Unpack the payloads that are still to be published."""
        return self._build("--select", BATCHES)

    def publish(self) -> Built:
        """Write what passed its checkpoint to the clean tables, and bring views and functions up to date."""
        return self._build("--exclude", BATCHES)

    def _build(self, *selection: str) -> Built:
        self.parse()
        with self._lock:
            outcome = self._invoke(["build", *TYPES, *selection])
        results: Sequence[Any] = getattr(outcome.result, "results", None) or []
        failures = {r.node.name: str(r.message) for r in results if str(r.status) in ("error", "fail", "skipped")}
        if not outcome.success and not failures:
            failures = {"dbt": str(outcome.exception)}
        return Built(succeeded=tuple(r.node.name for r in results if str(r.status) == "success"), failures=failures)

    def _invoke(self, command: list[str]) -> Any:
        os.environ.update(self._database.libpq_environment())
        if Role.TRANSFORMER in existing_roles(self._database):
            # as the connection starts, not by dbt's `role`: that one is lost when a model fails and rolls back
            os.environ["PGOPTIONS"] = f"-c role={Role.TRANSFORMER}"
        from dbt.cli.main import dbtRunner

        logging.getLogger("dbt").setLevel(logging.ERROR)
        places = {"project-dir": DBT_PROJECT, "profiles-dir": DBT_PROJECT, "target-path": self._folder, "log-path": self._folder}
        options = [part for name, value in places.items() for part in (f"--{name}", str(value))]
        return dbtRunner(manifest=self._manifest).invoke(
            ["--quiet", "--no-use-colors", "--log-level", "none", command[0], *options, *command[1:]]
        )
