"""The staging checkpoint: what landed, before dbt publishes it. Only rows that are still to be published are read.

A dataset that fails is held back: its payloads get the verdict `held` with the reason, and dbt skips them. Where
several payloads wait, each is validated alone, so that one bad payload does not hold back the others.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from great_expectations import expectations as gxe

from checkpoints.subjects import Expected
from checkpoints.suite import Suites, failed, rows_that
from warehouse.database import Database, Role
from warehouse.ledger import QualityResult, Run
from warehouse.relations import pending_rows

# The shares below are of rows. A few impossible values are an upstream's normal (they become NULL, and are counted);
# a tenth of them means that the upstream, or our reading of it, has changed.
TOLERATED_FAULTS = 0.9


def expectations(expected: Expected) -> list[Any]:
    """What must hold of a dataset's rows: they are within its time, few are impossible, and enough of its value is present."""
    return [
        rows_that(
            f"rows lie between {expected.first_year} and {expected.days_ahead} days ahead",
            f"select * from {{batch}} where period_start < '{expected.first_year - 1}-12-31T00:00:00+00:00' "
            f"or period_start > now() + interval '{expected.days_ahead} days'",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="fault", mostly=TOLERATED_FAULTS, description="at least 90 % of the rows are possible"
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="fault", severity="warning", description="no row had to be set aside as impossible"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column=expected.value,
            mostly=expected.least_share,
            description=f"at least {expected.least_share:.0%} of {expected.value} is there",
        ),
    ]


@dataclass(frozen=True)
class Verdict:
    """What became of the payloads of a dataset that waited to be published."""

    dataset: str
    passed: int
    held: dict[uuid.UUID, str]
    set_aside: dict[str, int]
    """Impossible values that stay in the payload and become NULL: how many rows, by fault."""
    results: list[QualityResult]


def validate(database: Database, run: Run, suites: Suites, dataset: str, expected: Expected) -> Verdict:
    """Validate the pending payloads of a dataset, and record a verdict for each."""
    waiting = _waiting(database, dataset)
    held: dict[uuid.UUID, str] = {}
    results: list[QualityResult] = []
    if any(rows for rows in waiting.values()):
        results = _run(suites, dataset, expected)
        reason = _reason(results)
        if reason and len(waiting) > 1:
            for payload_id in waiting:
                alone = _reason(_run(suites, dataset, expected, payload_id))
                if alone:
                    held[payload_id] = alone
            reason = None
        elif reason:
            held = dict.fromkeys(waiting, reason)
        run.record_quality(results)
    passed = [payload_id for payload_id in waiting if payload_id not in held]
    run.record_verdicts(dataset, passed, held_because=None)
    for payload_id, because in held.items():
        run.record_verdicts(dataset, [payload_id], held_because=because)
    return Verdict(
        dataset=dataset, passed=len(passed), held=held, set_aside=_faults(database, dataset), results=results
    )


def validate_alone(database: Database, suites: Suites, dataset: str, expected: Expected, payload_id: uuid.UUID) -> None:
    """Do with one payload what a validation does, without a verdict: raises what its values raise."""
    _waiting(database, dataset, payload_id)
    _run(suites, dataset, expected, payload_id)
    _faults(database, dataset, payload_id)


def _waiting(database: Database, dataset: str, payload_id: uuid.UUID | None = None) -> dict[uuid.UUID, int]:
    """The pending payloads, with how many rows each has."""
    with database.connect(role=Role.TRANSFORMER) as connection:
        rows = connection.execute(
            f"select pending.payload_id, count(pending.period_start) from {pending_rows(dataset)} as pending "
            "where not exists (select 1 from ops.payload_verdicts as verdict where verdict.payload_id = pending.payload_id) "
            "and (%(only)s::uuid is null or pending.payload_id = %(only)s) group by pending.payload_id",
            {"only": payload_id},
        ).fetchall()
    return dict(rows)


def _faults(database: Database, dataset: str, payload_id: uuid.UUID | None = None) -> dict[str, int]:
    with database.connect(role=Role.TRANSFORMER) as connection:
        rows = connection.execute(
            f"select fault, count(*) from {pending_rows(dataset)} where fault is not null "
            "and (%(only)s::uuid is null or payload_id = %(only)s) group by fault",
            {"only": payload_id},
        ).fetchall()
    return dict(rows)


def _run(suites: Suites, dataset: str, expected: Expected, payload_id: uuid.UUID | None = None) -> list[QualityResult]:
    # Great Expectations learns the columns of a query by running it: every row of it comes into memory, so only what is read
    query = f"select period_start, fault, {expected.value} from {pending_rows(dataset)} where period_start is not null"
    if payload_id:
        query += f" and payload_id = '{payload_id}'"
    return suites.run(checkpoint="staging", dataset=dataset, query=query, expectations=expectations(expected))


def _reason(results: list[QualityResult]) -> str | None:
    """Why these rows are held back, or None if they are not."""
    faults = failed(results)
    return (
        "; ".join(f"not met: {fault.description}" + (f" ({fault.raised})" if fault.raised else "") for fault in faults)
        or None
    )
