"""What is validated: plain facts, which flows read from the dbt project. Imports no library, so it costs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """What the source entry of a dataset says of its rows (`meta`)."""

    value: str
    """The column that holds what the dataset is fetched for."""
    first_year: int
    days_ahead: int = 1
    least_share: float = 0.5
    """How much of `value` must be present."""


@dataclass(frozen=True)
class CleanTable:
    """A clean table, as its model describes it."""

    name: str
    key: tuple[str, ...]
    starts: str
    """The column that says when a row's time begins."""
    datasets: Mapping[str, str]
    """Each dataset that feeds it, with the condition on its pending rows that make a row here."""
