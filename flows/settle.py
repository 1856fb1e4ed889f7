"""`settle`: each workload that has ended gets its receipt when its actuals are there, and again when they are final or revised."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import nan
from typing import Any
from uuid import UUID

import psycopg

from flows.outcome import flow, outcome, went_well
from flows.run_log import say
from flows.steps import step
from pipelines.catalogue import DATASETS
from placement.finished import Finished
from placement.outlook import Outlook, from_rows
from placement.receipt import Actuals, never_ran, receipt, without_figures
from placement.settlement import NOT_KNOWN, Amount
from placement.venues import Venues, of_operator
from warehouse import command, known, ledger, plans, receipts
from warehouse.database import Database, Role
from warehouse.periods import HALF_HOUR
from warehouse.prepare import prepare
from warehouse.receipts import Reader, Rows
from warehouse.server import resolve
from warehouse.settings import DecisionSettings

IN_ONE_TRANSACTION = 20
ACTUALS_OF = ("carbon_intensity__regional", "neso__n2ex_day_ahead")


@dataclass(frozen=True)
class SettledWorkloads:
    """What became of an operator's workloads that had ended."""

    operator_id: str
    looked_at: int = 0
    kept: int = 0
    """receipts, or new versions of such"""
    waiting: int = 0
    """whose actuals are not there yet"""
    skipped: str | None = None
    failed: tuple[str, ...] = ()
    """workloads that could not be settled, and why; they are tried again the next time"""


@flow(name="settle")
def settle() -> dict[str, Any]:
    """Keep a receipt for each workload that has ended, and its next version where an actual became final or was revised."""
    database = resolve()
    prepare(database)
    results = settle_all(database, DecisionSettings())
    return outcome([words for one in results for words in one.failed], operators=[asdict(one) for one in results])


def settle_all(database: Database, settings: DecisionSettings) -> list[SettledWorkloads]:
    """Every operator that has something to settle; no entry in the ledger if none has."""
    with database.connect(role=Role.SERVICE) as connection, connection.transaction():
        plans.speak_for(connection, "all")
        operators = receipts.operators(connection)
    due = {operator: found for operator in operators if (found := _due(database, operator))}
    if not due:
        return []
    with ledger.run(database, "settle", {}) as run:
        results = [_one(database, operator, found, settings) for operator, found in due.items()]
        run.summary |= {"operators": [asdict(one) for one in results]}
    for one in results:
        said = (
            one.skipped or f"{one.looked_at} looked at, {one.kept} receipts kept, {one.waiting} wait for their actuals"
        )
        say(f"operator {one.operator_id}: {said}")
    return results


def final_at(half_hour: datetime) -> datetime:
    """When no upstream revises a half-hour any more."""
    return max(DATASETS[slug].final_at(half_hour) for slug in ACTUALS_OF)


def _due(database: Database, operator_id: UUID) -> list[UUID]:
    with database.connect(role=Role.SERVICE, autocommit=False, name="energy settle") as connection:
        plans.speak_for(connection, operator_id)
        reader = Reader(connection)
        return reader.due(operator_id, _now(reader))


@step("settle the workloads of an operator")
def _one(database: Database, operator_id: UUID, due: Sequence[UUID], settings: DecisionSettings) -> SettledWorkloads:
    kept = waiting = 0
    failed: list[str] = []
    with database.connect(role=Role.SERVICE, autocommit=False, name="energy settle") as connection:
        for first in range(0, len(due), IN_ONE_TRANSACTION):
            with connection.transaction():
                plans.speak_for(connection, operator_id)
                if not _is_mine(connection, operator_id):
                    return SettledWorkloads(
                        str(operator_id), first, kept, waiting, "being settled elsewhere", tuple(failed)
                    )
                desk = _Desk(Reader(connection), settings)
                for workload_id in due[first : first + IN_ONE_TRANSACTION]:
                    try:
                        with (
                            connection.transaction()
                        ):  # what one workload is refused for keeps no other from its receipt
                            row = desk.receipt_of(workload_id)
                            waiting += row is None
                            kept += row is not None and receipts.keep(connection, row, desk.now)
                    except psycopg.OperationalError:
                        raise  # of the database, not of the workload
                    except Exception as error:
                        words = (str(error).splitlines() or [""])[0]
                        failed.append(f"workload {workload_id}: {type(error).__name__}: {words}")
    return SettledWorkloads(str(operator_id), len(due), kept, waiting, None, tuple(failed))


