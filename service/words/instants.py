"""The instant of a plain phrase ("9am tomorrow", "1 December at 6pm"): its form, and which one it is by `dateparser`.

Without a zone it is London time. What may be two instants ("next Friday", "9", "midnight on Friday") is none.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
ZONES: dict[str, tzinfo] = {"utc": UTC, "gmt": UTC, "z": UTC, "bst": timezone(timedelta(hours=1))}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CLOCK = (
    r"(?:(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?:\s?[ap]\.?m\b\.?)?|(?:1[0-2]|0?[1-9])(?:\.[0-5][0-9])?\s?[ap]\.?m\b\.?"
    r"|(?:12\s)?(?:noon|midday|midnight)\b)"
)
ZONE = r"(?:\s?(?:UTC|GMT|BST|Z)\b|\s+(?:London|UK|local)\s+time\b)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY = r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs?|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b"
_ORDINAL = r"[0-3]?[0-9](?:st|nd|rd|th)?"
DAY = (
    rf"(?:(?:this\s+)?(?:today|tonight|tomorrow|{_WEEKDAY})\b|(?:{_WEEKDAY},?\s+)?{_ORDINAL}(?:\s+of)?\s+{_MONTH}(?:,?\s+20[0-9]{{2}}\b)?"
    rf"|(?:{_WEEKDAY},?\s+)?{_MONTH}\s+{_ORDINAL}\b(?:,?\s+20[0-9]{{2}}\b)?|[0-3]?[0-9]/[01]?[0-9](?:/20[0-9]{{2}})?(?![0-9/])"
    r"|20[0-9]{2}-[0-9]{2}-[0-9]{2}(?![T0-9-]))"
)
PART = r"(?:\s+(?:in\s+the\s+)?(?:morning|afternoon|evening|night)\b)?"
ISO = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?(?![0-9:])"
# "after 10pm, on Tuesday before 6am": behind a comma, a day may be the next time's
BEHIND = (
    rf"(?:\s+(?:on\s+)?(?:the\s+)?{DAY}|,\s+(?:on\s+)?(?:the\s+)?(?>{DAY}{PART})"
    r"(?!\s+(?:before|by|until|till|after|from|between|not|no|must|don|do|due|done|ready|start|begin|finish|end|at\s+the\s+latest)))"
)
"""The day behind a time"""
# an atomic group: what stands behind the longest form counts, not what a shorter one would leave
MOMENT = (
    rf"(?>{ISO}|{CLOCK}{ZONE}{BEHIND}?{PART}"
    rf"|{DAY}{PART},?\s+(?:at\s+|by\s+)?{CLOCK}{ZONE}|{DAY}{PART})"
)
_HOURS_OF = {"morning": (0, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (18, 24)}


@cache
def _library() -> Any:
    import dateparser  # reads its tables of languages: a third of a second, once

    return dateparser


def warm_up() -> None:
    """Load what reading a first phrase would otherwise wait for."""
    _parse("9am tomorrow", datetime(2026, 1, 1))


def _parse(text: str, base: datetime) -> datetime | None:
    """A plain instant in words after `base`, both without a zone."""
    settings = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "future", "DATE_ORDER": "DMY"}
    found: datetime | None = _library().parse(text, languages=["en"], settings=settings)
    return None if found is None else found.replace(tzinfo=None)


def resolve(words: str, now: datetime, *, is_end: bool, may_be_day: bool = False) -> datetime | str:
    """The instant of a plain phrase, UTC, or why there is none. Of two that the clock shows in autumn, the safe one."""
    text = re.sub(r"\s+", " ", words.strip().lower()).replace("a.m", "am").replace("p.m", "pm").replace("m.", "m")
    text, zone = _zone(text)
    if re.fullmatch(ISO, text, re.IGNORECASE):
        instant = datetime.fromisoformat(text.upper())
        return _placed(instant, zone, is_end) if instant.tzinfo is None else instant.astimezone(UTC)
    part = re.search(r"\b(?:in the )?(morning|afternoon|evening|night)\b", text)
    if part:
        text = re.sub(r"\s+", " ", text.replace(part[0], "")).strip()
    clock = re.search(CLOCK, text, re.IGNORECASE)
    if clock is None and (part or not may_be_day):
        return "at what time? such as 18:00"
    if clock is None and re.search(r"today|tonight", text):
        return "at what time? such as 18:00"
    base = now.astimezone(zone).replace(tzinfo=None)
    day = text.replace(clock[0], "") if clock else text
    day = re.sub(r"\b(?:on|at|by|this|the)\b|,", " ", day).strip()
    shown = re.sub(r"^12 |midday", lambda found: "noon" if found[0] == "midday" else "", clock[0]) if clock else "00:00"
    if shown == "midnight" and day and day != "tonight":
        return "midnight at the start or the end of that day? write 00:00 or 23:59"
    dated = _dated(re.sub(r"\s+", " ", day), shown, base)
    if isinstance(dated, str):
        return dated
    if part and not (low := _HOURS_OF[part[1]])[0] <= dated.hour < low[1]:
        return f"{shown} is not in the {part[1]}"
    return _placed(dated, zone, is_end)


def _zone(text: str) -> tuple[str, tzinfo]:
    found = re.search(r"(?<=[0-9m ])\s?\b(utc|gmt|bst)\b|(?<=[0-9])(z)\b| (?:london|uk|local) time\b", text)
    if found is None:
        return text, LONDON
    named = found[1] or found[2]
    if named == "z" and re.fullmatch(ISO, text, re.IGNORECASE):
        return text, UTC
    return re.sub(r"\s+", " ", text.replace(found[0], " ")).strip(), ZONES[named] if named else LONDON


def _dated(day: str, shown: str, base: datetime) -> datetime | str:
    """An instant after `base`, of a day in words and the time that the clock shows."""
    if day == "tonight":
        found = _parse(shown, base)
        is_night = found is not None and (shown == "midnight" or (found.date() == base.date() and found.hour >= 17))
        return found if found is not None and is_night else "is that tonight? name the day"
    weekday = re.fullmatch(r"([a-z]{3})[a-z]*", day)
    if weekday and weekday[1] in WEEKDAYS:
        ahead = (WEEKDAYS.index(weekday[1]) - base.weekday()) % 7
        found = _parse(f"{(base + timedelta(days=ahead)).date().isoformat()} {shown}", base)
        return found + timedelta(days=7) if found is not None and found <= base else found or "not a plain time"
    slashed = re.fullmatch(r"([0-9]+)/([0-9]+)(?:/[0-9]+)?", day)
    if slashed and int(slashed[1]) <= 12 and slashed[1].lstrip("0") != slashed[2].lstrip("0"):
        return "day or month first? write it as 2026-11-26"
    named = re.match(r"([a-z]{3})[a-z]*\b", day)
    is_named = bool(named and named[1] in WEEKDAYS)
    found = _parse(f"{day.split(' ', 1)[1] if is_named and ' ' in day else day} {shown}".strip(), base)
    if found is None:
        return "not a day of the calendar"
    if is_named and named and found.weekday() != WEEKDAYS.index(named[1]):
        return "that date is another day of the week"
    if found > base + timedelta(days=330) and not re.search(r"20[0-9]{2}", day):
        return "of which year? that day has just passed"
    return found


def _placed(naive: datetime, zone: tzinfo, is_end: bool) -> datetime | str:
    instant = naive.replace(tzinfo=zone, fold=0 if is_end else 1)
    if instant.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) != naive.replace(fold=0):
        return "the clocks skip that time on that day"
    return instant.astimezone(UTC)
