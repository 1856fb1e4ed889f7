"""Captures of others: which files are read and how, what is said of one that cannot be, and what reaches the tables."""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.dbt_runner import Dbt
from pipelines.carbon_intensity.archive.__main__ import land
from pipelines.carbon_intensity.archive.files import Found
from pipelines.carbon_intensity.national import synthesize as national
from pipelines.carbon_intensity.regional import synthesize as regional
from pipelines.payload import Payload
from tests.conftest import RECORDED_DIR, needs_recorded
from tests.energy import Energy
from warehouse.periods import HALF_HOUR, iso

CAPTURED = datetime(2023, 3, 14, 3, 31, tzinfo=UTC)
FIRST = datetime(2023, 3, 14, 3, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
FUELS = "biomass,coal,gas,hydro,imports,nuclear,other,solar,wind"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("national_fw48h", "regional_fw48h", "national_pt24h", "national_generation_pt24h"):
        (tmp_path / "data" / name).mkdir(parents=True)
    return tmp_path


def put(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / "data" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def national_csv(rows: int = 3, first: datetime = FIRST) -> str:
    lines = [f"{iso(first + n * HALF_HOUR)},{100 + n}," for n in range(rows)]
    return "\n".join(["from,intensity.forecast,intensity.actual", *lines, ""])


def regional_csv(rows: int = 2) -> str:
    lines = [
        f"{iso(FIRST + n * HALF_HOUR)},{region_id},{region_id},0.0,0.0,0.0,14.7,0.0,0.0,0.0,0.0,85.3"
        for n in range(rows)
        for region_id in range(1, 19)
    ]
    return "\n".join([f"from,regions.regionid,regions.intensity.forecast,{FUELS}", *lines, ""])


def read(folder: Path) -> tuple[list[Payload], Found]:
    found = Found(folder, NOW)
    return list(found.payloads()), found


def values(payload: Payload) -> list[int | None]:
    return [row["intensity"]["forecast"] for row in json.loads(payload.body)["data"]]


def test_a_table_becomes_the_body_that_the_api_gave(folder: Path) -> None:
    put(folder, "national_fw48h/2023-03-14T0331Z.csv", national_csv())
    put(folder, "regional_fw48h/2023-03-14t0331z.1.csv", "\ufeff" + regional_csv().replace("\n", "\r\n"))
    (first, second), found = read(folder)
    assert not found.refused
    assert (first.dataset.slug, first.origin, first.fetched_at) == ("carbon_intensity__national", "archive", CAPTURED)
    assert values(first) == [100, 101, 102]
    assert (first.window.start, first.window.end) == (FIRST, FIRST + 3 * HALF_HOUR)
    assert second.dataset.slug == "carbon_intensity__regional"
    assert second.fetched_at == CAPTURED
    of_one = json.loads(second.body)["data"][1]["regions"][12]
    assert (of_one["regionid"], of_one["shortname"], of_one["intensity"]["forecast"]) == (13, "London", 13)
    assert {share["fuel"]: share["perc"] for share in of_one["generationmix"]}["wind"] == 85.3


def test_what_the_api_sent_stays_as_it_is_and_comes_before_a_table_of_the_same_instant(folder: Path) -> None:
    body = json.dumps({"data": national([FIRST], CAPTURED)["data"]}, indent=1)  # type: ignore[call-overload, index]
    put(folder, "national_fw48h/2023-03-14T0331Z.json", body)
    put(folder, "national_fw48h/2023-03-14T0331Z.csv", national_csv())
    (only,), found = read(folder)
    assert only.body == body.encode()
    assert found.skipped == {"of an instant that another file has": 1}


def test_an_envelope_says_itself_when_it_was_captured(folder: Path) -> None:
    at = "2026-08-20T21:06:57.305868+00:00"
    start = datetime(2026, 8, 20, 21, tzinfo=UTC)
    envelope = {"captured_at": at, "kind": "forecast_fw48h", "payload": national([start, start + HALF_HOUR], start)}
    put(folder, "forecast_fw48h_20260820T2106Z.json", json.dumps(envelope))
    (only,), _ = read(folder)
    assert only.fetched_at == datetime.fromisoformat(at)


def test_what_holds_no_coming_half_hour_is_skipped_and_counted(folder: Path) -> None:
    put(folder, "national_fw48h/2023-03-14T0331Z.csv", "from,intensity.forecast,intensity.actual\n")
    put(folder, "national_pt24h/2023-03-14T0331Z.csv", national_csv(first=FIRST - timedelta(days=1)))
    put(
        folder,
        "national_generation_pt24h/2023-03-14T0331Z.csv",
        f"from,{FUELS}\n2023-03-13T03:30Z,0,0,0,0,0,0,0,0,100\n",
    )
    put(folder, "regional_fw48h/2023-03-14T0331Z.json", '{"data":[]}')
    payloads, found = read(folder)
    assert payloads == []
    assert not found.refused
    assert found.skipped == {"without a row": 2, "of half-hours that had ended": 1}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("2023-03-14T0331Z.csv", national_csv().replace("101", "many"), ":3: its intensity.forecast is 'many', not a number"),
        ("2023-03-14T0331Z.csv", national_csv().replace("102,", "102"), ":4: does not have 3 values as the header has"),
        ("2023-03-14T0331Z.csv", national_csv().replace("04:00Z", "4am"), ":3: its half-hour '2023-03-14T4am' is not written as"),
        ("2023-03-14T0331Z.csv", regional_csv().replace(",5,5,", ",55,5,"), ":6: its region is '55', not 1 to 18"),
        ("2023-03-14T0331Z.csv", "a;b\n1;2\n", ":1: has the columns a;b; a capture has from, intensity.forecast, or"),
        ("2023-03-14T0331Z.json", '{"data":\n[,]}', ":2: is not JSON: Expecting value"),
        ("2023-03-14T0331Z.json", '{"data":[{"from":"x","to":"y","intensity":{}}]}', ": is not of the documented shape"),
        ("2023-03-14T0331Z.csv", b"from,intensity.forecast\n\xff", ":2: is not text in UTF-8"),
        ("2023-13-14T0331Z.csv", national_csv(), ": the instant in its name is none: month must be in 1..12"),
        ("latest.csv", national_csv(), ": when was it captured? Its name should hold that instant"),
        ("2023-03-13T0331Z.csv", national_csv(), ": was captured at 2023-03-13T03:31Z, but its first half-hour is 20"),
        ("2026-12-01T0331Z.csv", national_csv(), ": was captured at 2026-12-01T03:31Z, which is still to come"),
        ("2023-03-14T0331Z.csv.gz", b"\x1f\x8b no", ": cannot be read: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_file_and_line_and_the_rest_is_read(
    folder: Path, name: str, text: str | bytes, said: str
) -> None:
    path = put(folder, f"national_fw48h/{name}", text)
    put(folder, "regional_fw48h/2023-03-14T0331Z.csv", regional_csv())
    payloads, found = read(folder)
    assert [payload.dataset.slug for payload in payloads] == ["carbon_intensity__regional"]
    (refused,) = found.refused
    assert str(refused).startswith(f"{path}{said}"), refused


def test_a_table_of_several_captures_is_each_of_them(folder: Path) -> None:
    rows = [
        f"{iso(FIRST + c * HALF_HOUR)},{iso(FIRST + (c + n) * HALF_HOUR)},{100 + n}" for c in range(3) for n in range(4)
    ]
    put(folder, "all.csv", "\n".join(["captured_at,period_start,forecast_gco2_kwh", *rows]))
    payloads, _ = read(folder)
    assert [payload.fetched_at for payload in payloads] == [FIRST + c * HALF_HOUR for c in range(3)]
    assert len({payload.payload_id for payload in payloads}) == 3
    put(folder, "all.csv", "\n".join(["captured_at,period_start,forecast_gco2_kwh", *rows, rows[0]]))
    assert "do not stand together" in str(read(folder)[1].refused[0])


def test_the_days_of_a_command_choose_by_the_time_of_the_capture(folder: Path) -> None:
    put(folder, "national_fw48h/2023-03-14T0331Z.csv", national_csv())
    for since, until, expected in ((FIRST, None, 1), (None, FIRST, 0), (FIRST + HALF_HOUR, None, 0)):
        assert len(list(Found(folder, NOW, since, until).payloads())) == expected


@needs_recorded
def test_the_recorded_captures_are_read_as_they_were(tmp_path: Path) -> None:
    assert RECORDED_DIR is not None
    source = RECORDED_DIR / "vintages" / "ci_national_vintages.csv.gz"
    (tmp_path / source.name).write_bytes(source.read_bytes())
    payloads, found = read(tmp_path)
    assert not found.refused
    assert len(payloads) == 69
    with gzip.open(source, "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if row["captured_at"] == "2026-08-20T21:06:57Z"]
    assert values(payloads[0]) == [int(row["forecast_gco2_kwh"]) for row in rows]
    assert all(row["intensity"]["actual"] is None for row in json.loads(payloads[0].body)["data"])


class Archive:
    """A folder of captures that is landed and published."""

    def __init__(self, energy: Energy, folder: Path):
        self.energy, self.folder = energy, folder

    def land(self) -> str:
        assert land(self.energy.database, Found(self.folder, NOW), self.energy.data_dir / "dlt")
        return "".join(self.energy.capsys.readouterr())

    def publish(self) -> None:
        dbt = Dbt(self.energy.database, self.energy.data_dir)
        for name in ("national", "regional"):
            self.energy.query(
                "insert into ops.payload_verdicts (payload_id, dataset, verdict, run_id) select payload_id, %s, 'passed', run_id "
                f"from staging.carbon_intensity__{name}_payloads on conflict do nothing",
                f"carbon_intensity__{name}",
            )
        for built in (dbt.unpack(dbt.pending()), dbt.publish(dbt.pending())):
            assert not built.failures
        dbt.close()


@pytest.fixture
def archive(energy: Energy, folder: Path) -> Iterator[Archive]:
    energy.unplug()
    yield Archive(energy, folder)


def seen(energy: Energy) -> list[tuple[Any, ...]]:
    return energy.query(
        "select forecast_gco2_kwh, known_at, is_archive from carbon_intensity_vintages where region_id = 18 and period_start = %s "
        "order by known_at",
        FIRST,
    )


def test_captures_are_vintages_of_their_own_time_and_never_fresher_than_ours(archive: Archive) -> None:
    """A capture of others that is newer than ours changes neither what was known nor what is shown; older days it fills."""
    from pipelines.carbon_intensity.national import NATIONAL
    from pipelines.landing import Landing

    energy, ours = archive.energy, CAPTURED - timedelta(minutes=20)
    ours_start = [FIRST - 2 * HALF_HOUR, FIRST - HALF_HOUR, FIRST]  # one or two alone would rest on nothing
    run_id = energy.value("insert into ops.runs (run_id, flow) values (gen_random_uuid(), 'refresh') returning run_id")
    put(archive.folder, "national_fw48h/2023-03-14T0331Z.csv", national_csv())
    put(archive.folder, "regional_fw48h/2023-03-14T0331Z.csv", regional_csv())
    with Landing(energy.database, run_id=run_id, work_dir=energy.data_dir / "dlt") as landing:
        body = {
            "data": [
                {
                    "from": iso(start),
                    "to": iso(start + HALF_HOUR),
                    "intensity": {"forecast": grams, "actual": None, "index": None},
                }
                for start, grams in zip(ours_start, (78, 79, 77), strict=True)
            ]
        }
        (theirs, *_) = Found(archive.folder, NOW).payloads()
        landing.load(
            [Payload(NATIONAL, "live", json.dumps(body).encode(), theirs.window, "", {}, 200, ours)], []
        )  # fmt: skip
    assert archive.land().startswith("2 new captures, 0 known already")
    archive.publish()
    assert archive.land().startswith("0 new captures, 2 known already")
    assert seen(energy) == [(77, ours, False), (100, CAPTURED, True)]
    known = dict(
        energy.query(
            "select period_start, forecast_gco2_kwh from carbon_intensity_as_of(%s, 18::smallint)",
            CAPTURED + timedelta(minutes=5),
        )
    )
    assert known == {FIRST: 77, FIRST + HALF_HOUR: 101, FIRST + 2 * HALF_HOUR: 102}, (
        "ours first, theirs where we had none"
    )
    assert energy.query(
        "select period_start, forecast_gco2_kwh, fetched_at from carbon_intensity_national order by 1"
    ) == [*zip(ours_start, (78, 79, 77), (ours, ours, ours), strict=True)]
    assert energy.value("select count(*) from carbon_intensity_regional") == 0
    assert energy.value("select count(*) from generation_mix_regional") == 0
    assert energy.value("select count(*) from intermediate.pending_payloads") == 0
    assert energy.value("select count(*) from carbon_intensity_vintages where region_id = 13 and is_archive") == 2


def test_regional_bodies_of_the_api_land_unchanged(folder: Path) -> None:
    body = json.dumps(regional([FIRST], CAPTURED))
    put(folder, "regional_fw48h/2023-03-14T0331Z.json", body)
    (only,), _ = read(folder)
    assert only.body == body.encode()
    assert only.request_url == "archive:data/regional_fw48h/2023-03-14T0331Z.json"