def _is_mine(connection: psycopg.Connection, operator_id: UUID) -> bool:
    row = connection.execute(receipts.LOCK, [str(operator_id)]).fetchone()
    return bool(row and row[0])


def _now(reader: Reader) -> datetime:
    found: datetime = reader.rows("select clock_timestamp() as now")[0]["now"]
    return found


class _Desk:
    """What one transaction reads and reckons."""

    def __init__(self, reader: Reader, settings: DecisionSettings):
        self.reader, self.settings, self.now = reader, settings, _now(reader)
        self.zones = reader.rows(known.ZONES)
        self.windows = [
            {**row, "price": nan} if row["is_synthetic"] and row["price"] is not None else row
            for row in reader.rows(receipts.WINDOWS)
        ]

    def receipt_of(self, workload_id: UUID) -> dict[str, Any] | None:
        """The receipt of a workload that has ended; None while its actuals may still come."""
        (workload,) = self.reader.rows(receipts.WORKLOAD, [workload_id])
        placements = self.reader.placements(workload_id, workload["began_at"], workload["ended_at"])
        moves = sum(row["is_move"] for row in placements[1:])
        finished = Finished(workload, placements[-1], placements[0], moves)
        value = self.settings.carbon_value_gbp_tonne
        if not finished.ran or not finished.fits:
            of = without_figures if finished.ran else never_ran
            return of(finished, self.now, carbon_value_gbp_tonne=value)
        actuals = self._actuals(finished)
        venues = self._venues(finished, actuals.outlook)
        promised = self._promised(finished)
        return receipt(finished, actuals, venues, promised, final_at, self.now, carbon_value_gbp_tonne=value)

    def _actuals(self, finished: Finished) -> Actuals:
        begins, ends = finished.span
        span = {"begins": begins, "ends": ends}
        intensities, prices = (
            self.reader.rows(statement, span) for statement in (receipts.INTENSITIES, receipts.PRICES)
        )
        trusted = [row for row in intensities if not row["is_isolated"]]
        came, could_be_trusted = (self._outlook(finished.span, rows, prices) for rows in (intensities, trusted))
        return Actuals(came, could_be_trusted, intensities, prices)

    def _outlook(self, span: tuple[datetime, datetime], intensities: Rows, prices: Rows) -> Outlook:
        begins, ends = span
        # the spine is as long as the span, also where nothing is known of its end
        last = int((ends - HALF_HOUR).timestamp())
        nothing = {"region_id": 1, "starts": last, "forecast_gco2_kwh": nan, "is_synthetic": nan}
        return from_rows(
            begins,
            intensities=[{**nothing, "forecast_known_at": begins}, *(row for row in intensities if row["is_real"])],
            priced=[row for row in prices if row["is_real"]],
            windows=self.windows,
            names=(),
            zones=self.zones,
            last_real=None,
        )

    def _venues(self, finished: Finished, outlook: Outlook) -> Venues:
        """Where it might have run: on its own asset, on those of its operator, or, if it ran on none, in regions and windows."""
        operator_id, ran_on = finished.workload["operator_id"], finished.placement["asset_id"]
        assets = self.reader.rows(receipts.ASSETS, {"operator_id": operator_id, "ran_on": ran_on}) if ran_on else []
        own = finished.workload["asset_id"]
        among = [row for row in assets if own is None or row["asset_id"] == own]
        return of_operator(operator_id, among, outlook, region_capacity_kw=self.settings.region_capacity_kw)

    def _promised(self, finished: Finished) -> Amount:
        """What starting at once was forecast to be when the workload was placed first."""
        at = {"known_at": finished.first["known_at"], "region_id": finished.first["region_id"]}
        intensities = self.reader.rows(receipts.THEN, at)
        if not intensities:
            return NOT_KNOWN
        prices = self.reader.rows(known.PRICE, at)
        return finished.at_once_promised(
            from_rows(
                at["known_at"], intensities=intensities, priced=prices, windows=self.windows, names=(), zones=(),
                last_real=None,
            )
        )  # fmt: skip


def main() -> None:
    """The command line."""
    argparse.ArgumentParser(prog="python -m flows.settle", description=settle.__doc__).parse_args()
    command.run(lambda: went_well(settle))


if __name__ == "__main__":
    main()
