"""Series over HTTP against the tables themselves: every form, every page, every instant."""

import io
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from service.series.catalogue import SERIES
from tests.service.conftest import Api, instant
from tests.service.series.filled import fill

HALF_HOUR = timedelta(minutes=30)
REGIONAL, NATIONAL = "/series/carbon_intensity_regional_forecast", "/series/carbon_intensity_national_forecast"
CAPTURE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, are_isolated, is_synthetic, fetched_at, updated_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""The day before a clock change"""
EVERYTHING = {"from": "2000-06-01T00:00Z"}


@pytest.fixture
def filled(api: Api) -> Api:
    """With rows of every series."""
    fill(api)
    return api


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


def test_the_list_says_what_there_is(api: Api) -> None:
    listed = {one["name"]: one for one in api.get("/series")["series"]}
    assert set(listed) == set(SERIES)
    regional = listed["carbon_intensity_regional_forecast"]
    ((first, last),) = api.query("select min(period_start), max(period_start) from carbon_intensity_regional")
    assert (instant(regional["first"]), instant(regional["last"])) == (first, last)
    assert (regional["unit"], regional["grain"], regional["real_share"]) == ("gCO2/kWh", "half-hour", 1)
    assert regional["takes_regions"] and regional["takes_as_of"] and "region_id" in regional["columns"]
    empty = listed["price_system"]
    assert (empty["first"], empty["last"], empty["real_share"]) == (None, None, None)
    for name, one in listed.items():
        page = api.get(f"/series/{name}", params={"limit": 1})
        assert page["series"] == {k: v for k, v in one.items() if k not in ("first", "last", "real_share")}
        if page["rows"]:
            assert list(page["rows"][0]) == one["columns"]


@pytest.mark.parametrize("name", SERIES)
def test_every_series_is_the_same_in_every_form_and_on_every_page(filled: Api, name: str) -> None:
    api, path, asked = filled, f"/series/{name}", {} if name == "forecast_skill" else EVERYTHING
    whole = pages(api, path, limit=10_000, **asked)
    assert len(whole) > 1
    for limit in {max(7, len(whole) // 5), max(1, len(whole) // 30)}:
        assert pages(api, path, limit=limit, **asked) == whole
    for form in ("csv", "arrow", "parquet"):
        table = table_of(api, form, path, **asked)
        assert table.num_rows == len(whole)
        if form != "csv":
            assert table.column_names == list(whole[0])
            assert comparable(table.to_pylist()) == comparable(whole)
        else:
            assert [str(v) for v in table["period_start"].to_pylist()] if "period_start" in whole[0] else True
            for column in table.column_names:
                if pa.types.is_floating(table[column].type) or pa.types.is_integer(table[column].type):
                    assert table[column].to_pylist() == [row[column] for row in whole], column


def test_the_real_share_in_the_list_is_that_of_all_rows(api: Api) -> None:
    api.query(
        "update intermediate.int_data_coverage__days set row_count_synthetic = ceil(row_count / 3.0) "
        "where dataset = 'carbon_intensity_regional'"
    )
    ((rows, synthetic),) = api.query(
        "select sum(row_count)::integer, sum(row_count_synthetic)::integer from intermediate.int_data_coverage__days "
        "where dataset = 'carbon_intensity_regional'"
    )
    shares = {one["name"]: one["real_share"] for one in api.get("/series")["series"]}
    assert shares["carbon_intensity_regional_forecast"] == pytest.approx(1 - synthetic / rows) and 0 < synthetic < rows
    assert shares["carbon_intensity_national_forecast"] == 1 and shares["price_system"] is None


def test_a_row_is_a_period_with_its_value_its_mark_and_when_it_was_known(api: Api) -> None:
    api.query("update carbon_intensity_regional set is_synthetic = true where region_id = 3")
    page = api.get(REGIONAL, params={"region_id": [13, 3], **EVERYTHING, "limit": 5000})
    expected = api.query(
        "select period_start, period_end, region_id, forecast_gco2_kwh, is_synthetic, fetched_at from carbon_intensity_regional "
        "where region_id in (3, 13) and forecast_gco2_kwh is not null order by period_start, region_id"
    )
    found = [
        (
            *(instant(r[name]) for name in ("period_start", "period_end")),
            r["region_id"], r["value"], r["is_synthetic"], instant(r["known_at"]),
        )
        for r in page["rows"]
    ]  # fmt: skip
    assert found == expected and len(found) > 100
    assert page["data"]["synthetic_share"] == 0.5 and page["data"]["in_words"] == "50.0 % of the rows are synthetic."
    assert page["regions"] == [
        {"region_id": 3, "region_name": "North West England"},
        {"region_id": 13, "region_name": "London"},
    ]
    assert all(r["period_start"].endswith("Z") and r["known_at"].endswith("Z") for r in page["rows"])
    file = api.client.get(REGIONAL, params={"region_id": [13, 3], **EVERYTHING, "format": "csv"})
    assert file.headers["x-synthetic-share"] == "0.5"
    assert (
        pyarrow.parquet.read_schema(
            io.BytesIO(api.client.get(REGIONAL, params={"format": "parquet"}).content)
        ).metadata[b"unit"]
        == b"gCO2/kWh"
    )


AS_IT_WAS_KNOWN = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, are_isolated, is_synthetic, fetched_at, updated_at)
select 18, gen_random_uuid(), now() - ago, date_bin('1 day', now(), '2000-01-01') + later * interval '1 day', array[1, 2],
    array[false, false], is_synthetic, now() - ago, now()
from (values (interval '5 hours', 1, false), ('1 minute', 2, true)) as one (ago, later, is_synthetic)
"""


