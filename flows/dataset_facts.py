"""What the dbt source entries say of each dataset: `meta` of `dbt_project/models/staging/<source>/_<source>__sources.yml`.

Read from the files themselves, so that the watch and the planner need no dbt: this takes milliseconds, a dbt parse seconds
(docs/decisions/dataset_facts.md). What models say of themselves is in the manifest: `dbt_facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import yaml

from checkpoints.subjects import Expected
from flows.settings import DBT_PROJECT

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, if it was built: ten times as fast."""


@dataclass(frozen=True)
class DatasetFacts:
    """`meta` of a source entry; the words are explained in dbt_project/README.md."""

    value: str
    first_year: int
    refreshed_every_minutes: int
    days_ahead: int = 1
    least_share: float = 0.5
    values_per_half_hour: int = 1
    own_rows: str = "true"
    complete_in: tuple[str, ...] | None = None
    defers_to: tuple[str, ...] = ()
    changes_within_hours: int | None = None
    published_as: str | None = None
    measured: str | None = None
    measured_within_hours: int = 6

    @property
    def cadence(self) -> timedelta:
        """How often a refresh fetches it."""
        return timedelta(minutes=self.refreshed_every_minutes)

    @property
    def published_value(self) -> str:
        """The column of its clean table that the dataset is fetched for."""
        return self.published_as or self.value

    @property
    def changes_within(self) -> timedelta | None:
        """Within what time its upstream gives something new; None if the newest half-hour says it, and for events."""
        return None if self.changes_within_hours is None else timedelta(hours=self.changes_within_hours)

    @property
    def expected(self) -> Expected:
        """What the staging checkpoint expects of its rows."""
        return Expected(self.value, self.first_year, self.days_ahead, self.least_share)


@lru_cache(maxsize=1)
def dataset_facts() -> Mapping[str, DatasetFacts]:
    """The facts of every dataset that has a source entry, by slug."""
    return {
        table["identifier"].removesuffix("_payloads"): facts_from(_meta(source) | _meta(table))
        for path in sorted((DBT_PROJECT / "models" / "staging").glob("*/_*__sources.yml"))
        for source in yaml.load(path.read_text(), Loader=_LOADER)["sources"]  # noqa: S506  both are safe loaders
        for table in source["tables"]
    }


def _meta(entry: Mapping[str, Any]) -> dict[str, Any]:
    return dict(entry.get("config", {}).get("meta", {}))


def facts_from(meta: Mapping[str, Any]) -> DatasetFacts:
    """The facts of a source entry's `meta`. Raises TypeError for a word that it does not know, or one that is missing."""
    lists = {name: tuple(value) for name, value in meta.items() if isinstance(value, list)}
    return DatasetFacts(**{**meta, **lists})
