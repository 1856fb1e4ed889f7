"""Series as a client reads them, page by page or as a file."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tests.service.conftest import Api, instant

HALF_HOUR = timedelta(minutes=30)
REGIONAL, NATIONAL = "/series/carbon_intensity_regional_forecast", "/series/carbon_intensity_national_forecast"
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The day before a clock change"""
EVERYTHING = {"from": "2000-06-01T00:00Z"}


def pages(api: Api, path: str, **asked: Any) -> list[dict[str, Any]]:
    """The rows of every page."""
    rows, cursor = [], None
    while True:
        page = api.get(path, params={**asked, **({"cursor": cursor} if cursor else {})})
        rows += page["rows"]
        cursor = page["next_cursor"]
        if cursor is None:
            return rows


def table_of(api: Api, form: str, path: str, **asked: Any) -> pa.Table:
    """A file, read by a library of its kind."""
    answer = api.client.get(path, params={"format": form, **asked})
    assert answer.status_code == 200, answer.text
    if form == "csv":
        return pyarrow.csv.read_csv(io.BytesIO(answer.content))
    if form == "arrow":
        return pa.ipc.open_stream(answer.content).read_all()
    return pyarrow.parquet.read_table(io.BytesIO(answer.content))


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with instants as instants, whatever wrote them."""
    return [
        {k: instant(v) if isinstance(v, str) and k.endswith(("_at", "_start", "_end")) else v for k, v in row.items()}
        for row in rows
    ]