def old_and_real_new_and_synthetic(api: Api) -> None:
    """In every table with periods: values that were known five hours ago and are real, and of a minute ago, synthetic; the two
    lie in the same hours.
    """
    for table in {series.table for series in SERIES.values() if series.has_periods}:
        api.query(
            f"update {table} set is_synthetic = hashtext(ctid::text) % 2 = 0, "
            "fetched_at = now() - case when hashtext(ctid::text) % 2 = 0 then interval '1 minute' else '5 hours' end"
        )
    api.query("delete from intermediate.int_carbon_intensity__captures where region_id = 18")
    api.query(AS_IT_WAS_KNOWN)


RESOLUTIONS = [(s, r) for s in SERIES.values() if s.has_periods for r in (s.resolutions or ("half-hour",))]


def test_the_age_is_that_of_the_newest_real_value_in_every_form_and_the_synthetic_one_is_beside_it(api: Api) -> None:
    old_and_real_new_and_synthetic(api)
    looked_at = set()
    asked = [(s, {**EVERYTHING, "resolution": r}) for s, r in RESOLUTIONS]
    asked += [(SERIES["carbon_intensity_national_forecast"], {"as_of": datetime.now(UTC).isoformat()})]
    for series, params in asked:
        path, params = f"/series/{series.name}", {**params, "limit": 200}
        if (
            len({row["is_synthetic"] for row in api.get(path, params={**params, "resolution": "half-hour"})["rows"]})
            < 2
        ):
            continue
        data = api.get(path, params=params)["data"]
        assert 18_000 <= data["age_seconds"] < 18_120 and data["age_in_words"] == "5 hours", (params, path, data)
        assert 60 <= data["synthetic_age_seconds"] < 180 and data["synthetic_age_in_words"], (params, path, data)
        for form in ("arrow",) if series.name in looked_at else ("csv", "parquet", "arrow"):
            answer = api.client.get(path, params={**params, "format": form})
            assert 18_000 <= int(answer.headers["x-data-age-seconds"]) < 18_120, (params, path, form)
            assert 60 <= int(answer.headers["x-synthetic-age-seconds"]) < 180, (params, path, form)
        remarks = pa.ipc.open_stream(answer.content).schema.metadata
        assert remarks[b"known_at"].decode() == data["known_at"] < remarks[b"synthetic_known_at"].decode()
        looked_at.add(series.name)
    assert len(looked_at) >= 5


def test_a_page_without_real_values_has_no_age(api: Api) -> None:
    api.query("update carbon_intensity_regional set is_synthetic = true")
    data = api.get(REGIONAL, params=EVERYTHING)["data"]
    assert (data["known_at"], data["age_seconds"], data["age_in_words"]) == (None, None, None)
    assert data["synthetic_age_seconds"] >= 0 and data["synthetic_age_in_words"]
    head = api.client.get(REGIONAL, params={**EVERYTHING, "format": "csv"}).headers
    assert head["x-data-age-seconds"] == "" and int(head["x-synthetic-age-seconds"]) >= 0


