"""Series over HTTP against the tables themselves: every form, every page, every instant."""

import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from service.series.catalogue import SERIES
from tests.service.conftest import Api, instant
from tests.service.series.filled import fill
from tests.service.series.series_read import EVERYTHING, HALF_HOUR, REGIONAL, comparable, pages, table_of


@pytest.fixture
def filled(api: Api) -> Api:
    """With rows of every series."""
    fill(api)
    return api


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
