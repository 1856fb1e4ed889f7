"""System prices that are calculated again are read again by what is stored, at whatever hour, and then left alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from flows.plan import backfill_requests
from flows.rereads import refresh_requests
from flows.session import session
from flows.steps import land, publish
from pipelines.catalogue import DATASETS
from tests.emulator import Emulator
from tests.emulator.elexon import working_days
from tests.energy import Energy
from warehouse.periods import LONDON, settlement_days

SLUG = "elexon__system_prices"
PRICES = DATASETS[SLUG]
DAY = timedelta(days=1)
EASTER = ("2026-04-01", "2026-04-10")
REFRESHED = [date(2026, 4, 1) + n * DAY for n in (*range(13), 18, 23, 27, 34, 41)]
"""Daily, and then now and then, as on a laptop that is often off."""


def refresh_at(
    energy: Energy,
    emulator: Emulator,
    now: datetime,
    *,
    published: bool = False,
    answered_as_of: datetime | None = None,
) -> int:
    """A refresh at an instant that has been, with what arrived then. Returns how many days it requested."""
    emulator.now = lambda: answered_as_of or now
    with session("refresh", {}, now=now) as this:
        requests = refresh_requests(energy.database, [PRICES], now)
        land(this, requests)
        if published:
            assert not publish(this).failures
    energy.query(
        f"update staging.{SLUG}_payloads set fetched_at = least(fetched_at, %s), request_params = request_params || "
        "case when (request_params ->> 'seen_at')::timestamptz > now() - interval '1 hour' "
        "then jsonb_build_object('seen_at', %s::text) else '{}' end where fetched_at > now() - interval '1 hour' "
        "or (request_params ->> 'seen_at')::timestamptz > now() - interval '1 hour'",
        now,
        now.isoformat(),
    )
    return len(requests)


def given(emulator: Emulator, day: date) -> list[dict[str, Any]]:
    """What the emulator answers for a settlement day."""
    answer = httpx.get(f"{emulator.settings['ELEXON_URL']}/balancing/settlement/system-prices/{day}")
    return list(answer.json()["data"])


def stored(energy: Energy) -> dict[Any, Any]:
    """The newest calculation of each half-hour that has landed."""
    return dict(
        energy.query(
            "select distinct on (1) (row ->> 'startTime')::timestamptz, (row ->> 'systemSellPrice')::numeric "
            f"from staging.{SLUG}_payloads, jsonb_array_elements(payload -> 'data') as row "
            "order by 1, (row ->> 'createdDateTime') desc"
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("hour", [9, 23])
def test_prices_of_easter_end_as_the_last_run_left_them(energy: Energy, emulator: Emulator, hour: int) -> None:
    """No refresh is in the evening of a working day, when the runs are over."""
    counts = []
    for day in REFRESHED:
        now = datetime(day.year, day.month, day.day, hour, 7, tzinfo=LONDON).astimezone(UTC)
        counts.append(refresh_at(energy, emulator, now))
        assert refresh_at(energy, emulator, now) == 3, "what was just read is not read again"
    first, last = (date.fromisoformat(text) for text in EASTER)
    held = stored(energy)
    for row in (row for n in range((last - first).days + 1) for row in given(emulator, first + n * DAY)):
        assert float(held[datetime.fromisoformat(row["startTime"])]) == row["systemSellPrice"], row["startTime"]
    assert sum(counts) < 3 * len(REFRESHED) + 6 * 20, "a day is read again a handful of times"


@pytest.mark.parametrize("kind", ["empty", "short_horizon", "a copy of the first morning"])
def test_an_answer_without_the_rows_is_not_the_rereading_of_a_day(
    energy: Energy, emulator: Emulator, kind: str
) -> None:
    day = date(2026, 4, 2)
    first, last = datetime(2026, 4, 2, 8, 7, tzinfo=UTC), datetime(2026, 4, 8, 8, 7, tzinfo=UTC)
    refresh_at(energy, emulator, first)
    if kind != "a copy of the first morning":
        refresh_at(energy, emulator, first + 2 * DAY)
        emulator.fault(kind, f"/system-prices/{day}")
    assert refresh_at(energy, emulator, last, answered_as_of=None if emulator.faults else first) > 3
    emulator.reset()
    refresh_at(energy, emulator, last + DAY)
    held = stored(energy)
    for row in given(emulator, day):
        assert float(held[datetime.fromisoformat(row["startTime"])]) == row["systemSellPrice"], row["startTime"]
    emulator.requests.clear()
    refresh_at(energy, emulator, last + DAY + timedelta(hours=1))
    assert not any(str(day) in path for _, path in emulator.requests), "what is whole is not read again"


@pytest.mark.slow
def test_a_day_that_came_again_unchanged_is_complete_for_a_backfill(energy: Energy, emulator: Emulator) -> None:
    """Its last new body came when the run was done, and before it is certain that it was."""
    day = date(2026, 4, 14)
    for hours in (20, 48.75, 66):
        refresh_at(energy, emulator, settlement_days(day, day).start + timedelta(hours=hours), published=True)
    energy.query(
        "update wholesale_prices as price set fetched_at = payload.fetched_at "
        f"from staging.{SLUG}_payloads as payload where price.payload_id = payload.payload_id"
    )
    assert energy.value(f"select count(*) from staging.{SLUG}_payloads where request_params ? 'seen_at'") > 0
    asked = settlement_days(day, day)
    assert backfill_requests(energy.database, [PRICES], asked, datetime.now(UTC), force=False) == []
    energy.query(f"update staging.{SLUG}_payloads set request_params = request_params - 'seen_at'")
    assert len(backfill_requests(energy.database, [PRICES], asked, datetime.now(UTC), force=False)) == 1


def test_the_emulator_runs_again_on_working_days_alone(emulator: Emulator) -> None:
    thursday = date(2026, 4, 2)
    assert working_days.next_working_day(thursday) == date(2026, 4, 7)

    def created(now: datetime) -> set[str]:
        emulator.now = lambda: now
        return {row["createdDateTime"][:10] for row in given(emulator, thursday)}

    assert created(datetime(2026, 4, 6, 20, tzinfo=UTC)) == {"2026-04-01", "2026-04-02"}
    assert created(datetime(2026, 4, 8, 1, tzinfo=UTC)) == {"2026-04-06", "2026-04-07"}
    assert created(datetime(2026, 5, 10, tzinfo=UTC)) == {"2026-04-26", "2026-04-27"}
