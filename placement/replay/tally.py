"""Sums over decisions: of what was possible how much was captured, and how far promises were off."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from placement.replay.policies import Outcome


@dataclass(frozen=True)
class Tally:
    """Sums over decisions of one policy and class, GBP/MWh of the score; gCO2/kWh where named. Add them up as you like."""

    decisions: int = 0
    now_score: float = 0.0
    realised_score: float = 0.0
    oracle_score: float = 0.0
    promises: int = 0
    """decisions that promised something; the next four are of these alone"""
    promised_score: float = 0.0
    promised_now_score: float = 0.0
    """what starting now was to cost by the same forecast"""
    kept_score: float = 0.0
    """what these came to"""
    kept_now_score: float = 0.0
    now_gco2_kwh: float = 0.0
    realised_gco2_kwh: float = 0.0
    oracle_gco2_kwh: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def possible_pct(self) -> float | None:
        """What the oracle saves against starting now."""
        return _pct(self.now_score - self.oracle_score, self.now_score)

    @property
    def captured_pct(self) -> float | None:
        """The share of that which was saved."""
        return _pct(self.now_score - self.realised_score, self.now_score - self.oracle_score)

    @property
    def regret_pct(self) -> float | None:
        """What was paid more than by the oracle."""
        return _pct(self.realised_score - self.oracle_score, self.oracle_score)

    @property
    def overpromised_points(self) -> float | None:
        """Promised less realised saving, in points of per cent: each against starting now, by the forecast and by what came."""
        promised = _pct(self.promised_now_score - self.promised_score, self.promised_now_score)
        kept = _pct(self.kept_now_score - self.kept_score, self.kept_now_score)
        return None if promised is None or kept is None else promised - kept


def _pct(part: float, whole: float) -> float | None:
    return None if abs(whole) < 1e-9 else 100 * part / whole


def tallies(outcome: Outcome, group: NDArray[np.int64]) -> dict[int, Tally]:
    """The sums of each group of moments, of those of which all is known."""
    known = ~np.isnan(outcome.realised + outcome.now + outcome.oracle)
    promised = known & ~np.isnan(outcome.promised + outcome.now_promised)
    found = {}
    for one in np.unique(group[known]):
        rows, kept = known & (group == one), promised & (group == one)
        carbon = np.nansum(outcome.gco2_kwh[rows], axis=0)
        found[int(one)] = Tally(
            decisions=int(rows.sum()),
            now_score=float(outcome.now[rows].sum()),
            realised_score=float(outcome.realised[rows].sum()),
            oracle_score=float(outcome.oracle[rows].sum()),
            promises=int(kept.sum()),
            promised_score=float(outcome.promised[kept].sum()),
            promised_now_score=float(outcome.now_promised[kept].sum()),
            kept_score=float(outcome.realised[kept].sum()),
            kept_now_score=float(outcome.now[kept].sum()),
            realised_gco2_kwh=float(carbon[0]),
            now_gco2_kwh=float(carbon[1]),
            oracle_gco2_kwh=float(carbon[2]),
        )
    return found


def total(tallies: Iterable[Tally]) -> Tally:
    """All together."""
    found = Tally()
    for one in tallies:
        found = found + one
    return found
