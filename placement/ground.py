"""What each venue and half-hour is worth to a task that may run in chunks, and what it can take."""

from collections.abc import Mapping

import numpy as np

from placement.chunks import MINUTES
from placement.outlook import Outlook, score
from placement.spine import HALF_HOUR, Mask, Numbers
from placement.task import Task
from placement.venues import Taken, Venues


class Ground:
    """What each venue (row) and half-hour of the spine (column) is worth, and what it can take."""

    def __init__(
        self, task: Task, venues: Venues, outlook: Outlook, taken: Mapping[str, Taken], carbon_value_gbp_kg: float
    ):
        outlook = outlook.seen_by(task.risk)
        self.venues, self.outlook, self.taken = venues, outlook, taken
        half_hours = outlook.half_hours
        self.starts = np.arange(half_hours, dtype=float)
        self.intensity: Numbers = outlook.intensity.values[venues.rows]
        self.synthetic: Numbers = outlook.synthetic.values[venues.rows]
        price = np.repeat(outlook.price.values, len(venues), axis=0)
        own = venues.own_prices
        self.price: Numbers = price if own is None else np.where(np.isnan(own)[:, None], price, own[:, None])
        self.value = score(self.intensity, self.price, task.weight, carbon_value_gbp_kg)
        self.latest = outlook.position(task.deadline)
        first = outlook.position(task.earliest)
        patience = np.full(len(venues), np.inf) if venues.patience is None else venues.patience / (HALF_HOUR * 1e6)
        self.waits = np.minimum(patience, np.inf if task.is_deferrable else 0.0)[:, None]
        self.first = first
        known = ~np.isnan(self.value) & (self.starts >= first - 1e-10)
        if task.regions is not None:
            known &= np.isin(venues.regions, sorted(task.regions))[:, None]
        self.known: Mask = known
        self.caps = (
            np.full(len(venues), np.inf) if venues.carbon_caps is None else venues.carbon_caps,
            task.carbon_cap_gco2_kwh,
        )
        self.price_cap = task.price_cap_gbp_mwh

    @property
    def is_capped(self) -> bool:
        """Whether some venue or the task caps the mean of a chunk."""
        caps, own = self.caps
        return own is not None or self.price_cap is not None or not bool(np.isinf(caps).all())

    @property
    def reach(self) -> int:
        """Half-hours from the first to the last in which anything may run."""
        known = np.flatnonzero(self.known.any(axis=0) & (self.starts < self.latest))
        return int(known[-1] - known[0]) + 1 if len(known) else 0

    def left(self, minutes: int) -> Numbers:
        """Power that may be drawn in the first minutes of each half-hour, kW; negative where it is closed or not known."""
        found = np.repeat(self.venues.capacity_kw[:, None], self.outlook.half_hours, axis=1)
        for row, venue in enumerate(self.venues):
            if (booked := self.taken.get(venue.key)) is not None and booked.most_kw > 0:
                peaks = booked.peaks(self.outlook.first + self.starts * HALF_HOUR, 60.0 * minutes)
                found[row] -= np.where(peaks < 1e-9, 0.0, peaks - 1e-7)
            if venue.window is not None:
                found[row, ~venue.is_open(self.starts, minutes / MINUTES, self.outlook)] = -1.0
        ends = self.starts + minutes / MINUTES
        found[~(self.known & (ends <= self.latest + 1e-10))] = -1.0
        return found

    def keeps_caps(self, carbon: Numbers, cost: Numbers, energy: float) -> Mask | None:
        """Whether chunks keep the caps, by their carbon (g) and cost (GBP/MWh x kWh); None without a cap."""
        caps, own = self.caps
        if energy == 0 or (np.isinf(caps).all() and own is None and self.price_cap is None):
            return None
        least = np.minimum(caps, np.inf if own is None else own)[:, None]
        kept = np.round(carbon / energy, 9) <= least
        if self.price_cap is not None:
            kept &= np.round(cost / energy, 9) <= self.price_cap
        return kept
