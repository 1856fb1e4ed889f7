"""Why a cost is null, beside it in every response; and the marked estimate of a placement that had no price."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from placement import prices
from placement.outlook import Outlook

WHEN_PLACED = "no day-ahead price was known for the whole run when it was placed"
OF_A_RUN = "a half-hour of it has no price"
NO_PLACE_BEFORE = "it had no place before"
ONE_OF_TWO = "one of the two costs that it compares is not known"
NOT_COMPLETED = "only a completed run has one"
CHANGED_SINCE = "the workload has changed since then"
RAN_FOR_NO_TIME = "it ran for no time"
WHEN_COMPLETED = "when it completed, not every half-hour in which it ran had a real price"
NONE_COMPLETED = "no completed run has a known one"


def why_unknown(found: Mapping[str, Any]) -> dict[str, str]:
    """For each cost of an object that is null and has no reason beside it: its reason, under its name with `unknown_because`."""
    reasons = {}
    for name, value in found.items():
        if value is not None or not name.endswith("cost_gbp"):
            continue
        beside = f"{name.removesuffix('gbp')}unknown_because"
        if not found.get(beside):
            reasons[beside] = _why(name, found)
    return reasons


def _why(name: str, found: Mapping[str, Any]) -> str:
    if name == "gain_cost_gbp":
        return ONE_OF_TWO if found.get("replaces") else NO_PLACE_BEFORE
    if name == "actual_cost_gbp":
        if found.get("is_changed_since"):
            return CHANGED_SINCE
        if found.get("status") != "completed":
            return NOT_COMPLETED
        return RAN_FOR_NO_TIME if found.get("actual_start") in (None, found.get("actual_end")) else WHEN_COMPLETED
    if name == "total_cost_gbp":
        return NONE_COMPLETED
    return WHEN_PLACED if "replaces" in found else OF_A_RUN


def with_estimate(workload: Mapping[str, Any], outlook: Outlook) -> dict[str, Any]:
    """A row of a workload, whose placement has the fields that a submission's has: why it has no cost, and an estimate."""
    placed = workload["placement"]
    return {**workload, "placement": None if placed is None else {**placed, **_estimate(placed, outlook)}}


def _estimate(placed: Mapping[str, Any], outlook: Outlook) -> dict[str, Any]:
    estimate = error = None
    if placed["cost_gbp"] is None:
        begins, ends = (datetime.fromisoformat(placed[name]) for name in ("starts_at", "ends_at"))
        unknown = outlook.unknown_price(begins, ends - begins)
        estimate, error = (
            None if (price := unknown[name]) is None else round(price * float(placed["energy_kwh"]) / 1000, 4)
            for name in ("estimate_gbp_mwh", "error_gbp_mwh")
        )
    return {
        "cost_unknown_because": WHEN_PLACED if placed["cost_gbp"] is None else None,
        "cost_estimate_gbp": estimate,
        "cost_estimate_error_gbp": error,
        "estimate_basis": None if estimate is None else prices.BASIS,
    }
