"""What a refresh requests, and what a backfill leaves to others."""

from datetime import UTC, date, datetime, timedelta

from flows.plan import backfill_requests, reach, refresh_windows
from pipelines.catalogue import DATASETS, select
from warehouse.database import Database
from warehouse.periods import settlement_days


def test_a_refresh_asks_once_for_the_last_days_and_the_next_48_hours() -> None:
    now = datetime(2024, 6, 12, 9, 41, tzinfo=UTC)
    for dataset in [d for d in DATASETS.values() if d.source == "carbon_intensity"]:
        (window,) = refresh_windows(dataset, now)
        assert window.start == datetime(2024, 6, 9, 23, tzinfo=UTC), (
            "whole settlement days, which begin at 23:00Z in summer"
        )
        assert window.end == datetime(2024, 6, 14, 9, 30, tzinfo=UTC)
        assert now - window.start > timedelta(hours=24)


def test_january_is_left_to_the_year_s_file_only_when_that_must_exist() -> None:
    database = Database(host="", port=0, user="", name="", password="")  # never read: everything is requested
    chosen = select(["neso__demand_history", "neso__demand_update"])

    def begins(today: date) -> datetime:
        now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
        days = settlement_days(date(2026, 11, 1), today)
        requests = backfill_requests(database, chosen, days, now, force=True)
        return min(request.window.start for request in requests if request.dataset.name == "demand_update")

    assert begins(date(2027, 2, 10)) == datetime(2027, 1, 1, tzinfo=UTC), "the file of 2027 may not exist yet"
    assert begins(date(2027, 3, 10)) == datetime(2027, 2, 10, tzinfo=UTC)


def test_a_refresh_asks_neso_for_no_more_than_six_files() -> None:
    now = datetime(2024, 6, 12, 9, 41, tzinfo=UTC)
    asked = [d.slug for d in DATASETS.values() if d.source == "neso" for _ in refresh_windows(d, now)]
    assert len(asked) == len(set(asked)) == 6


def test_a_backfill_reaches_as_far_as_each_file_does() -> None:
    now = datetime(2024, 6, 12, 9, 41, tzinfo=UTC)
    asked = settlement_days(date(2024, 1, 1), date(2024, 6, 12))
    history, recent = (reach(DATASETS[f"neso__demand_{name}"], asked, now) for name in ("history", "update"))
    assert history and recent
    assert history.start == asked.start
    assert recent.start < history.end < recent.end < now, "no day lies between the two"
