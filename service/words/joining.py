"""The words and the fields of a request together: a field always wins, and where the words say otherwise, that is said."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.drafts import Draft
from service.shapes import TaskRequest
from service.words.accelerators import Accelerators
from service.words.instants import LONDON
from service.words.reading import Reading, read

SIZES = ("duration_minutes", "power_kw", "energy_kwh")
FIELDS = (*SIZES, "earliest_start", "deadline", "region_ids")
SLACK = 0.01
"""Two figures of one size that differ by no more than this part agree"""


@dataclass(frozen=True)
class Understood:
    """What was taken from the words of a request, and what was not."""

    reading: Reading
    from_words: tuple[str, ...]
    """fields that the words filled in"""
    contradictions: tuple[tuple[str, Any, Any, str], ...]
    """(field, what counts, what the words say, the words)"""
    power_of: Accelerators | None
    """accelerators from whose table the power was estimated"""

    def estimated(self, drafted: Draft) -> Draft:
        """The draft with the estimates that come of accelerators named as such."""
        if self.power_of is None:
            return drafted
        rest = [name for name in drafted.estimated if name not in ("power_kw", "energy_kwh")]
        return replace(drafted, estimated=("power_kw", "energy_kwh", *rest))

    def as_json(self, answer: dict[str, Any]) -> dict[str, Any]:
        """For the answer: what was read, estimated and not understood, in words and one by one."""
        said = [
            {"field": field, "value": _plain(self.reading.found[field][0]), "words": self.reading.found[field][1]}
            for field in self.from_words
        ]
        return {
            "in_words": " ".join(self._sentences(answer)),
            "from_words": said,
            "estimated": list(answer.get("estimated", ())),
            "not_understood": [{"words": words, "why": why} for words, why in self.reading.unread],
            "contradictions": [
                {"field": field, "used": _plain(used), "words": words, "words_say": _plain(value)}
                for field, used, value, words in self.contradictions
            ],
        }

    def in_short(self) -> str:
        """What the words filled in, for a refusal; nothing where they did not."""
        read_so = [f'{_named(f, self.reading.found[f][0])} ("{self.reading.found[f][1]}")' for f in self.from_words]
        return f"Read from the request: {'; '.join(read_so)}." if read_so else ""

    def _sentences(self, answer: dict[str, Any]) -> list[str]:
        sentences = [self.in_short()] if self.from_words else []
        guesses = []
        for name in answer.get("estimated", ()):
            value = answer.get(name)
            basis = f", {self.power_of.in_words()}" if name == "power_kw" and self.power_of else ""
            guesses.append(_named(name, value) + basis)
        if guesses:
            sentences.append(f"Estimated: {'; '.join(guesses)}.")
        for field, used, value, words in self.contradictions:
            sentences.append(
                f'"{words}" says {_named(field, value)}, but {_named(field, used)} was given: that counts.'
            )
        if self.reading.unread:
            sentences.append("Not understood: " + "; ".join(f'"{w}" ({why})' for w, why in self.reading.unread) + ".")
        return sentences or ["Everything was given in fields; the words name no size, time or place."]


def join(asked: TaskRequest, now: datetime) -> tuple[TaskRequest, Understood]:
    """The request with what its words say filled in where a field is empty."""
    reading = read(asked.request, now)
    filled: dict[str, Any] = {}
    contradictions = []
    sizes: dict[str, float] = {name: getattr(asked, name) for name in SIZES if getattr(asked, name) is not None}
    for field in FIELDS:
        if field not in reading.found:
            continue
        value, words = reading.found[field]
        given = getattr(asked, field)
        if field in SIZES and given is None and len(sizes) == 2:
            given = _third(field, sizes)  # two sizes give the third: the words can only agree with it
            if _agree(given, value):
                continue
        if given is None:
            filled[field] = list(value) if field == "region_ids" else value
            if field in SIZES:
                sizes[field] = value
        elif not _agree(given, value):
            contradictions.append((field, given, value, words))
    found = reading.found.get("accelerators")
    power_of = None
    if found and "power_kw" not in sizes and "energy_kwh" not in sizes:
        power_of = found[0]
        filled["power_kw"] = power_of.power_kw
    names = [name for name in FIELDS if name in filled and not (name == "power_kw" and power_of)]
    from_words = (*names, "accelerators") if found else tuple(names)
    return asked.model_copy(update=filled), Understood(reading, from_words, tuple(contradictions), power_of)


def _third(field: str, sizes: dict[str, float]) -> float:
    if field == "energy_kwh":
        return sizes["power_kw"] * sizes["duration_minutes"] / 60
    if field == "power_kw":
        return sizes["energy_kwh"] * 60 / sizes["duration_minutes"]
    return sizes["energy_kwh"] * 60 / sizes["power_kw"]


def _agree(given: Any, value: Any) -> bool:
    if isinstance(value, int | float):
        return abs(float(given) - value) <= SLACK * abs(value)
    return set(given) == set(value) if isinstance(value, tuple) else bool(given == value)


def _plain(value: Any) -> Any:
    if isinstance(value, Accelerators):
        return {"count": value.count, "name": value.kind.name, "power_kw": value.power_kw, "source": value.in_words()}
    if isinstance(value, tuple | list):
        return list(value)
    return value


def _named(field: str, value: Any) -> str:
    """A field and its value as a person says it; times of day are London's."""
    if isinstance(value, datetime):
        clock = f"{value.astimezone(LONDON):%a %d %b %Y %H:%M}"
        return f"{'ends by' if field == 'deadline' else 'begins at or after'} {clock} London time"
    if isinstance(value, Accelerators):
        return f"{value.count} x {value.kind.name}"
    if field == "duration_minutes":
        minutes = round(value)
        hours = f" ({minutes / 60:g} hours)" if minutes >= 120 else ""
        return f"runs {minutes} minute{'' if minutes == 1 else 's'}{hours}"
    if field == "power_kw":
        return f"draws {value:g} kW"
    if field == "energy_kwh":
        return f"uses {value:g} kWh"
    if field == "region_ids":
        regions = sorted(value)
        return f"in region{'' if len(regions) == 1 else 's'} {', '.join(map(str, regions))}"
    if field == "is_deferrable":
        return "can wait" if value else "cannot wait"
    if field == "workload_type":
        return f"a workload of type {value}"
    return f"{field} {value}"
