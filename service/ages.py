"""How old the forecast is, in seconds and in words: the age of the newest real value, whatever is synthetic beside it."""

from datetime import datetime, timedelta
from typing import Any

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
