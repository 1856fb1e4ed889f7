"""Whether a response is whole. One that is not is marked, and its version is not remembered, so that it is requested again.

While a portal loads a file anew it responds with none or some of its rows, under the version of the whole file. An upstream
without versions may respond with none or some of its rows too.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from pydantic import JsonValue

from pipelines.dataset import Contents, Dataset, Earlier, FetchRequest
from warehouse.periods import Window, day_start

SETTLES_AFTER = timedelta(hours=6)
"""A response that is short, or has holes where all has been, is taken for a file that is being loaded, but not for longer."""
HAS_NONE_AFTER = timedelta(days=7)
"""An upstream without versions that has responded with no rows for so long has none. An empty file is never whole."""
DAY = timedelta(days=1)
HOLES = "it has holes"


def kept_of(
    dataset: Dataset,
    request: FetchRequest,
    found: Mapping[str, JsonValue],
    held: Contents,
    *,
    failed: bool,
    has_holes: bool,
) -> tuple[Mapping[str, JsonValue], str | None, bool]:
    """What is kept of how it was requested; with `unfinished_version` instead of the version if the response is not whole.

    It is not whole if it is empty, holds less than the last whole one of the same days, lacks what a whole one has, or has holes.
    What gives some for SETTLES_AFTER has no more, and what gives none for HAS_NONE_AFTER has none.

    Returns the parameters, what a person should know of a response that is not taken for whole, and whether it is smaller.
    """
    size = held.size
    params: dict[str, JsonValue] = dict(found)
    if dataset.is_snapshot:
        return params, None, False
    params["size"] = size
    has_version = params.get("version") is not None
    if has_version and request.window.end > request.now:  # the next windows will be for other days
        params["by_day"] = {f"{day}": count for day, count in sorted(held.by_day.items())}
    less = shorter(held, request.window, request.earlier()) if has_version else None
    doubt = less or (HOLES if has_holes else dataset.lacks(held, request.window, request.now))
    if not failed and size and not doubt:
        return params, None, False
    since = None if failed else request.doubted_since()
    doubted_for = request.now - since if since else timedelta(0)
    if size and doubted_for >= SETTLES_AFTER:
        return params, None, False
    if not size and not has_version and doubted_for >= HAS_NONE_AFTER:
        return {**params, "has_none": True}, None, False
    # when its values were issued is still true
    params |= {"version": None, "unfinished_version": params.get("version")}
    if failed or not doubt:
        return params, None, False
    if not has_version:  # of a hole, the half-hours that are filled up say it
        return params, None if doubt == HOLES else f"{doubt}; requested again by a backfill", False
    return params, f"{doubt}: taken for a file that is being loaded; requested again next time", less is not None


def shorter(held: Contents, window: Window, earlier: Earlier | None) -> str | None:
    """In words, how a response holds less than an earlier one: of the same window, or of the whole days that both were for."""
    if earlier is None:
        return None
    now, before = held.size, earlier.size
    if window != earlier.window:
        first, end = max(window.start, earlier.window.start), min(window.end, earlier.window.end)
        now, before = (_within(by_day, first, end) for by_day in (held.by_day, earlier.by_day))
    return f"it holds {now} rows, the answer before it {before}" if now < before else None


def _within(by_day: Mapping[date, int], first: datetime, end: datetime) -> int:
    return sum(count for day, count in by_day.items() if first <= day_start(day) and day_start(day + DAY) <= end)
