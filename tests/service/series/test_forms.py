"""How a series is sent: forms, caching, links, refusals."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.service.conftest import Api
from tests.service.series.series_read import EVERYTHING, NATIONAL, NOON, REGIONAL, comparable, pages


def test_nothing_is_sent_again_that_has_not_changed(api: Api) -> None:
    asked = {"region_id": 13, **EVERYTHING}
    for form in ("json", "csv", "arrow", "parquet"):
        first = api.client.get(REGIONAL, params={**asked, "format": form})
        again = {"If-None-Match": first.headers["etag"]}
        second = api.client.get(REGIONAL, params={**asked, "format": form}, headers=again)
        assert (second.status_code, second.content) == (304, b""), form
        assert second.headers["etag"] == first.headers["etag"] and "max-age" in second.headers["cache-control"]
        assert (
            api.client.get(REGIONAL, params={**asked, "region_id": 3, "format": form}, headers=again).status_code == 200
        )
        api.query(
            "update carbon_intensity_regional set forecast_gco2_kwh = forecast_gco2_kwh + 1, updated_at = clock_timestamp() "
            "where region_id = 13 and period_start = (select min(period_start) from carbon_intensity_regional)"
        )
        assert api.client.get(REGIONAL, params={**asked, "format": form}, headers=again).status_code == 200, form
    settled = {"from": "2026-01-01T00:00Z", "to": "2026-01-02T00:00Z"}
    assert api.client.get(REGIONAL, params=settled).headers["cache-control"] == "private, max-age=3600"


def test_a_file_that_is_not_the_whole_links_to_the_next(api: Api) -> None:
    rows, address = [], f"{REGIONAL}?format=arrow&limit=300&from=2000-06-01T00:00Z&region_id=13&region_id=3"
    whole = pages(api, REGIONAL, region_id=[13, 3], **EVERYTHING)
    while address:
        answer = api.client.get(address)
        table = pa.ipc.open_stream(answer.content).read_all()
        rows += table.to_pylist()
        link = answer.headers.get("link", "")
        assert not link or link.endswith('>; rel="next"')
        address = link.removesuffix('>; rel="next"').removeprefix("<")
    assert comparable(rows) == comparable(whole) and len(rows) > 300


def test_accept_chooses_the_form(api: Api) -> None:
    for accept, media in {
        "text/csv": "text/csv; charset=utf-8",
        "application/vnd.apache.parquet": "application/vnd.apache.parquet",
        "application/vnd.apache.arrow.stream;q=0.9, text/csv;q=0.1": "application/vnd.apache.arrow.stream",
        "*/*": "application/json",
        "text/html, */*;q=0.1": "application/json",
        "": "application/json",
    }.items():
        answer = api.client.get(REGIONAL, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media), accept
    refused = api.client.get(REGIONAL, headers={"Accept": "text/html"})
    assert refused.status_code == 406 and "text/csv" in refused.json()["detail"]
    assert api.client.get(REGIONAL, params={"format": "json"}, headers={"Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "asked", "status", "words"),
    [
        ("/series/nonsense", {}, 404, "there is no series of this name"),
        (NATIONAL, {"region_id": 13}, 422, "query.region_id"),
        ("/series/forecast_skill", {"from": "2026-01-01T00:00Z"}, 422, "has no periods"),
        ("/series/flexibility_prices", {"resolution": "day"}, 422, "query.resolution"),
        ("/series/price_day_ahead", {"as_of": "2026-01-01T00:00Z"}, 422, "query.as_of: what was known of price_day_ahead"),
        ("/series/demand_national_forecast", {"horizon": "1d"}, 422, "query.horizon: what was known of demand_national_forecast"),
        (REGIONAL, {"as_of": "2026-01-01T00:00Z", "horizon": "1d"}, 422, "exclude each other"),
        (REGIONAL, {"as_of": "2026-01-01T00:00Z", "from": "2025-12-31T00:00Z"}, 422, "before as_of"),
        (REGIONAL, {"as_of": "2099-01-01T00:00Z"}, 422, "has not come yet"),
        (REGIONAL, {"as_of": "2026-01-01T00:00Z", "resolution": "day"}, 422, "rows are half-hours"),
        (REGIONAL, {"horizon": "3d"}, 422, "up to two days"),
        (REGIONAL, {"horizon": "1 day"}, 422, "query.horizon"),
        (REGIONAL, {"horizon": "1h", "from": "2000-06-01T00:00Z"}, 422, "too long a time"),
        (REGIONAL, {"from": "2026-01-02T00:00Z", "to": "2026-01-01T00:00Z"}, 422, "query.to"),
        (REGIONAL, {"from": "2026-01-02"}, 422, "query.from"),
        (REGIONAL, {"limit": 10_001}, 422, "query.limit"),
        (REGIONAL, {"cursor": "nonsense"}, 422, "query.cursor"),
        (REGIONAL, {"cursor": "W10"}, 422, "query.cursor"),
        (REGIONAL, {"cursor": "WyIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIixudWxsXQ"}, 422, "query.cursor"),
        (REGIONAL, {"region_id": 19}, 422, "query.region_id"),
        (REGIONAL, {"postcode": "BT1"}, 404, "Northern Ireland"),
        (REGIONAL, {"format": "xml"}, 422, "query.format"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(
    api: Api, path: str, asked: dict[str, Any], status: int, words: str
) -> None:
    assert words in api.get(path, status, params=asked)["detail"]


def test_a_cursor_of_other_types_is_an_empty_or_refused_page_and_no_error(api: Api) -> None:
    from service.series.asked import cursor_after

    for row in ([NOON, "x"], [NOON, True], [NOON, 10**30], [datetime(9999, 12, 31, tzinfo=UTC), 1]):
        for form in ("json", "csv"):
            answer = api.client.get(REGIONAL, params={"cursor": cursor_after(row), "format": form})
            assert answer.status_code in (200, 422), answer.text


def test_a_token_is_needed(api: Api) -> None:
    for path in ("/series", REGIONAL, "/places?q=Leeds"):
        assert api.client.get(path, headers={"Authorization": ""}).status_code == 401
