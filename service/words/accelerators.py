"""How many accelerators of which kind ("8 H100s", "2 nodes of 4 A100"), and what power so many draw, by `accelerators.csv`."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from service.words import other_accelerators
from service.words.numbers import NUMBER, number
from service.words.phrases import BEGINS, RANGE_BEFORE, Claims, Found, Phrase, Unread, after, before

MOST = 100_000


@dataclass(frozen=True)
class Kind:
    """An accelerator: what one draws under load, W, and by which source."""

    name: str
    watts: float
    basis: str
    source: str


@dataclass(frozen=True)
class Accelerators:
    """So many of a kind."""

    count: int
    kind: Kind

    @property
    def power_kw(self) -> float:
        """What they draw together, by the table."""
        return round(self.count * self.kind.watts / 1000, 6)

    def in_words(self) -> str:
        """How that figure comes about."""
        each = f"{self.kind.watts:,.1f}".removesuffix(".0")
        return f"{self.count} x {self.kind.name} at {each} W each, {self.kind.basis} ({self.kind.source})"


_MAKER = r"(?:(?:NVIDIA|AMD|Google|Tesla|GeForce|Instinct|Quadro|RTX|DGX)\s+){0,3}(?:RTX\s?)?"
_COUNT = rf"(?P<count>[0-9]{{1,6}}|{NUMBER}|an?\b|single\b)"
_NODES = rf"(?:(?P<nodes>[0-9]{{1,5}}|{NUMBER}|an?\b)\s+(?:nodes?|servers?|machines?|hosts?)\s+(?:of|with|x|×|each with)\s+)?"
_EACH = r"(?P<each>\s+(?:each|per\s+\w+|apiece)\b)?"
_HOURS = re.compile(r"[\s-]*(?:GPUs?|TPUs?|cards?)?[\s-]*hours?\b|[\s-]*h\b", re.IGNORECASE)
_GPUS = re.compile(
    rf"{BEGINS}({NUMBER}|an?\b)\s*(?:x|×)?\s*-?(?:GPUs?|TPUs?|accelerators?|graphics cards)\b(?:[\s-]*(?:hours?|h)\b)?",
    re.I,
)
_DGX = re.compile(r"\bDGX\b", re.IGNORECASE)


@cache
def kinds() -> tuple[tuple[Kind, "re.Pattern[str]"], ...]:
    """The table: each kind and how its name is written."""
    with Path(__file__).with_name("accelerators.csv").open(newline="") as file:
        return tuple(
            (
                Kind(row["name"], float(row["watts"]), row["basis"], row["source"]),
                re.compile(row["pattern"], re.IGNORECASE),
            )
            for row in csv.DictReader(file)
        )


@cache
def _forms() -> tuple["re.Pattern[str]", ...]:
    """Accelerators with their count before them, behind them, and without one."""
    names = "|".join(pattern.pattern for _, pattern in kinds())
    name = (
        rf"{_MAKER}(?P<name>{names})(?:[- ](?:SXM[0-9]?|PCIe|NVL))?s?(?![\w-])"
        r"(?!\s[0-9](?-i:[A-Z]{2})\b)"  # "L40 5AA" is a postcode
        r"(?P<noun>\s+(?:GPUs?|cards?|accelerators?|chips?)\b)?"
    )
    return (
        re.compile(rf"{BEGINS}{_NODES}{_COUNT}(?:\s?(?:x|×|\*)\s?|\s+|-){name}{_EACH}", re.IGNORECASE),
        re.compile(rf"(?<![\w-]){name}\s?(?:x|×|\*)\s?(?P<count>[0-9]{{1,6}})(?![\w.]){_EACH}", re.IGNORECASE),
        re.compile(rf"(?<![\w-]){name}", re.IGNORECASE),
    )


def find(text: str, _now: object = None) -> Iterator[Phrase]:
    """Accelerators with a count; those without one, or of a kind that is not named, are not understood."""
    claims = Claims(text)
    *counted, alone = _forms()
    for form in counted:
        for match in form.finditer(text):
            if claims.take(match):
                yield _phrase(text, match)
    for match in alone.finditer(text):
        kind = _kind(match)
        # a name of two letters ("T4", "L4") is one of many things
        if (len(kind.name) > 2 or match["noun"]) and claims.take(match):
            yield Unread(*match.span(), f"how many {kind.name}? give their number, or power_kw")
    yield from other_accelerators.find(text, claims)
    for match in _GPUS.finditer(text):
        if claims.take(match):
            is_hours = re.search(r"h(?:ours?)?$", match[0], re.IGNORECASE)
            yield Unread(
                *match.span(), "accelerator hours are no duration" if is_hours else "which kind? or give power_kw"
            )


def _kind(match: "re.Match[str]") -> Kind:
    return next(kind for kind, pattern in kinds() if pattern.fullmatch(match["name"]))


def _phrase(text: str, match: "re.Match[str]") -> Phrase:
    start, end = match.span()
    kind = _kind(match)
    groups = match.groupdict()
    hours = _HOURS.match(after(text, end))
    if hours:
        return Unread(start, end + hours.end(), "accelerator hours are no duration: give duration_minutes")
    ranged = RANGE_BEFORE.search(before(text, start))
    if ranged:
        return Unread(start - len(ranged[0]), end, "a range: give one number")
    if groups["each"] and not groups.get("nodes"):
        return Unread(start, end, "each of how many? give power_kw in all")
    count = _count(groups["count"]) * _count(groups.get("nodes") or "1")
    if _DGX.search(match[0]) and kind.basis.endswith("eight"):
        count *= 8  # a DGX is the node
    if not 1 <= count <= MOST:
        return Unread(start, end, f"a number of accelerators lies between 1 and {MOST:,}")
    return Found("accelerators", Accelerators(int(count), kind), start, end)


def _count(text: str) -> float:
    counted = 1.0 if text.lower() == "single" else number(text)
    return counted if counted.is_integer() else 0
