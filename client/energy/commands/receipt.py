"""`energy receipt`."""

from __future__ import annotations

import json
from argparse import Namespace

from energy import spans
from energy.answers import Figures, Receipt, Saved
from energy.api import Api
from energy.clock import Clock
from energy.commands.printed import out


def _energy(found: Receipt) -> str:
    kwh = found["energy_kwh"]
    return "with an unknown energy" if kwh is None else f"{kwh:g} kWh"


def receipt(arguments: Namespace, api: Api, clock: Clock) -> int:
    """Print the receipt of a finished workload. Raises Trouble, also while there is none yet."""
    found: Receipt = api.get(f"/workloads/{arguments.workload_id}/receipt")
    if arguments.json:
        out(json.dumps(found))
        return 0
    state = "final" if found["is_final"] else "preliminary: its actuals may still be revised"
    out(f"{found['workload_id']}  {found['status']}, version {found['version']}, {state}")
    if found["began_at"] and found["ended_at"]:
        began, ended = (spans.local(spans.instant(at), clock.now()) for at in (found["began_at"], found["ended_at"]))
        out(f"ran {began} to {ended}, {found['region_name'] or found['region_id']}, {_energy(found)}")
        rows: list[tuple[str, Figures]] = [
            ("as it ran", found["realised"]),
            ("as promised", found["promised"]["by_its_placement"]),
            ("as placed first", found["first_plan"]),
            ("at once", found["at_once"]),
            ("with perfect foresight", found["foresight"]),
        ]
        for name, figures in rows:
            out(f"{name:24}{_carbon(figures)}{_cost(figures)}")
    if found["savings"]:
        saved = found["savings"]
        savings = (
            ("saved against at once", "against_at_once"),
            ("by its time", "by_time"),
            ("by its place", "by_place"),
        )
        for name, key in savings:
            one: Saved = saved[key]  # type: ignore[literal-required]
            out(f"{name:24}{_carbon(one)}{_cost(one)}{_share(one)}")
        if saved["captured_pct"] is not None:
            out(f"that is {saved['captured_pct']:.0f} % of what perfect foresight would have saved")
    for line in (*found["notes"], found["method"]["position"]):
        out(line)
    return 0


def _carbon(figures: Figures | Saved) -> str:
    kg = figures["carbon_kg"]
    return f"{'unknown' if kg is None else f'{kg:.3f} kg CO2':>16}"


def _cost(figures: Figures | Saved) -> str:
    gbp = figures["cost_gbp"]
    return f"{'unknown' if gbp is None else f'{gbp:.4f} GBP':>16}"


def _share(saved: Saved) -> str:
    return "" if saved["carbon_pct"] is None else f"  ({saved['carbon_pct']:.1f} % of the carbon)"
