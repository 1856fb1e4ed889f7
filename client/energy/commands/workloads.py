"""`energy submit`, `status` and `cancel`."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from energy import places, spans
from energy.answers import Placement, PlacementOption, Submitted, Workload, Workloads
from energy.api import Api
from energy.clock import Clock
from energy.commands.printed import out
from energy.job import Job


def submit(arguments: Namespace, api: Api, job: Job, clock: Clock) -> int:
    """Submit a workload and print its place. 1 if it has none. Raises Trouble."""
    found: Submitted = api.post("/submit_task", job.body(places.region_ids(api, job.place)), key=str(uuid4()))
    if arguments.json:
        out(json.dumps(found))
    else:
        placed = found["placement"]
        where = _place(placed, placed["mean_gco2_kwh"], clock) if placed else f"pending: {found['unplaced_because']}"
        out(f"{found['workload_id']}  {where}")
        out(found["data"]["in_words"])
    return 0 if found["placement"] else 1


def status(arguments: Namespace, api: Api, clock: Clock) -> int:
    """Print a workload, or the newest. Raises Trouble."""
    if arguments.workload_id:
        found: Any = api.get(f"/workloads/{arguments.workload_id}")
        rows: list[Workload] = [found]
    else:
        page: Workloads = api.get("/workloads", limit=arguments.limit)
        found, rows = page, page["workloads"]
    if arguments.json:
        out(json.dumps(found))
        return 0
    for row in rows:
        out(f"{row['workload_id']}  {row['status']:9}  {_described(row, clock)}  {row['request'][:60]}")
        for line in _chunks(row["placement"], clock):
            out(f"    {line}")
    if not rows:
        out("no workloads")
    return 0


def cancel(arguments: Namespace, api: Api, _clock: Clock) -> int:
    """Cancel a workload. Raises Trouble."""
    found: Workload = api.patch(f"/workloads/{arguments.workload_id}", {"status": "cancelled"})
    out(f"{found['workload_id']}  {found['status']}")
    return 0


def _described(row: Workload, clock: Clock) -> str:
    if row["actual_end"] and row["actual_carbon_kg"] is not None:
        return f"ended {_when(row['actual_end'], clock)}, {row['actual_carbon_kg']:g} kg CO2"
    if row["actual_end"] or row["actual_start"]:
        word, at = ("ended", row["actual_end"]) if row["actual_end"] else ("began", row["actual_start"])
        return f"{word} {_when(str(at), clock)}"
    placed = row["placement"]
    return _place(placed, placed["mean_intensity_gco2_kwh"], clock) if placed else row["unplaced_because"] or "no place"


def _chunks(placed: Placement | None, clock: Clock) -> Iterator[str]:
    """A line for each chunk of a placement in several: as it was placed, and as it ran as far as that was reported."""
    chunks = placed["chunks"] if placed else []
    for number, chunk in enumerate(chunks if len(chunks) > 1 else (), start=1):
        started, stopped = chunk.get("started_at"), chunk.get("stopped_at")
        ran = f"; started {_when(started, clock)}" if started else ""
        ran += f", stopped {_when(stopped, clock)}" if stopped else ", not stopped" if started else ""
        yield f"{number}: {_when(chunk['starts_at'], clock)} to {_when(chunk['ends_at'], clock)}{ran}"


def _place(placed: PlacementOption | Placement, gco2_kwh: float, clock: Clock) -> str:
    span = f"{_when(placed['starts_at'], clock)} to {_when(placed['ends_at'], clock)}"
    return f"{span}, {placed['region_name'] or placed['region_id']}, {gco2_kwh:.0f} gCO2/kWh, {placed['carbon_kg']:g} kg CO2"


def _when(text: str, clock: Clock) -> str:
    return spans.local(spans.instant(text), clock.now())
