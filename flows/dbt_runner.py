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

from flows.dbt_facts import Facts
from flows.pending import left_over, pending
from flows.settings import DBT_PROJECT
from warehouse.database import Database, Role, dbt_environment
from warehouse.relations import PENDING_PAYLOADS, pending_rows, staging_model
from warehouse.settings import DecisionSettings
from warehouse.table_locks import gave_up

PAYLOAD_ROWS = "payload_rows"
"""The materialization of the models that unpack payloads, each with a table of its pending rows."""
UNPACKING = f"config.materialized:{PAYLOAD_ROWS}"
LOCK_TIMEOUT = "canceling statement due to lock timeout"
"""PostgreSQL's words: dbt hands on an error as its text alone."""
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
    consumes: tuple[str, ...]
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
        if not self.is_built():
            self._prepare()
        return tuple(pending(self._database))

    def _prepare(self) -> None:
        """Have the database know which models publish what, as the project's files now say."""
        outcome = self._worker.submit(
            self._invoke, ["run-operation", "write_publishing"], manifest=self.parse().result()
        ).result()
        if not outcome.success:
            raise RuntimeError(f"dbt cannot say what is to be published: {outcome.exception}")

    def consumers(self) -> dict[str, list[str]]:
        """The models that consume each dataset."""
        return {dataset: [node.name for node in nodes] for dataset, nodes in self.facts().consumers().items()}

    def facts(self) -> Facts:
        """What the project says of datasets and clean tables."""
        return Facts(self.parse().result())

    def unpack(self, datasets: Sequence[str]) -> Built:
        """Unpack the payloads of these datasets that are still to be published, and empty the tables of what was published."""
        if not self.is_built():
            return self._build("--select", f"+{UNPACKING}")
        stale = {*datasets, *left_over(self._database, self.consumers())}
        return self._build("--select", *(staging_model(dataset) for dataset in sorted(stale))) if stale else Built()

    def publish(self, datasets: Sequence[str]) -> Built:
        """Write what passed its checkpoint to the clean tables, and bring views and functions up to date."""
        is_built = self.is_built()
        if not is_built:
            built = self._build_tables("--exclude", f"+{UNPACKING}")
        else:
            tables = {table for dataset, tables in self.consumers().items() if dataset in datasets for table in tables}
            built = self._build_tables("--select", *sorted(tables)) if tables else Built()
        if not is_built and not built.failures:
            self._note_built()
        return built

    def publish_only(self, table: str, payload_ids: Sequence[uuid.UUID]) -> Built:
        """Write these payloads to one table, and no others."""
        only = json.dumps({"only_payloads": [str(payload_id) for payload_id in payload_ids]})
        return self._build_tables("--select", table, "--vars", only)

    def _build_tables(self, *arguments: str) -> Built:
        """Build tables with foreign keys. dbt writes the names that they refer to into its project as it compiles them, and
        cannot compile them twice: what comes next reads the project anew, also after a build that was given up.
        """
        try:
            return self._build(*arguments)
        finally:
            self._manifest = None

    @cached_property
    def _fingerprint(self) -> str:
        """A hash of the project's files, of the database that their names are made for, and of the settings that they read."""
        digest = hashlib.sha256(
            repr((self._database.name, self._database.host, DecisionSettings().carbon_value_gbp_tonne)).encode()
        )
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
        unpacking = (node.name for node in nodes if node.config.materialized == PAYLOAD_ROWS)
        names += [PENDING_PAYLOADS, *(pending_rows(name.removeprefix(staging_model(""))) for name in unpacking)]
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
        if stuck := [name for name, message in failures.items() if LOCK_TIMEOUT in message]:
            raise gave_up(self._database, f"dbt ({', '.join(stuck)})")  # no payload is to blame
        if not outcome.success and not failures:
            failures = {"dbt": str(outcome.exception)}
        return Built(nodes=tuple(_node(result, manifest) for result in results), failures=failures)

    def _invoke(self, command: list[str], *, manifest: Any) -> Any:
        os.environ.update(dbt_environment(self._database))
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
    depends_on = getattr(result.node.depends_on, "nodes", ())
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
        consumes=tuple(Facts(manifest).datasets_of(result.node)) if result.node.resource_type == "model" else (),
        reads=tuple(f"{there[name].schema}/{there[name].identifier}" for name in depends_on),
    )
