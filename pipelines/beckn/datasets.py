"""The catalogue of compute windows: one question, all catalogues, landed when its message changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from pydantic import JsonValue

from pipelines.beckn.context import context
from pipelines.beckn.responses import judge_catalogue, refused, version_of
from pipelines.beckn.synthetic import synthesize_catalogue
from pipelines.dataset import Answered, Asking, Dataset
from pipelines.periods import HALF_HOUR, Window, floor
from pipelines.pieces import half_hours
from pipelines.settings import PipelineSettings

SOURCE = "beckn"
# the sandbox wants a text or a filter; this one is met by every window
MESSAGE: dict[str, JsonValue] = {
    "text_search": "Grid flexibility windows",
    "filters": {
        "type": "jsonpath",
        "expression": "$[?(@.beckn:itemAttributes.beckn:gridParameters.renewableMix >= 0)]",
    },
}


def discover(asking: Asking) -> Answered:
    """POST /api/discover, answered at once. Says `unchanged` when the message is that of the last payload."""
    ask: Callable[[], JsonValue] = lambda: {"context": context("discover"), "message": MESSAGE}  # noqa: E731
    answer = asking.client.post(
        "/api/discover", ask, read_timeout_seconds=PipelineSettings().beckn_read_timeout_seconds
    )
    if answer.failure:
        words = refused(answer.body)
        return Answered([replace(answer, failure=f"{answer.failure}: it {words}") if words else answer])
    version = version_of(answer.body)
    if version and version == asking.known_version():
        return Answered(unchanged="the same catalogue as before")
    params: dict[str, JsonValue] = {"method": "POST", "message": MESSAGE, "version": version}
    return Answered([answer], params=params)


CATALOGUE = Dataset(
    source=SOURCE,
    name="catalogue",
    clean_tables=("grid_zones", "compute_windows", "grid_snapshots", "offers"),
    settled_in=(),
    earliest=lambda now: floor(now),
    refreshes=lambda now: Window(floor(now), floor(now) + HALF_HOUR),
    horizon=timedelta(hours=1),
    is_sparse=True,
    is_snapshot=True,
    pieces=half_hours(HALF_HOUR),
    ask=discover,
    judge=judge_catalogue,
    synthesize=synthesize_catalogue,
)

DATASETS = (CATALOGUE,)
