"""When a run may begin and must have ended ("before 9am tomorrow", "must not run after 9am", "between 22:00 and 06:00").

A phrase is looked for by its form first; only what has the form of one plain instant is resolved by `instants`. Its day may stand
in front of it ("on Monday, by 6pm"). If another day is named and it is not certain whose it is, neither is understood.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from service.words import days, times
from service.words.instants import ZONE, resolve
from service.words.phrases import Found, Phrase, Unread, before, masked
from service.words.times import Time

MOST_MOMENTS = 8
"""No more are resolved: each takes a millisecond or two, and a request with so many is not plain"""

_NO_WISH = re.compile(r"\b(?:if|why|whether|or|is|are|was|were)\s*$", re.IGNORECASE)
_IS = re.compile(r"(?:is|are|was|were|am|be|been|being|ai)\b|(?:is|are|was|were|ai)\s?n", re.IGNORECASE)


def find(text: str, now: datetime) -> Iterator[Phrase]:
    """Earliest starts and deadlines, UTC."""
    said = list(islice(times.find(text), MOST_MOMENTS))
    rest = masked(text, [Unread(*time.span, "") for time in said])
    named = list(days.find(rest)) if any(time.day is None for time in said) else []
    is_one_left = any(time.is_day_alone or not time.is_certain for time in said)
    dated: list[Phrase] = []
    loose = []
    for time in said:
        if not time.is_certain:
            dated.append(Unread(*time.span, days.OF_WHICH_DAY))
        elif time.day is not None:
            dated += _read(text, time, now)
        elif is_one_left or any(not time.is_window or day[0].lower() != "overnight" for day in named):
            dated.append(Unread(*time.span, days.OF_WHICH_DAY))
        else:
            loose.append(time)
    yield from dated
    for time in loose:
        yield from _beside(text, time, now, [phrase for phrase in dated if isinstance(phrase, Found)])
    if len(loose) < sum(time.day is None for time in said):
        yield from (Unread(*day.span(), days.OF_WHICH_DAY) for day in named)


def _beside(text: str, time: Time, now: datetime, dated: list[Found]) -> list[Phrase]:
    """A time without a day, beside others that have one: the one instant that can be meant, if it is one."""
    if not dated:
        return _read(text, time, now)
    unclear: list[Phrase] = [Unread(*time.span, days.OF_WHICH_DAY)]
    if time.is_window:
        return unclear
    found = _read(text, time, now)
    (phrase,) = found
    others = {one.value for one in dated if isinstance(phrase, Found) and one.field != phrase.field}
    if not isinstance(phrase, Found) or not others:
        return found
    if len(others) > 1:
        return unclear
    (other,) = others
    if phrase.field == "deadline":  # the first behind the start
        return _read(text, time, max(now, other))
    return found if _read(text, time, other - timedelta(days=1)) == found else unclear


def _read(text: str, time: Time, now: datetime) -> list[Phrase]:
    if time.is_window:
        return _window(time, now)
    match = time.match
    if match["latest_start"]:
        return [Unread(*time.span, "a latest start cannot be given; give a deadline")]
    if match["denied"]:
        return [_denied(text, time, now)]
    return [_instant(time, now, is_end=match["end"] is not None, may_be_day=(match["end"] or "").lower() == "before")]


def _denied(text: str, time: Time, now: datetime) -> Phrase:
    """What is not to run before an instant begins at it or later; what is not to run after it has ended by then."""
    match = time.match
    is_end = match["relation"].lower().split()[0] in ("after", "past", "later")
    is_asked = any(_NO_WISH.search(before(text, at)) for at in (time.start, match.start("denied")))
    if is_asked or _IS.match(match["denied"]):
        return Unread(*time.span, 'is this a wish? write "not before 22:00"')
    if match["starts"] and is_end:
        return Unread(*time.span, "a latest start cannot be given; give a deadline")
    if match["ends"] and not is_end:
        return Unread(*time.span, "an earliest end cannot be given; give earliest_start")
    return _instant(time, now, is_end=is_end, may_be_day=match["relation"].lower() in ("before", "until", "till"))


def _instant(time: Time, now: datetime, *, is_end: bool, may_be_day: bool) -> Phrase:
    words = time.moment if time.day is None or days.of(time.moment) else f"{time.moment} {time.day}"
    found = resolve(words, now, is_end=is_end, may_be_day=may_be_day)
    if isinstance(found, str):
        return Unread(*time.span, found)
    return Found("deadline" if is_end else "earliest_start", found, *time.span)


def _window(time: Time, now: datetime) -> list[Phrase]:
    match, day = time.match, time.day or ""
    second = resolve(f"{match['second']} {day}".strip(), now, is_end=True)
    zone = re.search(rf"{ZONE}$", match["second"], re.IGNORECASE)
    first_words = match["first"] + (zone[0] if zone else "")
    if isinstance(second, str):
        return [Unread(*time.span, second)]
    if day:
        first = resolve(f"{first_words} {day}", now, is_end=False)
    else:  # the last time that the clock showed this before the window's end
        first = resolve(first_words, second - timedelta(days=1), is_end=False)
    if isinstance(first, str) or not first < second:
        why = first if isinstance(first, str) else "it ends before it begins: name the day of each"
        return [Unread(*time.span, why)]
    return [Found("earliest_start", first, *time.span), Found("deadline", second, *time.span)]
