"""Contexts in brief: what fits into a prompt. Under 8 KB of JSON, whatever there is; `left_out` counts what did not fit."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from service.answers import spelled

MOST_BYTES = 8_000
"""Of the whole answer as JSON"""
_NOW = (
    "intensity_period_start", "gco2_kwh", "intensity_index", "renewable_pct", "low_carbon_pct", "national_demand_mw",
    "price_gbp_mwh", "price_market",
)  # fmt: skip
_REGION = ("region_id", "now_gco2_kwh", "best_4h_start", "best_4h_gco2_kwh", "saving_4h_pct")
_WINDOW = ("window_id", "region_id", "available_capacity_mw", "carbon_intensity_gco2_kwh", "price", "is_expired")
_WAITING = (
    "workload_id", "workload_type", "energy_kwh", "duration_minutes", "deadline", "best_region_id", "best_start",
    "saving_against_soonest_kg",
)  # fmt: skip
_HISTORY = ("workload_id", "workload_type", "status", "energy_kwh", "created_at", "actual_carbon_kg")
_ASSET = ("asset_id", "name", "region_id", "rated_power_kw", "taken_now_kw", "carbon_cap_gco2_kwh", "is_active")
_OPERATOR = ("operator_id", "operator_name", "rated_power_kw", "active_workloads", "waiting_workloads")
_SAID = ("workload_id", "agent", "stance", "created_at")
_PLACE = ("asked", "region_id", "is_certain")
_PATTERN = ("workload_type", "hour_utc", "workloads", "mean_power_kw", "mean_duration_minutes")


def energy(context: Mapping[str, Any]) -> dict[str, Any]:
    """The grid now, each region with its best four hours, and the forecast by the hour."""
    open_windows = [row for row in context["compute_windows"] if not row["is_expired"]]
    forecast = context["forecast_24h"]
    first = min((row["period_start"] for row in forecast), default=None)
    hourly = _by_the_hour(forecast, first)
    now = {row["region_id"]: _each([row], _REGION)[0] for row in context["regional_opportunities"]}
    regions = {**now, **{region: now.get(region, dict.fromkeys(_REGION) | {"region_id": region}) for region in hourly}}
    return {
        "grid_now": _of(context["grid_status"], _NOW),
        "hours_from": first,
        "regions": [{**row, "hourly_gco2_kwh": hourly.get(region, [])} for region, row in regions.items()],
        "hourly_price_gbp_mwh": _prices(context["prices"], first),
        "compute_windows": _each(open_windows, _WINDOW),
    }


def compute(context: Mapping[str, Any]) -> dict[str, Any]:
    """Patterns of work, and what each operator can carry."""
    return {
        "workload_patterns": _each(context["workload_patterns"], _PATTERN),
        "operators": _each(context["operators"], _OPERATOR),
        "assets": _each(context["assets"], _ASSET),
        "waiting": _each(context["waiting"], _WAITING),
    }


def head(context: Mapping[str, Any]) -> dict[str, Any]:
    """The grid now, the newest workloads, what each operator carries, and what was decided last."""
    decided = [row for row in context["negotiations"] if row["agent"] == "head"]
    return {
        "grid_now": _of(context["grid_status"], _NOW),
        "workload_history": _each(context["workload_history"], _HISTORY),
        "operators": _each(context["operators"], _OPERATOR),
        "decisions": [
            {**said, "why": " ".join(row["reasons"])[:120]}
            for row, said in zip(decided, _each(decided, _SAID), strict=True)
        ],
        "waiting": _each(context["waiting"], _WAITING),
    }


def places(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The region of each place that was asked for; why it lies there is in the full context."""
    return _each(found, _PLACE)


def _of(row: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any] | None:
    return None if row is None else _each([row], names)[0]


def _each(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: _short(row[name]) for name in names} for row in rows]


def _short(value: Any) -> Any:
    return round(value, 2) if isinstance(value, float) else value


def _by_the_hour(rows: Sequence[Mapping[str, Any]], first: datetime | None) -> dict[int, list[int | None]]:
    """Region -> mean of each hour from `first` on, gCO2/kWh; None where nothing is known of it."""
    by_region: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_region.setdefault(row["region_id"], []).append(row)
    return {
        region: [None if mean is None else round(mean) for mean in _means(mine, "forecast_gco2_kwh", first)]
        for region, mine in by_region.items()
    }


def _prices(rows: Sequence[Mapping[str, Any]], first: datetime | None) -> list[float | None]:
    """Mean day-ahead price of each hour from `first` on, GBP/MWh."""
    auction = [row for row in rows if row["market"] == "n2ex_day_ahead"]
    return [None if mean is None else round(mean, 2) for mean in _means(auction, "price_gbp_mwh", first)]


def _means(rows: Sequence[Mapping[str, Any]], name: str, first: datetime | None) -> list[float | None]:
    hours: dict[int, list[float]] = {}
    for row in rows:
        if first is not None and row[name] is not None and row["period_start"] >= first:
            hours.setdefault((row["period_start"] - first) // timedelta(hours=1), []).append(row[name])
    return [sum(hours[n]) / len(hours[n]) if n in hours else None for n in range(max(hours, default=-1) + 1)]


def size(body: Mapping[str, Any]) -> int:
    """Bytes of a body as it is sent."""
    return len(json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":")).encode())


def _plain(value: object) -> str:
    return spelled(value) if isinstance(value, datetime) else str(value)


_CUT_LAST = {"places": 1, "regions": 2}
"""What is cut only when nothing else is left: the places were asked for, and the regions are what an agent decides by"""


def fitted(body: dict[str, Any], most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The body with the ends of its longest lists left out until it fits; `left_out` says of which list how many."""
    lists = {name: list(rows) for name, rows in body.items() if isinstance(rows, list)}
    left_out: dict[str, int] = {}
    fits = {**body, **lists, "left_out": left_out}
    while (too_many := size(fits) - most_bytes) > 0 and any(lists.values()):
        soonest = min(_CUT_LAST.get(name, 0) for name, rows in lists.items() if rows)
        name = max(
            (name for name, rows in lists.items() if rows and _CUT_LAST.get(name, 0) == soonest),
            key=lambda one: size({one: lists[one]}),
        )
        rows = lists[name]
        each = max(1, size({name: rows}) // len(rows))
        drop = min(len(rows), max(1, too_many // each // 2))
        del rows[len(rows) - drop :]
        left_out[name] = left_out.get(name, 0) + drop
    return fits
