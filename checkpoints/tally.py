"""What a run's expectations came to, however many batches it validated: one entry per expectation, so a backfill stays small."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from warehouse.ledger import QualityResult

Outcome = Literal["passed", "warning", "failed"]
EXAMPLES, EXAMPLE_LENGTH = 5, 300


@dataclass
class Entry:
    """One expectation: its latest result (the latest failure, if it ever failed) and how often it was checked."""

    result: QualityResult
    examples: list[str]
    times: int = 1
    times_failed: int = 0

    @property
    def outcome(self) -> Outcome:
        """`failed` for a critical expectation that was not met, `warning` for one that only warns."""
        if not self.times_failed:
            return "passed"
        return "failed" if self.result.severity == "critical" else "warning"


@dataclass
class Tally:
    """The expectations of one dataset at one checkpoint, over the whole run."""

    checkpoint: str
    dataset: str
    entries: dict[tuple[str, str | None, str, str], Entry] = field(default_factory=dict)

    def add(self, result: QualityResult, details: Mapping[str, Any]) -> None:
        """Count a result; `details` is Great Expectations' `result` dictionary."""
        key = (result.expectation, result.column_name, result.severity, result.description)
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Entry(result, [], times=0)
        entry.times += 1
        entry.times_failed += not result.success
        if not result.success or not entry.times_failed:
            entry.result = result
            entry.examples = [] if result.success else examples(details)

    @property
    def met(self) -> int:
        """How many expectations were met every time."""
        return sum(not entry.times_failed for entry in self.entries.values())

    @property
    def outcome(self) -> Outcome:
        """The worst of its expectations."""
        return worst([entry.outcome for entry in self.entries.values()])


def worst(outcomes: list[Outcome]) -> Outcome:
    """The worst outcome; `passed` if there is none."""
    return "failed" if "failed" in outcomes else "warning" if "warning" in outcomes else "passed"


def examples(details: Mapping[str, Any]) -> list[str]:
    """A few values that were not expected, as text that is not too long; of expectations on whole rows there are none."""
    found = details.get("partial_unexpected_list") or []
    return [_text(each) for each in list(found)[:EXAMPLES]]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}: {each}" for name, each in value.items())
    text = str(value)
    return text if len(text) <= EXAMPLE_LENGTH else f"{text[:EXAMPLE_LENGTH]} ..."
