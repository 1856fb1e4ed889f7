"""The Insights API's emulator: order, bounds, caps, clock changes, placeholders, what was recorded, faults."""

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator.elexon import Elexon
from tests.emulator.protocol import Asked, Reply

FOLDER = (RECORDED_DIR or Path()) / "elexon"
NOW = datetime(2026, 11, 5, 14, 7, tzinfo=UTC)
MARKET = "/balancing/pricing/market-index"
LATEST = "/forecast/demand/day-ahead/latest"
ROW_KEYS = {
    f"{MARKET}?from=2026-11-01&to=2026-11-01": "startTime dataProvider settlementDate settlementPeriod price volume",
    "/datasets/MID/stream?from=2026-11-01&to=2026-11-01": (
        "dataset startTime dataProvider settlementDate settlementPeriod price volume"
    ),
    "/demand/outturn?settlementDateFrom=2026-11-01&settlementDateTo=2026-11-01": (
        "publishTime startTime settlementDate settlementPeriod initialDemandOutturn "
        "initialTransmissionSystemDemandOutturn"
    ),
    f"{LATEST}?from=2026-11-01&to=2026-11-01": (
        "publishTime transmissionSystemDemand nationalDemand startTime settlementDate settlementPeriod boundary"
    ),
    f"{LATEST}/stream?from=2026-11-01&to=2026-11-01": (
        "publishTime startTime settlementDate settlementPeriod boundary transmissionSystemDemand nationalDemand"
    ),
    "/datasets/INDO": "dataset publishTime startTime settlementDate settlementPeriod demand",
    "/datasets/NDF": "dataset demand publishTime startTime settlementDate settlementPeriod boundary",
}
DATASETS = {
    f"{MARKET}?from=2026-11-01&to=2026-11-01": ["MID"],
    "/balancing/settlement/system-prices/2026-11-01": ["DISEBSP"],
    "/demand/outturn": ["INDO", "ITSDO"],
    "/forecast/demand/day-ahead": ["NDF", "TSDF"],
}

generated = Elexon(None, lambda: NOW)
recorded = Elexon(RECORDED_DIR, lambda: NOW)


def ask(target: str, elexon: Elexon = generated) -> Reply:
    return elexon.answer(Asked("GET", target))


def rows(target: str, elexon: Elexon = generated) -> list[dict[str, Any]]:
    reply = ask(target, elexon)
    assert reply.status == 200, reply.body
    document = json.loads(reply.body)
    return list(document if isinstance(document, list) else document["data"])


def starts(found: list[dict[str, Any]]) -> list[str]:
    return [row["startTime"] for row in found]


def errors(target: str) -> dict[str, list[str]]:
    reply = ask(target)
    assert (reply.status, reply.content_type) == (400, "application/problem+json")
    return dict(json.loads(reply.body)["errors"])


@pytest.mark.parametrize("target", ROW_KEYS)
def test_the_keys_of_a_row_and_their_order(target: str) -> None:
    assert list(rows(target)[0]) == ROW_KEYS[target].split()


@pytest.mark.parametrize("target", DATASETS)
def test_metadata_comes_first(target: str) -> None:
    start = json.dumps({"metadata": {"datasets": DATASETS[target]}, "data": []}, separators=(",", ":"))[:-2]
    assert ask(target).body.decode().startswith(start)


def test_market_index_is_descending_and_has_a_row_at_each_end() -> None:
    found = rows(f"{MARKET}?from=2026-11-01T00:00Z&to=2026-11-02T00:00Z&dataProviders=APXMIDP")
    assert starts(found) == sorted(starts(found), reverse=True)
    assert (len(found), found[0]["startTime"], found[-1]["startTime"]) == (
        49, "2026-11-02T00:00:00Z", "2026-11-01T00:00:00Z",
    )  # fmt: skip
    assert len(rows(f"{MARKET}?from=2026-11-01T00:01Z&to=2026-11-01T23:59Z&dataproviders=APXMIDP")) == 47
    assert ask(MARKET.upper() + "?FROM=2026-11-01&to=2026-11-01").status == 200


