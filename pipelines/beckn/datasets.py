"""The catalogue of compute windows: one request, all catalogues, landed when its message changed."""

from dataclasses import replace
from datetime import timedelta

from pydantic import JsonValue

from pipelines.beckn.context import context
from pipelines.beckn.responses import refused, validate, version_of
from pipelines.beckn.synthetic import synthesize_catalogue
from pipelines.dataset import Dataset, FetchRequest, FetchResult
from pipelines.pieces import half_hours
from pipelines.settings import PipelineSettings
from warehouse.periods import HALF_HOUR, Window, floor

SOURCE = "beckn"
# the sandbox wants a text or a filter; this one is met by every window
MESSAGE: dict[str, JsonValue] = {
    "text_search": "Grid flexibility windows",
    "filters": {
        "type": "jsonpath",
        "expression": "$[?(@.beckn:itemAttributes.beckn:gridParameters.renewableMix >= 0)]",
    },
}


def discover(request: FetchRequest) -> FetchResult:
    """POST /api/discover, answered at once. Says `unchanged` when the message is that of the last payload."""

    def body() -> JsonValue:
        return {"context": context("discover"), "message": MESSAGE}

    response = request.client.post(
        "/api/discover", body, read_timeout_seconds=PipelineSettings().beckn_read_timeout_seconds
    )
    if response.failure:
        words = refused(response.body)
        return FetchResult([replace(response, failure=f"{response.failure}: it {words}") if words else response])
    version = version_of(response.body)
    if version and version == request.known_version():
        return FetchResult(unchanged="the same catalogue as before")
    params: dict[str, JsonValue] = {"method": "POST", "message": MESSAGE, "version": version}
    return FetchResult([response], params=params)


CATALOGUE = Dataset(
    source=SOURCE,
    name="catalogue",
    clean_tables=("grid_zones", "compute_windows", "grid_snapshots", "offers"),
    earliest=lambda now: floor(now),
    refreshes=lambda now: Window(floor(now), floor(now) + HALF_HOUR),
    horizon=timedelta(hours=1),
    is_sparse=True,
    is_snapshot=True,
    pieces=half_hours(HALF_HOUR),
    fetch=discover,
    validate=validate,
    synthesize=synthesize_catalogue,
)

DATASETS = (CATALOGUE,)
