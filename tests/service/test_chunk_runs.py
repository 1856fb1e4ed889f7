"""A runner says when each piece of its work really started and stopped; what cannot be is refused in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.conftest import Api, instant
from tests.service.test_claims import NOW, claim, end_leases
from tests.warehouse.app_rows import become, place, workload

HOUR = timedelta(hours=1)


def split(api: Api, *pieces: tuple[float, float], operator_id: str | None = None) -> str:
    """A workload of 10 kW that is placed in such pieces, in hours from now; its id."""
    by = operator_id or api.operator("House", is_default=True)
    now = datetime.now(UTC)
    minutes = round(sum(60 * (ends - begins) for begins, ends in pieces))
    with api.database.connect(autocommit=False) as db:
        this = workload(
            db, by, minutes=minutes, earliest_start=now - 24 * HOUR, deadline=now + 24 * HOUR, region_ids=[13],
            is_interruptible=True, max_chunks=4, min_chunk_minutes=1,
        )  # type: ignore[arg-type]  # fmt: skip
        starts, ends = now + pieces[0][0] * HOUR, now + pieces[-1][1] * HOUR
        placed = place(db, this, at=starts, ends_at=ends, chunks=len(pieces), known_at=now)
        for number, (begin, end) in enumerate(pieces, start=1) if len(pieces) > 1 else ():
            db.execute(
                "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw) "
                "values (%s, %s, %s, %s, %s, 10)",
                [placed, number, by, now + begin * HOUR, now + end * HOUR],
            )
        become(db, this, "scheduled", placement_id=placed)
    return str(this)


def say(api: Api, held: dict[str, Any], number: int, step: str, status: int = 200, **more: Any) -> dict[str, Any]:
    path = f"/workloads/{held['workload_id']}/chunks/{number}/{step}"
    answer = api.client.post(path, json={"token": held["token"], **more})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_each_piece_starts_and_stops_once_in_its_turn(api: Api) -> None:
    workload_id = split(api, (-1, 1), (3, 4))
    (held,) = claim(api, workload_id=workload_id)
    assert "chunk 1 cannot stop: nobody said that it started" in say(api, held, 1, "stop", 409)["detail"]
    assert "no chunk 3: this workload is placed in 2" in say(api, held, 3, "start", 404)["detail"]
    before = datetime.now(UTC)
    begun = say(api, held, 1, "start")
    assert (begun["number"], begun["stopped_at"]) == (1, None) and begun["workload_id"] == workload_id
    assert before - HOUR / 60 < instant(begun["started_at"]) < datetime.now(UTC) + HOUR / 60
    assert say(api, held, 1, "start") == begun, "a repeat changes nothing"
    assert say(api, held, 1, "start", at=before.isoformat()) == begun
    assert "chunk 1 has not stopped" in say(api, held, 2, "start", 409)["detail"]
    ended = say(api, held, 1, "stop")
    assert instant(ended["stopped_at"]) >= instant(begun["started_at"])
    assert say(api, held, 1, "stop") == ended == say(api, held, 1, "start")
    second = say(api, held, 2, "start")
    assert instant(second["starts_at"]) > datetime.now(UTC), "it went on before its time"
    shown = api.get(f"/workloads/{workload_id}")["placement"]["chunks"]
    assert [(one["started_at"], one["stopped_at"]) for one in shown] == [
        (ended["started_at"], ended["stopped_at"]), (second["started_at"], None),
    ]  # fmt: skip
    finish = api.client.post(f"/workloads/{workload_id}/finish", json={"token": held["token"]})
    assert finish.status_code == 200
    last = api.get(f"/workloads/{workload_id}")["placement"]["chunks"][1]
    assert last["stopped_at"] is not None, "it ended with its workload"
    assert "holds nothing any more (completed)" in say(api, held, 2, "stop", 409)["detail"]


def test_a_piece_that_was_passed_over_does_not_start_any_more(api: Api) -> None:
    (held,) = claim(api, workload_id=split(api, (-3, -2), (-1, 1), (2, 3)))
    say(api, held, 2, "start")
    assert "cannot start any more: chunk 2 has started" in say(api, held, 1, "start", 409)["detail"]
    say(api, held, 2, "stop")
    shown = api.get(f"/workloads/{held['workload_id']}")["placement"]["chunks"]
    assert [one["started_at"] is None for one in shown] == [True, False, True]


def test_what_is_said_late_has_its_time_and_one_that_cannot_be_is_refused(api: Api) -> None:
    """Ran from three hours ago: a piece of an hour, and one of half an hour, at 10 kW."""
    workload_id = split(api, (-3, -2), (-1, 1))
    (held,) = claim(api, workload_id=workload_id)
    now = datetime.now(UTC)
    api.query("update app.compute_workloads set actual_start = %s", now - 3 * HOUR)
    said = {"at": (now + HOUR).isoformat()}
    assert "has not come yet" in say(api, held, 1, "start", 422, **said)["detail"]
    assert "before its workload began" in say(api, held, 1, "start", 409, at=(now - 4 * HOUR).isoformat())["detail"]
    say(api, held, 1, "start", 422, at="yesterday")
    say(api, held, 1, "start", 422, token="7")
    first = say(api, held, 1, "start", at=(now - 3 * HOUR - HOUR / 120).isoformat())
    assert instant(first["started_at"]) == now - 3 * HOUR, "a clock may be some seconds wrong"
    assert "before it started" in say(api, held, 1, "stop", 409, at=(now - 3.5 * HOUR).isoformat())["detail"]
    say(api, held, 1, "stop", at=(now - 2 * HOUR).isoformat())
    assert "before the chunk before it stopped" in say(
        api, held, 2, "start", 409, at=(now - 2.5 * HOUR).isoformat()
    )["detail"]  # fmt: skip
    say(api, held, 2, "start", at=(now - 1 * HOUR).isoformat())
    say(api, held, 2, "stop", at=(now - 0.5 * HOUR).isoformat())
    done = api.client.post(f"/workloads/{workload_id}/finish", json={"token": held["token"]}).json()
    assert done["actual_energy_kwh"] == pytest.approx(15, abs=1e-6), "of what was reported, and not of its plan"


def test_an_old_token_and_another_operator_say_nothing(api: Api) -> None:
    api.asset(api.operator("Beta"), "rack")
    alpha = api.operator("Alpha")
    workload_id = split(api, (-1, 1), (3, 4), operator_id=alpha)
    (held,) = claim(api, workload_id=workload_id)
    path = f"/workloads/{workload_id}/chunks/1/start"
    theirs = api.client.post(path, json={"token": held["token"]}, headers=api.token("Beta"))
    assert theirs.status_code == 404
    say(api, held, 1, "start")
    assert "none of this workload's" in say(api, {**held, "token": 10**6}, 1, "stop", 409)["detail"]
    end_leases(api)
    api.get("/workloads/due")
    for step in ("start", "stop"):
        assert "(lost)" in say(api, held, 1, step, 409)["detail"]
    assert api.query("select stopped_at from app.workload_chunk_runs") == [(None,)], "nobody knows when"


def test_work_in_one_piece_has_none_to_report(api: Api) -> None:
    api.submit(**NOW)
    (held,) = claim(api)
    assert "runs in one piece" in say(api, held, 1, "start", 409)["detail"]
    (only,) = api.get(f"/workloads/{held['workload_id']}")["placement"]["chunks"]
    assert only["started_at"] is None and only["stopped_at"] is None