def test_market_index_has_two_providers_one_of_them_a_placeholder() -> None:
    found = rows(f"{MARKET}?from=2026-11-01T00:00Z&to=2026-11-01T23:30Z")
    assert [row["dataProvider"] for row in found] == ["APXMIDP", "N2EXMIDP"] * 48
    assert ask(f"{MARKET}?from=2026-11-01&to=2026-11-01&dataProviders=N2EXMIDP").body.endswith(
        b'"settlementPeriod":1,"price":0.00,"volume":0.000}]}'
    )
    assert {(row["price"], row["volume"]) for row in found[1::2]} == {(0, 0)}
    untraded = rows(f"{MARKET}?from=2026-05-09T09:30Z&to=2026-05-09T11:00Z&dataProviders=APXMIDP")
    assert [row["volume"] == row["price"] == 0 for row in untraded] == [False, True, True, False]
    assert len(rows(f"{MARKET}?from=2024-04-13T06:30Z&to=2024-04-13T07:30Z&dataProviders=APXMIDP")) == 2


def test_market_index_prices_are_plausible() -> None:
    found: list[Decimal] = []
    for week in range(30):
        first = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=7 * week)
        target = f"{MARKET}?from={first:%Y-%m-%d}&to={first + timedelta(days=7):%Y-%m-%d}&dataProviders=APXMIDP"
        document = json.loads(ask(target).body, parse_float=Decimal)
        found += [row["price"] for row in document["data"]]
        assert {-row["volume"].as_tuple().exponent for row in document["data"]} == {3}
        assert {-row["price"].as_tuple().exponent for row in document["data"]} == {2}
    assert Decimal(-60) <= min(found) < 0 < 200 < max(found) <= 400
    assert 0.005 < sum(price < 0 for price in found) / len(found) < 0.15


