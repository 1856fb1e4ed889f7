"""The emulator against what was recorded: the window rule, the shapes, the faults, byte for byte where it can be."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.emulator import Emulator

BODIES = (RECORDED_DIR or Path()) / "carbon_intensity/recorded_responses/bodies"


def ask(emulator: Emulator, path: str) -> requests.Response:
    return requests.get(emulator.settings["CARBON_INTENSITY_URL"] + path, timeout=20)


@needs_recorded
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/generation/2019-04-01T00:00Z/2019-04-07T23:59Z", "generation_2019-04-01T0000Z_2019-04-07T2359Z.json"),
        ("/intensity/factors", "intensity_factors.json"),
    ],
)
def test_recorded_bodies_byte_for_byte(recorded_emulator: Emulator, path: str, name: str) -> None:
    assert ask(recorded_emulator, path).content == (BODIES / name).read_bytes()


def without_index(value: object) -> object:
    """Bodies recorded in 2020 and 2021 carry the bands of 2019; the index is never read."""
    if isinstance(value, dict):
        return {k: without_index(v) for k, v in value.items() if k != "index"}
    return [without_index(v) for v in value] if isinstance(value, list) else value


@needs_recorded
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/intensity/2020-01-01T00:00Z/2020-01-02T23:59Z", "intensity_2020-01-01T0000Z_2020-01-02T2359Z.json"),
        ("/intensity/date/2020-04-01", "intensity_date_2020-04-01.json"),
        (
            "/regional/intensity/2020-01-01T00:00Z/2020-01-02T23:59Z",
            "regional_intensity_2020-01-01T0000Z_2020-01-02T2359Z.json",
        ),
        (
            "/regional/intensity/2020-01-01T00:00Z/2020-01-02T23:59Z/regionid/13",
            "regional_intensity_2020-01-01T0000Z_2020-01-02T2359Z_regionid_13.json",
        ),
    ],
)
def test_recorded_bodies_but_for_the_index(recorded_emulator: Emulator, path: str, name: str) -> None:
    answer, recorded = ask(recorded_emulator, path), (BODIES / name).read_bytes()
    assert without_index(answer.json()) == without_index(json.loads(recorded))
    assert answer.content[:40] == recorded[:40], "the layout is the recorded one"


@needs_recorded
def test_recorded_errors(recorded_emulator: Emulator) -> None:
    assert RECORDED_DIR is not None
    errors = json.loads((RECORDED_DIR / "carbon_intensity/errors/errors_verbatim.json").read_text())
    paths = {
        "any unknown path, e.g. /openapi.json": "/openapi.json",
        "/intensity/date/9999-99-99 (also /intensity/date/2017-08-258)": "/intensity/date/9999-99-99",
        "/intensity/{bad from}": "/intensity/nonsense",
        "/intensity/{bad from}/pt24h": "/intensity/nonsense/pt24h",
        "/intensity/date/{date}/{bad period}": "/intensity/date/2017-08-25/99",
        "/regional/postcode/w7 (unmatched outward code; also BT..)": "/regional/postcode/w7",
    }
    for error in errors:
        if error["path"] in paths:
            answer = ask(recorded_emulator, paths[error["path"]])
            assert (answer.status_code, answer.json()) == (error["status"], error["body"])


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/intensity/2022-01-01T21:00Z/fw24h", 49),
        ("/intensity/2022-01-01T21:01Z/fw24h", 48),
        ("/intensity/2022-01-03T20:01Z/pt24h", 48),
        ("/intensity/2022-01-01T00:00Z/fw48h", 97),
        ("/intensity/2022-01-01T00:00Z/2022-01-01T01:00Z", 3),
        ("/intensity/2022-01-01T00:30Z/2022-01-02T00:00Z", 48),
        ("/intensity/date/2022-03-27", 46),
        ("/intensity/date/2022-10-30", 50),
        ("/regional/intensity/2023-12-31T00:00Z/2024-01-02T00:00Z", 48),
        ("/generation/2024-01-01T00:00Z/2024-01-01T00:01Z", 1),
    ],
)
def test_a_half_hour_is_in_if_its_end_is(emulator: Emulator, path: str, rows: int) -> None:
    assert len(ask(emulator, path).json()["data"]) == rows


def test_objects_and_lists(emulator: Emulator) -> None:
    assert isinstance(ask(emulator, "/generation").json()["data"], dict)
    assert isinstance(ask(emulator, "/regional/regionid/3").json()["data"], list)
    ranged = ask(emulator, "/regional/intensity/2024-03-01T00:30Z/2024-03-01T01:00Z/regionid/3").json()["data"]
    assert (ranged["regionid"], len(ranged["data"])) == (3, 2)
    assert ask(emulator, "/regional/intensity/2039-03-01T00:30Z/fw48h/postcode/BS16").content == b"{}"
    assert ask(emulator, "/intensity/2024-01-01T00:00Z/2024-02-15T00:00Z").status_code == 400


def test_the_latest_half_hour_is_the_one_completed_and_has_no_actual_yet(emulator: Emulator) -> None:
    (row,) = ask(emulator, "/intensity").json()["data"]
    ends = datetime.fromisoformat(row["to"])
    assert 0 <= (datetime.now(UTC) - ends).total_seconds() < 1800
    assert row["intensity"]["actual"] is None


@pytest.mark.parametrize("path", ["/intensity", "/generation", "/regional/intensity"])
def test_every_half_hour_can_come_twice(emulator: Emulator, path: str) -> None:
    span = "2024-06-01T00:30Z/2024-06-01T03:00Z"
    once = ask(emulator, f"{path}/{span}").json()
    emulator.fault("doubled", path)
    assert ask(emulator, f"{path}/{span}").json() == {"data": once["data"] * 2}


@pytest.mark.parametrize("path", ["/intensity", "/generation", "/regional/intensity"])
def test_a_misfire_has_more_solar_than_is_installed_and_a_gap_is_always_the_same(emulator: Emulator, path: str) -> None:
    span = "2024-06-01T04:30Z/2024-06-02T06:30Z"
    once = ask(emulator, f"{path}/{span}").json()["data"]
    emulator.fault("solar_misfire", path, times=1)
    misfired = ask(emulator, f"{path}/{span}").json()["data"]
    changed = [after["from"][8:] for before, after in zip(once, misfired, strict=True) if before != after]
    assert changed == ["01T05:00Z", "01T05:30Z", "02T05:00Z", "02T05:30Z"]
    for row in misfired:
        for value in row.get("regions", [row]):
            is_misfire = row["from"][8:] in changed
            assert "intensity" not in value or (value["intensity"]["forecast"] in (5, 8)) == is_misfire
            for share in value.get("generationmix", []):
                assert share["fuel"] != "solar" or (share["perc"] in (78, 84)) == is_misfire
            assert abs(sum(share["perc"] for share in value.get("generationmix", [])) - 100) < 1 or path == "/intensity"
    emulator.fault("gap", path)
    for asked in (span, "2024-06-01T20:30Z/2024-06-02T00:30Z"):
        starts = {row["from"] for row in ask(emulator, f"{path}/{asked}").json()["data"]}
        gap = {"2024-06-01T22:00Z", "2024-06-01T22:30Z"}
        assert not starts & gap and {"2024-06-01T21:30Z", "2024-06-01T23:00Z"} <= starts


@pytest.mark.parametrize("path", ["/intensity", "/generation", "/regional/intensity"])
@pytest.mark.parametrize("end", ["2024-06-01T00:30Z", "2024-05-31T23:30Z"])
def test_a_range_that_does_not_end_after_it_begins_is_refused(emulator: Emulator, path: str, end: str) -> None:
    answer = ask(emulator, f"{path}/2024-06-01T00:30Z/{end}")
    assert answer.status_code == 400
    assert "The start datetime should be less than the end datetime" in answer.json()["error"]["message"]
    assert len(ask(emulator, f"{path}/2024-06-01T00:30Z/2024-06-01T00:31Z").json()["data"]) == 1


@pytest.mark.parametrize(
    ("path", "longest", "too_long"),
    [
        ("/regional/intensity", "2024-06-14T23:30Z", "2024-06-15T00:00Z"),
        ("/intensity", "2024-07-01T00:00Z", "2024-07-02T00:00Z"),
    ],
)
def test_a_range_that_is_too_long_is_refused(emulator: Emulator, path: str, longest: str, too_long: str) -> None:
    assert ask(emulator, f"{path}/2024-06-01T00:00Z/{longest}").status_code == 200
    answer = ask(emulator, f"{path}/2024-06-01T00:00Z/{too_long}")
    assert answer.status_code == 400 and "days" in answer.json()["error"]["message"]


def test_a_mix_that_has_not_begun_is_answered_with_the_last_one_published(emulator: Emulator) -> None:
    emulator.now = lambda: datetime(2026, 11, 9, 10, 17, tzinfo=UTC)  # type: ignore[method-assign]
    (row,) = ask(emulator, "/generation/2026-11-09T12:00Z/2026-11-10T12:00Z").json()["data"]
    assert row["from"] == "2026-11-09T09:30Z"
    assert ask(emulator, "/intensity/2026-11-12T12:00Z/2026-11-12T15:00Z").json()["data"] == [], "beyond the horizon"


@pytest.mark.parametrize("path", ["/intensity", "/generation", "/regional/intensity"])
def test_a_horizon_can_be_short(emulator: Emulator, path: str) -> None:
    span = "2024-06-01T00:30Z/2024-06-02T00:00Z"
    once = ask(emulator, f"{path}/{span}").json()["data"]
    emulator.fault("short_horizon", path)
    assert ask(emulator, f"{path}/{span}").json()["data"] == once[:-17]
    few = f"{path}/2024-06-01T00:30Z/2024-06-01T03:00Z"
    assert ask(emulator, few).json()["data"] == [], "of a few half-hours none is left"


@pytest.mark.parametrize("path", ["/regional/intensity", "/regional/intensity?regionid=13"])
def test_a_lone_value_of_each_region_differs_from_those_beside_it(emulator: Emulator, path: str) -> None:
    path, _, region = path.partition("?regionid=")
    asked = f"{path}/2024-06-01T02:30Z/2024-06-01T16:30Z" + (f"/regionid/{region}" if region else "")

    def forecasts() -> dict[str, list[int]]:
        data = ask(emulator, asked).json()["data"]
        rows = data["data"] if region else data
        return {row["from"][11:]: [each["intensity"]["forecast"] for each in row.get("regions", [row])] for row in rows}

    once = forecasts()
    emulator.fault("stands_apart", path)
    found = forecasts()
    assert [at for at in once if once[at] != found[at]] == ["03:00Z", "15:00Z"]
    assert set(found["03:00Z"]) == {5}
    assert found["15:00Z"] == [grams + 233 for grams in once["15:00Z"]]


def test_a_lone_value_differs_from_those_beside_it(emulator: Emulator) -> None:
    span = "2024-06-01T02:30Z/2024-06-01T16:30Z"
    once = ask(emulator, f"/intensity/{span}").json()["data"]
    emulator.fault("stands_apart", "/intensity/")
    found = ask(emulator, f"/intensity/{span}").json()["data"]
    changed = {row["from"][11:]: row["intensity"] for before, row in zip(once, found, strict=True) if before != row}
    assert list(changed) == ["03:00Z", "15:00Z"]
    assert changed["03:00Z"]["forecast"] == 5
    assert changed["15:00Z"]["forecast"] - max(row["intensity"]["forecast"] for row in once) > 50


def test_a_fault_can_be_asked_for_with_a_request(emulator: Emulator) -> None:
    url = emulator.settings["CARBON_INTENSITY_URL"] + "/intensity"
    answer = requests.get(url, headers={"X-Emulator-Fault": "html"}, timeout=5)
    assert answer.text.startswith("<!DOCTYPE html>")
    assert ask(emulator, "/intensity").json()["data"]
