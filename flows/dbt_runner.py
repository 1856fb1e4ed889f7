"""dbt in this process: the project read once, then each command takes a third of a second.

Views, functions and seeds change only with the project. Once a state of the project has been built in full, later runs
build its tables alone, as long as everything that was built is still there.
"""

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.pending import full_batches, pending
from flows.settings import DBT_PROJECT
from warehouse.database import Database, Role

BATCHES = "config.materialized:table"
"""The tables of rows that wait to be published."""
TYPES = ("--resource-type", "seed", "--resource-type", "model", "--resource-type", "function")


@dataclass(frozen=True)
class Node:
    """A model, seed, function or hook that dbt ran, and how it went."""

    name: str
    kind: str
    schema: str
    status: str
    message: str
    seconds: float
    rows: int
    """rows that were inserted or changed; 0 for a view"""
    description: str
    publishes: tuple[str, ...]
    reads: tuple[str, ...]
    """`<schema>/<name>` of each relation or function that it is made from"""


@dataclass(frozen=True)
class Built:
    """What a dbt command built, and which nodes it could not build with the reason."""

    nodes: tuple[Node, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)


class Dbt:
    """Runs dbt commands on one database. One command at a time."""

    def __init__(self, database: Database, data_dir: Path):
        self._database = database
        self._folder = data_dir / "dbt"
        # One command at a time, and each on a thread of its own: for every one of its behaviour flags dbt walks the
        # whole stack of its caller, which under a flow, or a test, takes longer than the command.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="dbt")
        self._manifest: Future[Any] | None = None

    def parse(self) -> "Future[Any]":
        """Begin to read the project, or what was kept of reading it; commands wait for it."""
        if self._manifest is None:
            self._manifest = self._worker.submit(self._read_project)
        return self._manifest

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown()

    def _read_project(self) -> Any:
        from dbt.contracts.graph.manifest import Manifest

        kept = self._folder / f"manifest-{self._database.name}-{self._fingerprint}.msgpack"
        if kept.exists():
            manifest = Manifest.from_msgpack(kept.read_bytes())
            manifest.build_flat_graph()
            return manifest
        outcome = self._invoke(["parse"], manifest=None)
        if not outcome.success:
            raise RuntimeError(f"the dbt project cannot be read: {outcome.exception}")
        for stale in self._folder.glob(f"manifest-{self._database.name}-*.msgpack"):
            stale.unlink(missing_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(outcome.result.to_msgpack())
        fresh.rename(kept)
        return outcome.result

    def pending(self) -> tuple[str, ...]:
        """The datasets with payloads that some clean table has not published and that are not held back."""
        return tuple(pending(self._database, self.consumers()))

    def consumers(self) -> dict[str, list[str]]:
        """The models that publish each dataset."""
        consumers: dict[str, list[str]] = {}
        for node in self.parse().result().nodes.values():
            for dataset in node.config.get("publishes") or [] if node.resource_type == "model" else []:
                consumers.setdefault(dataset, []).append(node.name)
        return consumers

    def build_batches(self, datasets: Sequence[str]) -> Built:
        """Unpack the payloads of these datasets that are still to be published, and empty the other batches."""
        if not self.is_built():
            return self._build("--select", f"+{BATCHES}")
        full = {*datasets, *full_batches(self._database, self.consumers())}
        return self._build("--select", *(f"int_{dataset}_batch" for dataset in sorted(full))) if full else Built()

    def publish(self, datasets: Sequence[str]) -> Built:
        """Write what passed its checkpoint to the clean tables, and bring views and functions up to date."""
        is_built = self.is_built()
        if not is_built:
            built = self._build("--exclude", f"+{BATCHES}")
        else:
            tables = {table for dataset, tables in self.consumers().items() if dataset in datasets for table in tables}
            built = self._build("--select", *sorted(tables)) if tables else Built()
        # dbt writes the names that foreign keys refer to into its project as it compiles them, and cannot compile them twice
        self._manifest = None
        if not is_built and not built.failures:
            self._note_built()
        return built

    def publish_only(self, table: str, payload_ids: Sequence[uuid.UUID]) -> Built:
        """Write these payloads to one table, and no others."""
        only = json.dumps({"only_payloads": [str(payload_id) for payload_id in payload_ids]})
        built = self._build("--select", table, "--vars", only)
        self._manifest = None
        return built

    @cached_property
    def _fingerprint(self) -> str:
        """A hash of the project's files and of the database that their names are made for."""
        digest = hashlib.sha256(repr((self._database.name, self._database.host)).encode())
        for path in sorted(DBT_PROJECT.rglob("*")):
            if path.suffix in (".sql", ".yml", ".csv") and "target" not in path.parts:
                digest.update(f"{path.relative_to(DBT_PROJECT)}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def is_built(self) -> bool:
        """Whether every view, function and table of the project is there as its files now say."""
        with self._database.connect(role=Role.LOADER) as connection:
            row = connection.execute(
                "select relations from ops.built_projects where fingerprint = %s", [self._fingerprint]
            ).fetchone()
        return row is not None and row[0] == self._relations_there()

    def _note_built(self) -> None:
        there = self._relations_there()
        with self._database.connect(role=Role.LOADER) as connection, connection.transaction():
            connection.execute("delete from ops.built_projects")
            connection.execute(
                "insert into ops.built_projects (fingerprint, relations) values (%s, %s)", [self._fingerprint, there]
            )

    def _relations_there(self) -> int:
        """How many of the project's tables, views and functions are in the database."""
        manifest = self.parse().result()
        everything = (*manifest.nodes.values(), *manifest.functions.values())
        nodes = [node for node in everything if node.resource_type in ("model", "seed", "function")]
        names = [f"{node.schema}.{node.alias or node.name}" for node in nodes]
        with self._database.connect(role=Role.TRANSFORMER) as connection:
            row = connection.execute(
                "select (select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace "
                "where nspname || '.' || relname = any(%(names)s)) + (select count(*) from pg_proc p "
                "join pg_namespace n on n.oid = pronamespace where nspname || '.' || proname = any(%(names)s))",
                {"names": names},
            ).fetchone()
        return int(row[0]) if row else 0

    def _build(self, *selection: str) -> Built:
        manifest = self.parse().result()
        outcome = self._worker.submit(self._invoke, ["build", *TYPES, *selection], manifest=manifest).result()
        results: Sequence[Any] = getattr(outcome.result, "results", None) or []
        failures = {r.node.name: str(r.message) for r in results if str(r.status) in ("error", "fail", "skipped")}
        if not outcome.success and not failures:
            failures = {"dbt": str(outcome.exception)}
        return Built(nodes=tuple(_node(result, manifest) for result in results), failures=failures)

    def _invoke(self, command: list[str], *, manifest: Any) -> Any:
        os.environ.update(self._database.libpq_environment(Role.TRANSFORMER))
        from dbt.cli.main import dbtRunner

        logging.getLogger("dbt").setLevel(logging.ERROR)
        places = {
            "project-dir": DBT_PROJECT,
            "profiles-dir": DBT_PROJECT,
            "target-path": self._folder,
            "log-path": self._folder,
        }
        options = [part for name, value in places.items() for part in (f"--{name}", str(value))]
        return dbtRunner(manifest=manifest).invoke(
            # nobody reads the manifest as JSON, and writing it takes half of a command's time
            ["--quiet", "--no-use-colors", "--log-level", "none", "--no-write-json", command[0], *options, *command[1:]]
        )


def _node(result: Any, manifest: Any) -> Node:
    config, depends_on = result.node.config, getattr(result.node.depends_on, "nodes", ())
    there = {**manifest.nodes, **manifest.sources, **manifest.functions}
    return Node(
        name=result.node.name,
        kind=str(result.node.resource_type),
        schema=str(result.node.schema),
        status=str(result.status),
        message=str(result.message or ""),
        seconds=float(result.execution_time),
        rows=max(0, int((result.adapter_response or {}).get("rows_affected") or 0)),
        description=str(result.node.description or ""),
        publishes=tuple(config.get("publishes") or ()),
        reads=tuple(f"{there[name].schema}/{there[name].identifier}" for name in depends_on),
    )
