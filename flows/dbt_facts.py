"""What dbt's models say of themselves: which datasets they consume, their keys, and their `meta`, read from the manifest.

Nothing here is written twice: checkpoints, the planner of publications, lineage and maintenance read it from here. What source
entries say of datasets is in `dataset_facts`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from checkpoints.subjects import CleanTable


@dataclass(frozen=True)
class Facts:
    """Facts of a manifest."""

    manifest: Any

    def consumers(self) -> dict[str, list[Any]]:
        """The models that consume each dataset."""
        consumers: dict[str, list[Any]] = {}
        for node in self._models():
            for dataset in self.datasets_of(node):
                consumers.setdefault(dataset, []).append(node)
        return consumers

    def datasets_of(self, node: Any) -> list[str]:
        """The datasets that a node consumes, itself or because the tables do that it follows (macro `datasets_of`)."""
        followed = node.config.meta.get("follows") or ()
        others = (self.datasets_of(other) for other in self._models() if other.name in followed) if followed else ()
        return list(dict.fromkeys([*(node.config.meta.get("consumes") or ()), *(d for each in others for d in each)]))

    def clean_tables(self) -> list[CleanTable]:
        """The tables that the clean checkpoint reads: those whose `meta` says when a row's time begins."""
        return [_clean_table(node, self.datasets_of(node)) for node in self._models() if "starts" in node.config.meta]

    def counted_by_day(self) -> dict[str, str]:
        """The clean tables whose rows `data_coverage` counts, each with the column that says when a row's time begins."""
        return {node.name: node.config.meta["starts"] for node in self._models() if "coverage" in node.config.meta}

    def _models(self) -> Iterator[Any]:
        return (node for node in self.manifest.nodes.values() if node.resource_type == "model")


def _clean_table(node: Any, datasets: list[str]) -> CleanTable:
    key, own_rows = node.config.unique_key, node.config.meta.get("own_rows", "true")
    return CleanTable(
        name=node.name,
        key=(key,) if isinstance(key, str) else tuple(key),
        starts=node.config.meta["starts"],
        datasets=dict.fromkeys(datasets, own_rows) if isinstance(own_rows, str) else own_rows,
    )