def test_a_range_begins_with_from_and_ends_before_to(api: Api) -> None:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    asked = {"from": start.isoformat(), "to": (start + timedelta(hours=3)).isoformat(), "postcode": "SW1A 1AA"}
    page = api.get(REGIONAL, params=asked)
    assert [instant(row["period_start"]) for row in page["rows"]] == [start + n * HALF_HOUR for n in range(6)]
    assert {row["region_id"] for row in page["rows"]} == {13} and page["places"][0]["basis"] == "postcode"
    assert page["asked"]["region_id"] == [13] and page["asked"]["region_name"] == ["London"]


@pytest.mark.parametrize(("resolution", "hours"), [("hour", 1), ("day", 24)])
def test_a_coarser_resolution_is_the_mean_of_the_half_hours_that_are_known(
    api: Api, resolution: str, hours: int
) -> None:
    asked = {**EVERYTHING, "region_id": 13, "limit": 10_000}
    expected: dict[datetime, list[float]] = {}
    for row in api.get(REGIONAL, params=asked)["rows"]:
        begins = instant(row["period_start"])
        bucket = begins.replace(minute=0) if hours == 1 else begins.replace(hour=0, minute=0)
        expected.setdefault(bucket, []).append(row["value"])
    page = api.get(REGIONAL, params={**asked, "resolution": resolution})
    assert len(page["rows"]) == len(expected)
    for row in page["rows"]:
        values = expected[instant(row["period_start"])]
        assert row["half_hours"] == len(values) and row["value"] == pytest.approx(sum(values) / len(values))
        assert instant(row["period_end"]) - instant(row["period_start"]) == timedelta(hours=hours)
    assert pages(api, REGIONAL, **{**asked, "resolution": resolution, "limit": 2}) == page["rows"]


