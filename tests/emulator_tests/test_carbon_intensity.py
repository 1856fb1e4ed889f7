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


def test_a_fault_can_be_asked_for_with_a_request(emulator: Emulator) -> None:
    url = emulator.settings["CARBON_INTENSITY_URL"] + "/intensity"
    answer = requests.get(url, headers={"X-Emulator-Fault": "html"}, timeout=5)
    assert answer.text.startswith("<!DOCTYPE html>")
    assert ask(emulator, "/intensity").json()["data"]
