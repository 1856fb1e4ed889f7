"""The best start for a run of so many hours, on one line of forecasts: by the same rules as the views for regions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from placement.spine import Series
from service.pages.grid import STEP, Spine


@dataclass(frozen=True)
class Best:
    """The best start, its mean, and the mean of a run of the same length that starts at once; gCO2/kWh."""

    hours: float
    starts_at: datetime
    mean: float
    now_mean: float | None

    @property
    def ends_at(self) -> datetime:
        """When a run from there ends."""
        return self.starts_at + timedelta(hours=self.hours)

    @property
    def saving_percent(self) -> float | None:
        """How much less than now; None where now is not known, or nothing."""
        return None if not self.now_mean else 100 * (self.now_mean - self.mean) / self.now_mean


def best(values: Sequence[float | None], over: Spine, now: datetime, hours: float) -> Best | None:
    """The best run of so many hours that starts at once or at a later half-hour; None where no run is known whole.

    To wait is best only where it beats starting at once; of equal starts the earliest counts.
    """
    series = Series(np.array([[np.nan if value is None else value for value in values]], dtype=float))
    at_once = (now - over.begins) / STEP
    starts = np.concatenate([[at_once], np.arange(np.ceil(at_once), over.count)])
    means = series.means(starts, 2 * hours)[0]
    if np.isnan(means).all():
        return None
    at = int(np.nanargmin(means))
    first = None if np.isnan(means[0]) else float(means[0])
    starts_at = now if at == 0 else over.begins + int(starts[at]) * STEP
    return Best(hours, starts_at, float(means[at]), first)
