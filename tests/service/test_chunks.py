"""Work in chunks over HTTP: submitted, kept as rows, decided again, and asked of the best windows."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.service.conftest import Api, instant

SPLIT = {"is_interruptible": True, "max_chunks": 3, "min_chunk_minutes": 60, "resume_overhead_minutes": 10}


def test_interruptible_work_is_placed_in_chunks_that_hold_their_capacity(api: Api) -> None:
    api.operator("House", is_default=True)
    answer = api.submit(power_kw=6, duration_minutes=240, **SPLIT)
    assert answer["status"] == "scheduled" and answer["max_chunks"] == 3
    kept = api.get(f"/workloads/{answer['workload_id']}")
    chunks = api.query("select starts_at, ends_at, power_kw::float8 from app.placement_chunks order by number")
    for shown_chunks in (answer["placement"]["chunks"], kept["placement"]["chunks"]):
        assert [(instant(one["starts_at"]), instant(one["ends_at"])) for one in shown_chunks] == [
            row[:2] for row in chunks
        ]
    minutes = sum(((ends - begins).total_seconds() / 60 for begins, ends, _ in chunks))
    assert minutes == pytest.approx(240 + 10 * (len(chunks) - 1)) and {kw for *_, kw in chunks} == {6}
    again = api.get(f"/workloads/{answer['workload_id']}/decision")
    assert again["is_same"]


def test_a_profile_gives_power_and_energy(api: Api) -> None:
    api.operator("House", is_default=True)
    answer = api.submit(power_profile_kw=[8, 2, 2], duration_minutes=75)
    assert answer["energy_kwh"] == pytest.approx(5.5) and answer["power_kw"] == pytest.approx(4.4)
    assert answer["duration_minutes"] == 75 and "power_kw" not in answer["estimated"]
    ((power, profile),) = api.query("select power_kw::float8, profile_kw::float8[] from app.placement_chunks")
    assert (power, profile) == (8, [8, 2, 2])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"max_chunks": 3}, "is_interruptible"),
        ({"power_profile_kw": [1, 2], "power_kw": 3}, "power_profile_kw"),
        ({"power_profile_kw": [1, 2], "duration_minutes": 90}, "3 half-hours"),
        ({"power_profile_kw": [0, 0]}, "no power"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(api: Api, more: dict[str, object], words: str) -> None:
    api.operator("House", is_default=True)
    response = api.client.post("/submit_task", json={"request": "Render the film", **more})
    assert response.status_code == 422 and words in response.text


def test_the_best_windows_know_chunks_and_profiles(api: Api) -> None:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    asked = {
        "earliest": start.isoformat(), "deadline": (start + timedelta(hours=24)).isoformat(), "duration_minutes": 240,
        "region_id": [3, 13], "limit": 5,
    }  # fmt: skip
    whole = api.get("/windows/best", params=asked)["windows"]
    found = api.get("/windows/best", params={**asked, "is_interruptible": True, "min_chunk_minutes": 30})
    best = found["windows"][0]
    assert found["asked"]["is_interruptible"] and found["asked"]["max_chunks"] is None
    assert best["score"] <= whole[0]["score"] + 1e-6, "chunks are never worse than one piece"
    assert {window["region_id"] for window in found["windows"]} <= {3, 13}
    minutes = sum((instant(c["ends_at"]) - instant(c["starts_at"])).total_seconds() / 60 for c in best["chunks"])
    assert minutes == 240
    flat = api.get("/windows/best", params={**asked, "power_profile_kw": [2.0] * 8})["windows"]
    assert [(w["region_id"], w["starts_at"], w["score"]) for w in flat] == [
        (w["region_id"], w["starts_at"], pytest.approx(w["score"], abs=1e-5)) for w in whole
    ]
    assert "is_interruptible" in api.get("/windows/best", 422, params={**asked, "max_chunks": 2})["detail"]
