"""What Prefect's UI shows of a run beside its steps: a task per dbt node, assets with their lineage, artifacts, links.

Nothing of this happens where no Prefect server tracks the run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from prefect import Task, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.assets import Asset, AssetProperties, materialize
from prefect.cache_policies import NO_CACHE

from flows.dbt_runner import Node
from flows.processes import Processes
from flows.run_log import is_tracked, say
from flows.settings import FlowSettings
from pipelines.catalogue import DATASETS
from pipelines.settings import PUBLIC_URLS

_OPTIONS: dict[str, Any] = {
    "name": "dbt node",
    "task_run_name": "dbt {name}",
    "cache_policy": NO_CACHE,
    "persist_result": False,
}


def show_nodes(nodes: Iterable[Node]) -> None:
    """A task run per dbt node, named for it, that went as the node went; clean tables are assets."""
    if not is_tracked():
        return
    for node in nodes:
        shown = _node if node.schema != "public" or node.kind == "operation" else _table(node)
        shown(node.name, node.status, node.message, node.seconds, return_state=True)


def _report(name: str, status: str, message: str, seconds: float) -> str:
    """What dbt said of a node."""
    line = f"{name}: {message or status} in {seconds:.2f} s"
    if status not in ("success", "pass"):
        raise RuntimeError(line)
    say(line)
    return line


_node = task(**_OPTIONS)(_report)


def _table(node: Node) -> Task[..., str]:
    """The task of a clean table, which is an asset: Prefect has assets belong to a task, not to a run of it."""
    upstream: list[str | Asset] = [_dataset_asset(slug) for slug in node.consumes]
    return materialize(_table_asset(node), by="dbt", asset_deps=upstream or list(_read(node)), **_OPTIONS)(_report)


def _read(node: Node) -> Iterator[str | Asset]:
    return (f"postgres://{name}" for name in node.reads)


def _table_asset(node: Node) -> Asset:
    return Asset(
        key=f"postgres://public/{node.name}",
        properties=AssetProperties(name=node.name, description=node.description[:5000]),
    )


def _dataset_asset(slug: str) -> Asset:
    dataset = DATASETS[slug]
    address = PUBLIC_URLS[dataset.source].split("://", 1)[1]
    return Asset(
        key=f"https://{address}/{slug}",
        properties=AssetProperties(
            name=slug, url=PUBLIC_URLS[dataset.source], description=f"Payloads: staging.{slug}_payloads"
        ),
    )


def show_summary(rows: Sequence[Mapping[str, Any]], words: str, data_dir: Path) -> None:
    """The summary of a run as a table, and links to the service's pages on data quality and on tables and columns.

    Without a service there is nothing to link to: then the artifact says which command shows the page.
    """
    if not is_tracked():
        return
    create_table_artifact(key="summary", table=[dict(row) for row in rows], description=words[:4000])
    service = service_url(data_dir)
    for key, text, path in (
        ("data-docs", "Data quality (Great Expectations)", "docs/quality"),
        ("dbt-docs", "Tables and columns (dbt); `make docs` writes them", "docs/dbt"),
    ):
        if service:
            create_link_artifact(key=key, link=f"{service}/{path}", link_text=text)
        else:
            create_markdown_artifact(
                key=key, markdown=f"{text}: start the service (`make up` or `make serve`) and open `/{path}` there."
            )


def service_url(data_dir: Path) -> str | None:
    """Where people reach the service: SERVICE_URL, else the service that `make up` started here; None if there is none."""
    given = FlowSettings().service_url
    running = None if given else Processes(data_dir).running("service")
    address = str(given) if given else running.address if running else ""
    return address.rstrip("/") or None


class ProgressArtifact:
    """How far a backfill has come, as the UI shows it."""

    def __init__(self, total: int):
        self._total = total
        self._id: UUID | None = None
        if is_tracked():
            self._id = cast(
                UUID, create_progress_artifact(0.0, key="backfill-progress", description=f"0 of {total} requests")
            )

    def update(self, done: int, words: str) -> None:
        """So much is done."""
        if self._id:
            share = 100.0 * done / self._total if self._total else 100.0
            update_progress_artifact(self._id, min(100.0, share), description=words)
