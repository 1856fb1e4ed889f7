"""How old the forecast is, in seconds and in words: the age of the newest real value, whatever is synthetic beside it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from placement.outlook import Outlook
from warehouse.counts import duration


def describe(
    now: datetime, *, real: datetime | None, synthetic: datetime | None, synthetic_share: float | None
) -> dict[str, Any]:
    """The age of the newest real forecast, and beside it how much is synthetic and how old that is.

    `real` and `synthetic` are the instants at which the newest of each was fetched. Ages are in seconds, never below 0; None
    without such a value.
    """
    age, synthetic_age = (None if at is None else max(0, round((now - at).total_seconds())) for at in (real, synthetic))
    return {
        "fetched_at": real,
        "age_seconds": age,
        "age_in_words": None if age is None else duration(timedelta(seconds=age)),
        "synthetic_share": synthetic_share,
        "synthetic_age_seconds": synthetic_age,
        "synthetic_age_in_words": None if synthetic_age is None else duration(timedelta(seconds=synthetic_age)),
        "in_words": in_words(age, synthetic_share),
    }


def in_words(age_seconds: float | None, synthetic_share: float | None) -> str:
    """One sentence on whether to trust the data."""
    if synthetic_share is None:
        return "There is no forecast: nothing is known of the coming half-hours."
    age = None if age_seconds is None else duration(timedelta(seconds=age_seconds))
    real = f"the newest real forecast is {age} old" if age else "there is no real forecast"
    if synthetic_share == 0:
        return f"Every value is real: {real}."
    if synthetic_share == 1:
        return f"EVERY VALUE IS SYNTHETIC: do not decide by it; {real}."
    return f"{100 * synthetic_share:.1f} % of the values are synthetic; {real}, synthetic values stand in since."


def of(outlook: Outlook, now: datetime) -> dict[str, Any]:
    """How old the data of an outlook is and how much of it is synthetic, in seconds and in words."""
    described = describe(
        now,
        real=outlook.fetched_at,
        synthetic=outlook.synthetic_fetched_at,
        synthetic_share=outlook.synthetic_share,
    )
    return {"known_at": outlook.known_at, **described}


def as_of(instant: datetime, forecast: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How old a forecast was at an instant and how much of it was synthetic; rows are of `carbon_intensity_as_of()`."""
    marks = [row["is_synthetic"] for row in forecast]
    real, synthetic = (
        max((row["forecast_known_at"] for row in forecast if row["is_synthetic"] is kind), default=None)
        for kind in (False, True)
    )
    share = sum(marks) / len(marks) if marks else None
    return {"known_at": instant, **describe(instant, real=real, synthetic=synthetic, synthetic_share=share)}