@pytest.fixture
def captured(api: Api) -> Api:
    """With captures of one region and of Great Britain: many of the same half-hours, some synthetic, some isolated."""
    chance = random.Random(7)
    with api.database.connect() as connection:
        for _ in range(150):
            known_at = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 4), seconds=chance.randint(0, 59))
            first = known_at.replace(minute=known_at.minute // 30 * 30, second=0) + chance.randint(0, 4) * HALF_HOUR
            length = chance.randint(1, 96)
            values = [chance.randint(0, 400) if chance.random() > 0.1 else None for _ in range(length)]
            isolated = [chance.random() < 0.1 for _ in range(length)]
            connection.execute(
                CAPTURE,
                [
                    chance.choice([13, 3, 18]), uuid.uuid4(), known_at, first, values, isolated, chance.random() < 0.3,
                    known_at, known_at,
                ],
            )  # fmt: skip
    return api


def as_of(api: Api, known_at: datetime, *regions: int) -> list[tuple[Any, ...]]:
    return api.query(
        "select period_start, region_id, forecast_gco2_kwh::float8, is_synthetic, forecast_known_at "
        "from carbon_intensity_as_of(%s) where region_id = any(%s) order by period_start, region_id",
        known_at, list(regions),
    )  # fmt: skip


def test_as_of_is_what_carbon_intensity_as_of_gives_at_any_instant(captured: Api) -> None:
    chance, compared = random.Random(11), 0
    for _ in range(40):
        known_at = NOON - timedelta(
            minutes=chance.randint(-60 * 26, 60 * 24 * 5), microseconds=chance.randint(0, 10**6)
        )
        spelled = known_at.isoformat()
        rows = captured.get(REGIONAL, params={"as_of": spelled, "limit": 10_000})["rows"]
        found = [
            (instant(r["period_start"]), r["region_id"], r["value"], r["is_synthetic"], instant(r["known_at"]))
            for r in rows
        ]
        assert found == as_of(captured, known_at, *range(1, 19)), known_at
        one = captured.get(REGIONAL, params={"as_of": spelled, "city": "London"})["rows"]
        assert one == [row for row in rows if row["region_id"] == 13]
        national = captured.get(NATIONAL, params={"as_of": spelled})["rows"]
        assert [(r["period_start"], r["value"]) for r in national] == [
            (r["period_start"], r["value"]) for r in rows if r["region_id"] == 18
        ]
        compared += len(rows)
    assert compared > 1000
    both = captured.get(REGIONAL, params={"as_of": NOON.isoformat(), "region_id": [3, 13], "to": "2026-10-24T18:00Z"})
    assert {row["region_id"] for row in both["rows"]} == {3, 13}
    assert max(row["period_start"] for row in both["rows"]) < "2026-10-24T18:00:00Z"


DEMAND_CAPTURE = """
insert into intermediate.int_demand_forecasts__captures
    (payload_id, forecast_type, source, known_at, first_period_start, national_demand_mw, is_synthetic, fetched_at, updated_at)
values (%s, %s, 'neso', %s, %s, %s, %s, %s, %s)
"""


def test_demand_as_of_is_the_best_that_was_known_then(api: Api) -> None:
    chance, captures = random.Random(5), []
    for _ in range(60):
        known_at = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 16), seconds=chance.randint(0, 59))
        first = known_at.replace(minute=known_at.minute // 30 * 30, second=0) + chance.randint(0, 4) * HALF_HOUR
        kind = chance.choice(["day_ahead", "2_to_14_days_ahead", "day_ahead_interpolated"])
        values = [
            chance.randint(20_000, 40_000) if chance.random() > 0.1 else None for _ in range(chance.randint(1, 200))
        ]
        captures.append((known_at, first, kind, values, chance.random() < 0.3))
        mine = [uuid.uuid4(), kind, known_at, first, values, captures[-1][-1], known_at, known_at]
        with api.database.connect() as connection:
            connection.execute(DEMAND_CAPTURE, mine)
    for _ in range(10):
        at = NOON - timedelta(minutes=chance.randint(-60 * 24, 60 * 24 * 5))
        expected: dict[datetime, tuple[Any, ...]] = {}
        for known_at, first, kind, values, is_synthetic in captures:
            for n, value in enumerate(values):
                start = first + n * HALF_HOUR
                if value is None or not at - timedelta(days=14) < known_at <= at or start + HALF_HOUR <= at:
                    continue
                better = (not is_synthetic, kind != "day_ahead_interpolated", known_at, value, is_synthetic)
                expected[start] = max(better, expected.get(start, better))
        asked = {"as_of": at.isoformat(), "limit": 500}
        rows = pages(api, "/series/demand_national_forecast", **asked)
        assert [(instant(r["period_start"]), r["value"], r["is_synthetic"], instant(r["known_at"])) for r in rows] == [
            (start, value, is_synthetic, known_at)
            for start, (*_, known_at, value, is_synthetic) in sorted(expected.items())
        ]
        assert len(rows) > 50
        assert comparable(
            table_of(api, "arrow", "/series/demand_national_forecast", **asked).to_pylist()
        ) == comparable(rows[:500])


@pytest.mark.slow
@pytest.mark.parametrize("horizon", ["30m", "24h", "2d"])
def test_a_horizon_is_what_was_known_so_long_before_each_half_hour(captured: Api, horizon: str) -> None:
    ahead = {"30m": HALF_HOUR, "24h": timedelta(hours=24), "2d": timedelta(days=2)}[horizon]
    asked = {"horizon": horizon, "from": "2026-10-21T00:00Z", "to": "2026-10-26T00:00Z", "region_id": [13, 18]}
    rows = pages(captured, REGIONAL, **asked, limit=100)
    expected = []
    start = datetime(2026, 10, 21, tzinfo=UTC)
    while start < datetime(2026, 10, 26, tzinfo=UTC):
        expected += [row for row in as_of(captured, start - ahead, 13, 18) if row[0] == start]
        start += HALF_HOUR
    assert [
        (instant(r["period_start"]), r["region_id"], r["value"], r["is_synthetic"], instant(r["known_at"]))
        for r in rows
    ] == expected
    assert len(expected) > 50 or horizon == "2d"
    assert comparable(table_of(captured, "arrow", REGIONAL, **asked).to_pylist()) == comparable(rows)


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
