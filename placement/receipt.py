"""The receipt of a finished workload as a row of `app.receipts`: what it was promised, what came, what else could have been."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

from placement.finished import Finished
from placement.outlook import Outlook
from placement.settlement import NOT_KNOWN, Amount, Course, Settled, Site, half_hours, settle, without
from placement.spine import HALF_HOUR
from placement.venues import Venues
from warehouse.periods import HALF_HOUR as SLOT
from warehouse.periods import floor

PUBLISHED_WITHIN = timedelta(hours=1)
"""By then an upstream has given the actual of a half-hour, unless it is late"""
LAST_LOOK = timedelta(hours=1)
"""So long before it is no longer revised a half-hour may be fetched last: refreshes request it until its third day ends"""
METHOD = "docs/decisions/average_and_marginal.md"
Row = Mapping[str, Any]
FinalAt = Callable[[datetime], datetime]
"""When a half-hour is no longer revised"""


@dataclass(frozen=True)
class Actuals:
    """The actuals of a span as arrays, and as the rows that are known of its half-hours, whatever they are.

    Rows have `region_id` (not of prices), `starts`, `is_real`, `is_synthetic`, `fetched_at`, `payload_id`. `trusted` is without
    values that stand apart from those around them (`is_isolated`): no decision rests on such, so no comparison does.
    """

    outlook: Outlook
    trusted: Outlook
    intensities: Sequence[Row]
    prices: Sequence[Row]

    def of_run(self, ran: Course) -> tuple[list[Row], list[Row]]:
        """Intensities and prices of the half-hours in which something ran."""
        used = {self.outlook.first + at * HALF_HOUR for at in half_hours(ran.stretches, self.outlook)}
        here = (row for row in self.intensities if row["region_id"] == ran.site.region_id)
        return [row for row in here if row["starts"] in used], [row for row in self.prices if row["starts"] in used]


def never_ran(finished: Finished, known_at: datetime, *, carbon_value_gbp_tonne: float) -> dict[str, Any]:
    """The receipt of a workload that ran for no time: it emitted nothing, and is compared with nothing."""
    is_cancelled = finished.workload["status"] == "cancelled"
    what = "It was cancelled before it began" if is_cancelled else "It is not said to have run for any time"
    return {
        **_about(finished, carbon_value_gbp_tonne),
        **{"began_at": None, "ended_at": None, "energy_kwh": 0.0, "work_kwh": 0.0, "chunks": 1},
        **_of("realised", Amount(0.0, 0.0)),
        **{"half_hours": 0, "half_hours_without_intensity": 0, "half_hours_without_price": 0},
        **{"notes": [f"{what}: nothing ran, and nothing was saved."], "based_on": {"method": METHOD}},
        **{"is_final": True, "known_at": known_at},
    }


def without_figures(finished: Finished, known_at: datetime, *, carbon_value_gbp_tonne: float) -> dict[str, Any]:
    """The receipt of one that ran when its pieces were not due: what it drew, and when, is not known."""
    began, ended = finished.workload["began_at"], finished.workload["ended_at"]
    spans_from, spans_to = finished.span
    what = f"It ran from {began:%Y-%m-%d %H:%M}Z to {ended:%Y-%m-%d %H:%M}Z, and its pieces were due at other times"
    return {
        **_about(finished, carbon_value_gbp_tonne),
        **{"began_at": began, "ended_at": ended, "energy_kwh": None, "work_kwh": None},
        "chunks": len(finished.placement["pieces"]),
        **_of("realised", NOT_KNOWN),
        **{"half_hours": 0, "half_hours_without_intensity": 0, "half_hours_without_price": 0},
        "notes": [
            f"{what}: what it drew, emitted and cost is not known.",
            *([] if finished.placement["runs"] else ["Its runner did not report when each piece started and stopped."]),
        ],
        "based_on": {"method": METHOD},
        **{"is_final": True, "known_at": known_at, "spans_from": spans_from, "spans_to": spans_to},
    }


def receipt(
    finished: Finished,
    actuals: Actuals,
    venues: Venues,
    at_once_promised: Amount,
    final_at: FinalAt,
    known_at: datetime,
    *,
    carbon_value_gbp_tonne: float,
) -> dict[str, Any] | None:
    """The receipt by what is known at an instant; None while an actual of its run is not there and may still come."""
    ran, first = finished.course(actuals.outlook), finished.first_course(actuals.outlook)
    at = half_hours(ran.stretches, actuals.outlook)
    no_intensity = without(ran.site.region_id - 1, at, actuals.outlook)
    own = ran.site.own_price_gbp_mwh
    no_price = without(None, at, actuals.outlook) if own is None else len(at) if isnan(own) else 0
    if (no_intensity or (no_price and own is None)) and known_at < final_at(floor(ran.pieces[-1][1])):
        return None
    value = carbon_value_gbp_tonne / 1000
    found = settle(
        finished.task, ran, first, first.site, venues, actuals.outlook, actuals.trusted, carbon_value_gbp_kg=value
    )
    intensities, prices = actuals.of_run(ran)
    begins, ends = finished.span
    no_more = final_at(ends - SLOT)
    is_final = no_intensity == 0 and known_at >= no_more
    is_final = is_final and all(
        row["fetched_at"] >= final_at(_instant(row["starts"])) - LAST_LOOK for row in intensities
    )
    row = {
        **_about(finished, carbon_value_gbp_tonne),
        "began_at": finished.workload["began_at"],
        "ended_at": finished.workload["ended_at"],
        "energy_kwh": round(ran.energy_kwh, 6),
        "work_kwh": round(found.work_kwh, 6),
        "chunks": len(ran.pieces),
        **_of("at_once_promised", at_once_promised),
        **_figures(found),
        "half_hours": len(at),
        "half_hours_without_intensity": no_intensity,
        "half_hours_without_price": no_price,
        "half_hours_synthetic": sum(bool(row["is_synthetic"]) for row in intensities),
        "coverage": round(1 - no_intensity / len(at), 4) if at else None,
        "based_on": _based_on(intensities, prices, ran.site),
        "is_final": is_final,
        "final_at": no_more,
        "known_at": known_at,
        "spans_from": begins,
        "spans_to": ends,
        "again_at": next((at for at in (ends + PUBLISHED_WITHIN, no_more) if at > known_at), None),
    }
    return {**row, "notes": _notes(finished, ran, row, found)}


def _about(finished: Finished, carbon_value_gbp_tonne: float) -> dict[str, Any]:
    workload, placed, first = finished.workload, finished.placement, finished.first
    slack = workload["deadline"] - workload["earliest_start"] - timedelta(minutes=workload["duration_minutes"])
    return {
        **{name: workload[name] for name in ("workload_id", "operator_id", "status", "duration_minutes", "attempts")},
        "placement_id": placed["placement_id"],
        "first_placement_id": first["placement_id"],
        "region_id": placed["region_id"],
        "first_region_id": first["region_id"],
        "slack_minutes": int(slack / timedelta(minutes=1)),
        "moves": finished.moves,
        "carbon_to_cost_weight": float(workload["carbon_to_cost_weight"]),
        "carbon_value_gbp_tonne": carbon_value_gbp_tonne,
        **_of("promised", _promise(placed)),
        **_of("first_promised", _promise(first)),
    }


def _promise(placement: Row) -> Amount:
    cost = placement["cost_gbp"]
    return Amount(float(placement["carbon_kg"]), None if cost is None else float(cost))


def _figures(found: Settled) -> dict[str, Any]:
    return {
        **_of("realised", found.realised),
        **_of("at_once", found.at_once),
        **_of("at_once_here", found.at_once_here),
        **_of("at_once_elsewhere", found.at_once_elsewhere),
        **_of("first_plan", found.first_plan),
        **_of("foresight", found.foresight.amount),
        "foresight_region_id": found.foresight.region_id,
        "foresight_starts_at": found.foresight.starts_at,
    }


def _of(name: str, amount: Amount) -> dict[str, float | None]:
    return {f"{name}_{unit}": None if value is None else round(value, 6) for unit, value in amount._asdict().items()}


def _based_on(intensities: Sequence[Row], prices: Sequence[Row], site: Site) -> dict[str, Any]:
    """Which rows the realised figures rest on."""

    def payloads(rows: Sequence[Row]) -> list[str]:
        return sorted({str(row["payload_id"]) for row in rows if row["is_real"]})

    carbon = {"table": "carbon_intensity_regional", "region_id": site.region_id, "payload_ids": payloads(intensities)}
    if site.own_price_gbp_mwh is not None:
        own = None if isnan(site.own_price_gbp_mwh) else site.own_price_gbp_mwh
        return {"method": METHOD, "intensity": carbon, "own_price": {"gbp_mwh": own}}
    price = {"table": "wholesale_prices", "market": "n2ex_day_ahead", "payload_ids": payloads(prices)}
    return {"method": METHOD, "intensity": carbon, "price": price}


def _notes(finished: Finished, ran: Course, row: Row, found: Settled) -> list[str]:
    notes, status = [], row["status"]
    if gaps := row["half_hours_without_intensity"]:
        synthetic = row["half_hours_synthetic"]
        notes.append(
            f"{gaps} of the {row['half_hours']} half-hours in which it ran have no actual intensity"
            + (f" ({synthetic} of them a synthetic value, which is no measurement)" if synthetic else "")
            + ": what it emitted is not known."
        )
    if gaps := row["half_hours_without_price"]:
        notes.append(
            f"{gaps} of the {row['half_hours']} half-hours in which it ran have no price: what it cost is not known."
        )
    if found.foresight.because:
        notes.append(f"What perfect foresight would have given is not known: {found.foresight.because}.")
    if status != "completed":
        what = "failed" if status == "failed" else "was cancelled while it ran"
        notes.append(f"It {what}: its emissions and its cost count, and it saved nothing.")
    if row["attempts"] > 1:
        notes.append(f"It was begun {row['attempts']} times: what the attempts before the last drew is not known.")
    notes += _notes_on_pieces(finished)
    planned = sum((chunk["ends_at"] - chunk["starts_at"]).total_seconds() for chunk in finished.placement["pieces"])
    if abs(ran.seconds - planned) > 0.1 * planned:
        minutes, expected = (round(seconds / 60, 1) for seconds in (ran.seconds, planned))
        notes.append(
            f"It ran for {minutes:g} minutes, not for {expected:g}: what was promised is for the planned length, everything "
            "else for the real one."
        )
    return notes


def _notes_on_pieces(finished: Finished) -> list[str]:
    """Which times of its pieces nobody reported, and what is taken in their stead."""
    pieces = finished.pieces
    if len(finished.placement["pieces"]) < 2:
        return []
    notes = []
    if silent := sum(not piece.is_start_reported for piece in pieces):
        which = "its pieces" if silent == len(pieces) else f"{silent} of the {len(pieces)} pieces in which it ran"
        notes.append(f"When {which} started and stopped was not reported: the times of its placement are taken.")
    if any(piece.is_start_reported and not piece.is_stop_reported for piece in pieces):
        notes.append("When its last piece stopped was not reported: the end of the run is taken.")
    return notes


def _instant(starts: int) -> datetime:
    return datetime.fromtimestamp(starts, UTC)
