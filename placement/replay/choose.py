"""The best half-hours of many moments at once. Values are (moments, half-hours); NaN is unknown, and never chosen."""

import numpy as np
from numpy.typing import NDArray

from placement.spine import Mask, Numbers

Places = NDArray[np.int64]


def runs(values: Numbers, length: int) -> Numbers:
    """The mean of a run of so many half-hours from each start, infinite where one of them is unknown; shape (moments, starts)."""
    known = np.nan_to_num(values)
    sums = np.cumsum(np.pad(known, ((0, 0), (1, 0))), axis=1)
    gaps = np.cumsum(np.pad(np.isnan(values), ((0, 0), (1, 0))), axis=1)
    found: Numbers = np.where(
        gaps[:, length:] == gaps[:, :-length], (sums[:, length:] - sums[:, :-length]) / length, np.inf
    )
    return found


def mask_of(starts: Places, length: int, half_hours: int) -> Mask:
    """The half-hours of runs from these starts."""
    at = np.arange(half_hours)[None, :]
    found: Mask = (at >= starts[:, None]) & (at < starts[:, None] + length)
    return found


def best_run(values: Numbers, length: int, earliest: Places | int = 0) -> tuple[Places, Numbers]:
    """The start of the best run (the first of equals) and its mean; infinite where none is known."""
    means = runs(values, length)
    means = np.where(np.arange(means.shape[1])[None, :] < np.reshape(earliest, (-1, 1)), np.inf, np.round(means, 9))
    starts = means.argmin(axis=1)
    return starts, np.take_along_axis(means, starts[:, None], axis=1)[:, 0]


def best_half_hours(values: Numbers, counts: Places | int, earliest: Places | int = 0) -> Mask:
    """So many of the best half-hours (the first of equals); fewer only where fewer are known."""
    allowed = ~np.isnan(values) & (np.arange(values.shape[1])[None, :] >= np.reshape(earliest, (-1, 1)))
    ranks = np.argsort(np.argsort(np.where(allowed, values, np.inf), axis=1, kind="stable"), axis=1, kind="stable")
    found: Mask = allowed & (ranks < np.reshape(counts, (-1, 1)))
    return found


def mean_of(values: Numbers, mask: Mask) -> Numbers:
    """The mean over the half-hours of a mask; NaN where one is unknown or the mask is empty."""
    with np.errstate(invalid="ignore"):
        found: Numbers = np.where(mask, values, 0.0).sum(axis=1) / mask.sum(axis=1)
    return found
