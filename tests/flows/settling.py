"""A past with actuals of its own, and workloads that ran in it, for the tests of receipts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from flows.settle import SettledWorkloads, settle_all
from tests.conftest import copy_database
from tests.warehouse.app_rows import become, operator, place, workload
from warehouse.database import Database
from warehouse.prepare import limit_regions
from warehouse.settings import DecisionSettings

SLOT = timedelta(minutes=30)
HOUR = timedelta(hours=1)
SETTINGS = DecisionSettings(carbon_value_gbp_tonne=264)
PAYLOAD = uuid4()


def actuals(
    db: psycopg.Connection,
    begins: datetime,
    grams: Sequence[float | None],
    pounds: Sequence[float | None],
    *,
    region_id: int = 13,
    fetched_after: timedelta = timedelta(days=3),
    is_synthetic: Sequence[int] = (),
) -> None:
    """Actuals hour by hour from an instant: gCO2/kWh in a region, and GBP/MWh; None is a gap."""
    for at in range(2 * len(grams)):
        start, gram, pound = begins + at * SLOT, grams[at // 2], pounds[at // 2]
        common = [PAYLOAD, at // 2 in is_synthetic, start + SLOT + fetched_after, start]
        if gram is not None:
            db.execute(
                "insert into carbon_intensity_regional (region_id, period_start, period_end, forecast_gco2_kwh, payload_id, "
                "is_synthetic, fetched_at, updated_at) values (%s, %s, %s, %s, %s, %s, %s, %s)",
                [region_id, start, start + SLOT, gram, *common],
            )
        if pound is not None:
            db.execute(
                "insert into wholesale_prices (market, period_start, period_end, settlement_date, settlement_period, "
                "price_gbp_mwh, source, payload_id, is_synthetic, fetched_at, updated_at) "
                "values ('n2ex_day_ahead', %s, %s, (%s at time zone 'Europe/London')::date, 1, %s, 'neso', %s, %s, %s, %s) "
                "on conflict do nothing",
                [start, start + SLOT, start, pound, *common],
            )


class Past:
    """Workloads of an operator that have ended, and their receipts."""

    def __init__(self, database: Database, db: psycopg.Connection):
        self.database, self.db = database, db
        self.operator = operator(db)

    def workload(self, begins: datetime, *, minutes: int = 120, hours: int = 8, **more: Any) -> UUID:
        """A workload of 10 kW that may run in London, from an instant on, for so many hours."""
        within = {"earliest_start": begins, "deadline": begins + hours * HOUR, "region_ids": [13]}
        return workload(self.db, self.operator, minutes=minutes, **{**within, **more})

    def place(self, this: UUID, *pieces: tuple[datetime, datetime], **more: Any) -> UUID:
        """Give it a place, in one piece or several."""
        (starts, _), (_, ends) = pieces[0], pieces[-1]
        with self.db.transaction():
            placed = place(self.db, this, at=starts, ends_at=ends, chunks=len(pieces), **{"known_at": starts, **more})
            for number, (begin, end) in enumerate(pieces, start=1) if len(pieces) > 1 else ():
                self.db.execute(
                    "insert into app.placement_chunks (placement_id, number, operator_id, starts_at, ends_at, power_kw) "
                    "values (%s, %s, %s, %s, %s, 10)",
                    [placed, number, self.operator, begin, end],
                )
            become(self.db, this, "scheduled", placement_id=placed)
        return placed

    def move(self, this: UUID, old: UUID, *pieces: tuple[datetime, datetime], **more: Any) -> UUID:
        """Give it another place, as a new plan does."""
        become(self.db, this, "pending")
        return self.place(this, *pieces, reason="replanned", replaces=old, **more)

    def run(self, this: UUID, began: datetime, ended: datetime, status: str = "completed") -> UUID:
        """It has run; the workload."""
        become(self.db, this, "running", at=began)
        become(self.db, this, status, at=ended)
        return this

    def claim(self, this: UUID) -> int:
        """A claim of a workload; its token."""
        row = self.db.execute(
            "insert into app.workload_claims (workload_id, operator_id, attempt, runner, lease_seconds, leased_until) "
            "values (%s, %s, 1, 'a runner', 60, now()) returning token",
            [this, self.operator],
        ).fetchone()
        assert row
        return int(row[0])

    def report(self, placed: UUID, number: int, token: int, started: datetime, stopped: datetime | None) -> None:
        """Its runner says when a piece of it started and stopped."""
        self.db.execute(
            "insert into app.workload_chunk_runs "
            "(placement_id, number, token, workload_id, operator_id, started_at, stopped_at) "
            "select %s, %s, token, workload_id, operator_id, %s, %s from app.workload_claims where token = %s",
            [placed, number, started, stopped, token],
        )

    def run_in_pieces(
        self,
        this: UUID,
        began: datetime,
        ended: datetime,
        *pieces: tuple[int, float, float | None],
        day: datetime,
        outcome: str = "completed",
    ) -> None:
        """It has run under a claim, and these pieces were reported: number, start, stop, in hours of the day."""
        with self.db.transaction():
            become(self.db, this, "running", at=began)
            token = self.claim(this)
            ((placed,),) = self.db.execute(
                "select placement_id from app.compute_workloads where workload_id = %s", [this]
            ).fetchall()
            for number, started, stopped in pieces:
                self.report(
                    placed, number, token, day + started * HOUR, None if stopped is None else day + stopped * HOUR
                )
            if outcome == "lost":
                self.db.execute(
                    "update app.workload_claims set ended_at = %s, outcome = 'lost' where token = %s", [ended, token]
                )
            become(self.db, this, "failed" if outcome == "lost" else outcome, at=ended)

    def settle(self) -> Mapping[str, Any]:
        """What became of its workloads; nothing if none was due."""
        found = {one.operator_id: one for one in settle_all(self.database, SETTINGS)}
        return vars(found.get(str(self.operator), SettledWorkloads(str(self.operator))))

    def receipts(self, this: UUID) -> list[dict[str, Any]]:
        """All versions."""
        with self.db.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(
                "select * from app.receipts where workload_id = %s order by version", [this]
            ).fetchall()

    def receipt(self, this: UUID) -> dict[str, Any]:
        """Its only version."""
        (found,) = self.receipts(this)
        return found


def at(text: str) -> datetime:
    """An instant in UTC, such as 2025-10-20 01:30."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def figures(row: Mapping[str, Any], *names: str) -> list[tuple[float | None, float | None]]:
    """Carbon (kg) and cost (GBP) of these."""
    return [
        tuple(
            None if row[f"{name}_{unit}"] is None else float(row[f"{name}_{unit}"])
            for unit in ("carbon_kg", "cost_gbp")
        )  # type: ignore[misc]
        for name in names
    ]


@pytest.fixture(scope="module", name="past_database")
def a_past_database(server: Database, template: Database) -> Iterator[Database]:
    made = replace(template, name=f"{template.name}_past")
    copy_database(server, template, made)
    yield made
    with server.connect() as connection:
        connection.execute(f'drop database if exists "{made.name}" with (force)')


@pytest.fixture(name="past")
def a_past(past_database: Database) -> Iterator[Past]:
    with past_database.connect() as connection:
        connection.execute("truncate app.operators, carbon_intensity_regional, wholesale_prices cascade")
        limit_regions(connection, 1000)
        yield Past(past_database, connection)
