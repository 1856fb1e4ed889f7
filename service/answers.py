"""How answers are spelled: instants end in Z, a region has its name beside its number, a null cost its reason."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from placement.outlook import Outlook
from placement.spine import written
from service import ages, costs
from warehouse.counts import duration

INSTANTS = ("_at", "_start", "deadline")
"""Endings of the keys whose text is an instant, where the database spelled it"""


def spelled(instant: datetime) -> str:
    """An instant in UTC, such as 2026-11-25T20:10:00Z."""
    return written(instant)


def answer(
    outlook: Outlook, body: Mapping[str, Any], *, asked: Mapping[str, Any] | None = None, now: datetime | None = None
) -> dict[str, Any]:
    """What a route gives: what was asked (with defaults filled in), the body, and how old the data is."""
    understood = {} if asked is None else {"asked": dict(asked)}
    whole = {**understood, **body, "data": ages.of(outlook, now or datetime.now(UTC))}
    spelled_out: dict[str, Any] = spell(whole, outlook.region_names)
    return spelled_out


def spell(value: Any, names: Mapping[int, str], key: str = "") -> Any:
    """A value with every instant, region and age in it spelled the one way."""
    if isinstance(value, datetime):
        return spelled(value)
    if isinstance(value, str) and key.endswith(INSTANTS):
        return _respelled(value)
    if isinstance(value, list | tuple):
        return [spell(one, names, key) for one in value]
    if not isinstance(value, Mapping):
        return value
    shown: dict[str, Any] = {}
    for name, one in value.items():
        shown[name] = spell(one, names, name)
        shown |= {beside: text for beside, text in _beside(name, one, names).items() if beside not in value}
    return shown | costs.why_unknown(value)


def _beside(name: str, value: Any, names: Mapping[int, str]) -> dict[str, Any]:
    if name.endswith(("region_id", "region_ids")):
        shown = [names.get(one) for one in value] if isinstance(value, list | tuple) else names.get(value)
        return {name.replace("region_id", "region_name"): shown}
    if name.endswith("_age"):
        seconds = value.total_seconds() if isinstance(value, timedelta) else None
        return {
            f"{name}_seconds": seconds,
            f"{name}_in_words": None if seconds is None else duration(timedelta(seconds=seconds)),
        }
    return {}


def _respelled(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return spelled(instant) if instant.tzinfo else text
