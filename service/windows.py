"""The best windows of work that may be interrupted, or whose power varies: by the arithmetic that places workloads."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from placement.candidates import candidates
from placement.negotiation import in_chunks
from placement.options import Option, option
from placement.outlook import REGIONS, Outlook
from placement.task import Task
from placement.venues import Venue, Venues
from service import estimate
from service.drafts import chunks_of
from service.efforts import bounded
from service.problems import Problem
from service.shapes import Interruptible


def task_of(
    asked: Interruptible,
    *,
    minutes: int,
    earliest: datetime,
    deadline: datetime,
    weight: float,
    regions: Sequence[int] | None,
    profile_kw: Sequence[float] | None,
) -> Task:
    """Work of one kilowatt, or of this profile. Raises Problem 422 if the profile has another length."""
    power_kw = 1.0
    if profile_kw is not None:
        try:
            power_kw = estimate.of_profile(profile_kw, minutes).power_kw
        except ValueError as error:
            raise Problem(422, f"query.{error}") from None
    if power_kw <= 0:
        raise Problem(422, "query.power_profile_kw has no power in it")
    return Task(
        power_kw=power_kw,
        duration=timedelta(minutes=minutes),
        earliest=earliest,
        deadline=deadline,
        weight=weight,
        regions=None if regions is None else frozenset(regions),
        power_profile_kw=tuple(profile_kw or ()),
        **chunks_of(asked),
    )


def find(task: Task, outlook: Outlook, limit: int, *, carbon_value_gbp_kg: float) -> list[dict[str, Any]]:
    """The best runs in one piece, and the best in chunks in each region, best first; as rows of `best_windows()`.

    Raises Problem 422 where the search would take too long.
    """
    names = outlook.region_names
    regions = Venues(
        Venue(f"region:{region}", names.get(region, ""), region, float("inf"), region_name=names.get(region))
        for region in REGIONS
    )
    bounded(task, regions, outlook)
    laid_out = candidates(task, regions, outlook, {}, carbon_value_gbp_kg=carbon_value_gbp_kg)
    ranked = laid_out.ranked(laid_out.possible, laid_out.score, limit)
    found = [option(task, laid_out, outlook, at) for at in ranked]
    found += in_chunks(task, laid_out, outlook, {}, carbon_value_gbp_kg=carbon_value_gbp_kg)
    best = sorted(found, key=lambda one: (one.score_gbp, one.starts_at, one.venue.region_id))[:limit]
    return [{"rank": rank, **_row(one)} for rank, one in enumerate(best, start=1)]


def _row(one: Option) -> Mapping[str, Any]:
    return {
        "region_id": one.venue.region_id,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "mean_gco2_kwh": one.mean_gco2_kwh,
        "mean_price_gbp_mwh": one.mean_price_gbp_mwh,
        "score": None if one.score_gbp is None else round(1000 * one.score_gbp / one.energy_kwh, 6),
        "synthetic_share": one.synthetic_share,
        "chunks": [{"starts_at": chunk.starts_at, "ends_at": chunk.ends_at} for chunk in one.chunks],
    }