def test_a_half_hour_is_known_when_it_has_ended() -> None:
    day = "2026-11-05"
    assert rows(f"{MARKET}?from={day}&to=2026-11-07")[0]["startTime"] == "2026-11-05T13:30:00Z"
    assert rows(f"/demand/outturn?settlementDateFrom={day}")[-1]["startTime"] == "2026-11-05T13:30:00Z"
    assert rows(f"/balancing/settlement/system-prices/{day}")[-1]["startTime"] == "2026-11-05T13:00:00Z"
    assert rows("/datasets/INDO")[-1]["publishTime"] == "2026-11-05T14:00:00Z"
    assert ask("/balancing/settlement/system-prices/2026-11-06").body == b'{"data":[]}'
    assert ask(f"{MARKET}?from=2027-01-01&to=2027-01-02").body == b'{"data":[]}'
    assert ask("/demand/outturn/stream?settlementDateFrom=2027-01-01").body == b"[]"
    assert rows(f"{MARKET}?from=2015-12-30&to=2016-01-01&dataProviders=APXMIDP")[-1]["startTime"] == (
        "2016-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(("day", "periods"), [("2026-03-29", 46), ("2026-03-30", 48), ("2026-10-25", 50)])
def test_settlement_periods_when_the_clocks_change(day: str, periods: int) -> None:
    numbers = list(range(1, periods + 1))
    bounds = f"from={day}&to={day}&settlementPeriodFrom=1&settlementPeriodTo=50&dataProviders=APXMIDP"
    for target in (
        f"{MARKET}?{bounds}",
        f"/datasets/MID?{bounds}",
        f"/datasets/MID/stream?{bounds}",
        f"/balancing/settlement/system-prices/{day}",
        f"/demand/outturn?settlementDateFrom={day}&settlementDateTo={day}",
        f"/demand/outturn/stream?settlementDateFrom={day}&settlementDateTo={day}",
        f"{LATEST}?{bounds}",
        f"/forecast/demand/day-ahead/earliest?{bounds}",
    ):
        found = rows(target)
        assert sorted(row["settlementPeriod"] for row in found) == numbers, target
        assert {row["settlementDate"] for row in found} == {day}
        assert len(set(starts(found))) == periods
    assert len(rows(f"/balancing/settlement/system-prices/{day}/{periods}")) == 1
    assert len(rows(f"/demand/outturn?settlementDateFrom={day}&settlementPeriod=1&settlementPeriod={periods}")) == 2


def test_ranges_that_are_too_long() -> None:
    message = "The date range between From and To inclusive must not exceed 7 days"
    for path in (MARKET, "/datasets/MID", LATEST):
        assert ask(f"{path}?from=2026-11-01T00:00Z&to=2026-11-08T00:00Z").status == 200
        assert errors(f"{path}?from=2026-11-01T00:00Z&to=2026-11-08T00:01Z") == {"": [message]}
    assert ask("/datasets/MID/stream?from=2026-10-01T00:00Z&to=2026-11-01T00:00Z").status == 200
    day = "publishDateTimeFrom=2026-11-01T00:00Z&publishDateTimeTo=2026-11-02T00:00Z"
    for name in ("NDF", "TSDF"):
        assert ask(f"/datasets/{name}?{day}").status == 200
        (error,) = errors(f"/datasets/{name}?{day.replace('11-02', '11-03')}")[""]
        assert error.endswith("between PublishDateTimeFrom and PublishDateTimeTo inclusive must not exceed 1 day")
    assert ask("/demand/outturn?settlementDateFrom=2026-10-01&settlementDateTo=2026-10-28").status == 200
    assert errors("/demand/outturn?settlementDateFrom=2026-10-01&settlementDateTo=2026-10-29")


def test_requests_that_are_refused() -> None:
    assert len(errors(f"{MARKET}?from=2026-11-02&to=2026-11-01")[""]) == 2
    assert errors(f"{MARKET}?from=yesterday&to=2026-11-01") == {"": ["Errors found when parsing DateTimes"]}
    assert list(errors(f"{MARKET}?to=2026-11-01")) == ["From"]
    assert errors(f"{MARKET}?from=2026-11-01&to=2026-11-01&settlementPeriodFrom=51")
    assert errors("/balancing/settlement/system-prices/01-11-2026")
    assert errors("/balancing/settlement/system-prices/2026-11-01/0")
    assert errors("/demand/outturn?settlementDateFrom=2026-11-01T00:00Z")
    assert errors(f"{LATEST}?from=2026-11-01&to=2026-11-02&format=csv")
    assert errors("/forecast/demand/day-ahead/history")
    for path in ("/", "/datasets/XYZ", "/demand", "/forecast/demand/day-ahead/oldest"):
        assert (ask(path).status, ask(path).content_type) == (404, "application/problem+json")


def test_system_prices() -> None:
    found = rows("/balancing/settlement/system-prices/2026-11-01")
    assert [row["settlementPeriod"] for row in found] == list(range(1, 49))
    assert all(len(row) == 22 and row["systemSellPrice"] == row["systemBuyPrice"] for row in found)
    assert {(row["priceDerivationCode"], row["netImbalanceVolume"] > 0) for row in found} == {("P", True), ("N", False)}
    assert all(row["totalAcceptedBidVolume"] < 0 < row["totalAcceptedOfferVolume"] for row in found)
    later = Elexon(None, lambda: datetime(2026, 11, 7, tzinfo=UTC))
    today, rerun = (rows("/balancing/settlement/system-prices/2026-11-05", elexon) for elexon in (generated, later))
    assert all(a["createdDateTime"] < b["createdDateTime"] for a, b in zip(today, rerun, strict=False))
    assert {a["systemSellPrice"] == b["systemSellPrice"] for a, b in zip(today, rerun, strict=False)} == {True, False}


def test_demand_is_plausible() -> None:
    found = [
        row
        for month in range(1, 13)
        for row in rows(f"/demand/outturn?settlementDateFrom=2025-{month:02}-01&settlementDateTo=2025-{month:02}-28")
    ]
    national = [row["initialDemandOutturn"] for row in found]
    assert 18_000 <= min(national) < 22_000 < 36_000 < max(national) <= 45_000
    more = [row["initialTransmissionSystemDemandOutturn"] - row["initialDemandOutturn"] for row in found]
    assert min(more) >= 500 and max(more) <= 3000
    assert all(row["publishTime"] > row["startTime"] for row in found)


def test_the_forecast_covers_today_and_tomorrow_once_that_is_published() -> None:
    found = rows("/forecast/demand/day-ahead")
    assert (found[0]["publishTime"], found[0]["startTime"]) == ("2026-11-05T13:47:00Z", "2026-11-05T14:00:00Z")
    assert (found[-1]["settlementDate"], found[-1]["settlementPeriod"]) == ("2026-11-06", 48)
    assert (len(found), {row["boundary"] for row in found}) == (68, {"N"})
    early = Elexon(None, lambda: datetime(2026, 11, 5, 9, 16, tzinfo=UTC))
    assert {row["settlementDate"] for row in rows("/forecast/demand/day-ahead", early)} == {"2026-11-05"}
    zonal = rows("/forecast/demand/day-ahead?boundary=zonal")
    assert (len(zonal), {row["nationalDemand"] for row in zonal}) == (68 * 17, {None})
    total = sum(row["transmissionSystemDemand"] for row in zonal[:17])
    assert abs(total - found[0]["transmissionSystemDemand"]) < 20


def test_a_forecast_is_revised_each_time_and_comes_close() -> None:
    day = "from=2026-11-04&to=2026-11-04T23:30Z"
    actual = rows("/demand/outturn?settlementDateFrom=2026-11-04")
    latest, earliest = rows(f"{LATEST}?{day}"), rows(f"/forecast/demand/day-ahead/earliest?{day}")
    assert starts(latest) == starts(earliest) == starts(actual)
    assert {row["publishTime"] for row in earliest} == {"2026-11-03T09:17:00Z"}
    assert all(row["publishTime"] < row["startTime"] for row in latest)

    def off(found: list[dict[str, Any]]) -> float:
        pairs = zip(found, actual, strict=True)
        return float(sum(abs(row["nationalDemand"] - real["initialDemandOutturn"]) for row, real in pairs)) / len(found)

    assert off(latest) < 150 < off(earliest) < 1500
    evolution = rows("/forecast/demand/day-ahead/evolution?settlementDate=2026-11-04&settlementPeriod=37")
    published = [row["publishTime"] for row in evolution]
    assert (published[0], published[-1]) == ("2026-11-03T09:17:00Z", "2026-11-04T17:47:00Z")
    assert len(set(published)) == len(published) == 66 < len({row["nationalDemand"] for row in evolution}) + 5
    (last,) = [row for row in latest if row["settlementPeriod"] == 37]
    assert evolution[-1] == last
    history = rows("/forecast/demand/day-ahead/history?publishTime=2026-11-03T18:00Z")
    assert {row["publishTime"] for row in history} == {"2026-11-03T17:47:00Z"}
    assert next(row for row in history if row["startTime"] == last["startTime"]) in evolution
    ndf = rows("/datasets/NDF?publishDateTimeFrom=2026-11-03T17:47Z&publishDateTimeTo=2026-11-03T17:47Z")
    assert [row["demand"] for row in ndf] == [row["nationalDemand"] for row in history]


def test_the_latest_forecast_of_what_is_to_come_changes_through_the_day() -> None:
    coming = f"{LATEST}?from=2026-11-06&to=2026-11-06T23:30Z"
    later = Elexon(None, lambda: NOW + timedelta(minutes=30))
    before, after = rows(coming), rows(coming, later)
    assert starts(before) == starts(after) and len(before) == 48
    assert sum(a["nationalDemand"] != b["nationalDemand"] for a, b in zip(before, after, strict=True)) > 40
    assert rows(f"{LATEST}?from=2026-11-07&to=2026-11-08") == []


def test_the_latest_forecast_may_ignore_what_was_asked_for() -> None:
    whole = starts(rows("/forecast/demand/day-ahead"))
    upstream = Elexon(None, lambda: NOW)
    upstream.latest_ignores_its_range = True
    asked = f"{LATEST}?from=2026-11-06T00:00Z&to=2026-11-06T01:00Z"
    assert len(rows(asked)) < len(whole)
    assert starts(rows(asked, upstream)) == whole


@needs_recorded
def test_recorded_bodies() -> None:
    day = "from=2026-09-20&to=2026-09-20&settlementPeriodFrom=1&settlementPeriodTo=50&dataProviders=APXMIDP"
    assert ask(f"/datasets/MID/stream?{day}", recorded).body == (
        (FOLDER / "api_json/datasets_MID_stream_APX_2026-09-20.json").read_bytes()
    )
    error = json.loads((FOLDER / "api_json/error_400_range.json").read_bytes())
    refused = json.loads(ask(f"{MARKET}?from=2026-11-02&to=2026-11-01").body)
    assert {**refused, "traceId": ""} == {**error, "traceId": ""}
    assert len(refused["traceId"]) == len(error["traceId"])
    row = json.loads((FOLDER / "api_json/system_prices_row_2024-02-01_sp1.json").read_bytes())
    assert list(rows("/balancing/settlement/system-prices/2024-02-01/1")[0]) == list(row)


@needs_recorded
def test_recorded_market_index_equals_the_file() -> None:
    with (FOLDER / "market_index/market_index_APXMIDP_2026-01-08_2026-07-19.csv").open() as file:
        kept = {row["startTime"]: row for row in csv.DictReader(file)}
    found = rows("/datasets/MID/stream?from=2026-01-08&to=2026-07-19T22:30Z&dataProviders=APXMIDP", recorded)
    assert len(found) == len(kept) == 9252
    for row in found:
        for name in ("settlementDate", "settlementPeriod"):
            assert str(row[name]) == kept[row["startTime"]][name]
        assert (row["price"], row["volume"]) == tuple(float(kept[row["startTime"]][n]) for n in ("price", "volume"))
    assert not [row for row in found if row["settlementDate"] == "2026-07-16" and row["settlementPeriod"] > 38]


@needs_recorded
@pytest.mark.parametrize(("day", "periods"), [("2016-10-30", 50), ("2017-03-26", 46), ("2019-02-10", 48)])
def test_recorded_system_prices_equal_the_file(day: str, periods: int) -> None:
    with (FOLDER / "system_prices/sspsbpniv_2016-06-06_2019-02-10.csv").open() as file:
        kept = [row[1:] for row in csv.reader(file) if row[0] == f"{day[8:]}/{day[5:7]}/{day[:4]}"]
    found = rows(f"/balancing/settlement/system-prices/{day}", recorded)
    assert len(found) == periods
    names = ("settlementPeriod", "systemSellPrice", "systemBuyPrice", "netImbalanceVolume")
    assert [[row[name] for name in names] for row in found] == [list(map(float, row)) for row in kept]


@needs_recorded
@pytest.mark.parametrize("day", ["2025-12-16", "2025-12-17", "2025-12-19"])
def test_recorded_demand_equals_the_file(day: str) -> None:
    with (FOLDER / f"demand_outturn/{day}_demand_outturn.csv").open() as file:
        kept = [{name: value for name, value in row.items() if name != "hour"} for row in csv.DictReader(file)]
    found = rows(f"/demand/outturn/stream?settlementDateFrom={day}&settlementDateTo={day}", recorded)
    assert len(found) == 48
    assert [{name: str(value) for name, value in row.items()} for row in found[: len(kept)]] == kept


TARGETS = (
    f"{MARKET}?from=2026-11-01&to=2026-11-02",
    "/balancing/settlement/system-prices/2026-11-01",
    "/demand/outturn/stream?settlementDateFrom=2026-11-01&settlementDateTo=2026-11-01",
    f"{LATEST}?from=2026-11-05&to=2026-11-06T23:30Z",
)


@pytest.mark.parametrize("target", TARGETS)
def test_faults(target: str) -> None:
    body = ask(target).body
    before = rows(target)
    value = next(n for n in ("price", "systemSellPrice", "initialDemandOutturn", "nationalDemand") if n in before[0])

    def spoiled(kind: str) -> list[dict[str, Any]]:
        document = json.loads(generated.spoil(kind, body))
        return list(document if isinstance(document, list) else document["data"])

    assert sum(value not in row for row in spoiled("missing_key")) == 1
    assert sum(row[value] == "unknown" for row in spoiled("changed_type")) == 1
    twice = spoiled("duplicate")
    assert len(twice) == len(before) + 1 and len({(r["startTime"], r.get("dataProvider")) for r in twice}) == len(
        before
    )
    assert spoiled("doubled") == before * 2
    with_volume = [row for row in before if row.get("volume") != 0]
    assert sum(a[value] != b[value] for a, b in zip(before, spoiled("revised"), strict=True)) == len(with_volume)
    assert max(row[value] for row in spoiled("absurd")) >= 9_999_999
    left = spoiled("short_horizon")
    assert len(left) == len(before) - 17 and max(starts(left)) < max(starts(before))
    dated = [row for row in before if "publishTime" in row or "createdDateTime" in row]
    twice = spoiled("superseded")
    assert twice[1::3] == dated if dated else twice == before
    assert all(row[value] > dated[n // 3][value] for n, row in enumerate(twice) if dated and n % 3 != 1)
    assert spoiled("empty") == []
    assert generated.spoil("empty_object", body) == b"{}"
    assert json.loads(generated.spoil("error_200", body))["status"] == 500
    assert b"\\u0000" in generated.spoil("nul", body)
    assert generated.spoil("429", body) == body


def test_constructing_reads_nothing() -> None:
    assert ask(f"{MARKET}?from=2026-11-01&to=2026-11-01", Elexon(Path("/nowhere"), lambda: NOW)).status == 200
