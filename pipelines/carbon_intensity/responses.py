"""The shapes of the Carbon Intensity API, judged at the door. Values are the staging checkpoint's to judge.

TypedDicts rather than classes: a year of regional data is 2.85 million fuel shares, and building a class instance for
each takes ten times as long. Unknown keys are let through, missing ones and other types are not.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pipelines.dataset import BodyRejected, Contents
from pipelines.periods import HALF_HOUR, parse_iso

REGION_IDS = range(1, 19)

Fuel = Literal["biomass", "coal", "gas", "hydro", "imports", "nuclear", "other", "solar", "wind"]
FUELS: tuple[Fuel, ...] = ("biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind")
"""In the order in which the upstream lists them."""

# Far beyond anything real: a bound of the type, not of the value, so that a body is refused only for what cannot be read.
Grams = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Percent = Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)]


class FuelShare(TypedDict):
    """A fuel's share of the generation, in per cent."""

    fuel: Fuel
    perc: Percent


class NationalIntensity(TypedDict):
    """gCO2/kWh; `actual` is null until it is known."""

    forecast: Grams | None
    actual: Grams | None
    index: str | None


class RegionalIntensity(TypedDict):
    """gCO2/kWh; regions have no `actual`."""

    forecast: Grams | None
    index: str | None


Mix = Annotated[list[FuelShare], Field(min_length=len(FUELS), max_length=len(FUELS))]


class Region(TypedDict):
    """A region's half-hour. `dnoregion` may be absent."""

    regionid: Annotated[int, Field(ge=1, le=18)]
    shortname: str
    intensity: RegionalIntensity
    generationmix: Mix


NationalRow = TypedDict("NationalRow", {"from": str, "to": str, "intensity": NationalIntensity})
GenerationRow = TypedDict("GenerationRow", {"from": str, "to": str, "generationmix": Mix})
RegionalRow = TypedDict("RegionalRow", {"from": str, "to": str, "regions": list[Region]})


class NationalBody(TypedDict):
    """`/intensity/{from}/{to}`: a row a half-hour."""

    data: list[NationalRow]


class GenerationBody(TypedDict):
    """`/generation/{from}/{to}`: a row a half-hour with nine fuels."""

    data: list[GenerationRow]


class RegionalBody(TypedDict):
    """`/regional/intensity/{from}/{to}`: a row a half-hour with 18 regions, each with nine fuels."""

    data: list[RegionalRow]


def judge_national(body: bytes) -> Contents:
    """Contents of a national intensity body. Raises BodyRejected."""
    return _contents(_NATIONAL, body, lambda row: True)


def judge_generation(body: bytes) -> Contents:
    """Contents of a national generation mix body. Raises BodyRejected."""
    return _contents(_GENERATION, body, lambda row: _each_fuel_once(row["generationmix"]))


def judge_regional(body: bytes) -> Contents:
    """Contents of a regional body; a half-hour is complete when all 18 regions are there. Raises BodyRejected."""
    return _contents(_REGIONAL, body, _all_regions)


_NATIONAL: TypeAdapter[Any] = TypeAdapter(NationalBody)
_GENERATION: TypeAdapter[Any] = TypeAdapter(GenerationBody)
_REGIONAL: TypeAdapter[Any] = TypeAdapter(RegionalBody)


def _all_regions(row: dict[str, Any]) -> bool:
    ids = [region["regionid"] for region in row["regions"] if _each_fuel_once(region["generationmix"])]
    return len(set(ids)) == len(REGION_IDS)


def _each_fuel_once(mix: list[FuelShare]) -> bool:
    if len({share["fuel"] for share in mix}) != len(FUELS):
        names = Counter(share["fuel"] for share in mix)
        raise BodyRejected(f"a mix names {names.most_common(1)[0][0]} twice")
    return True


def _contents(adapter: TypeAdapter[Any], body: bytes, is_complete: Callable[[dict[str, Any]], bool]) -> Contents:
    named: set[datetime] = set()
    complete: set[datetime] = set()
    with _garbage_collector_paused():
        try:
            rows = adapter.validate_json(body, strict=True)["data"]
        except ValidationError as error:
            raise BodyRejected(_first_fault(error, body)) from None
        for row in rows:
            try:
                start, end = parse_iso(row["from"]), parse_iso(row["to"])
            except ValueError as error:
                raise BodyRejected(f"a timestamp cannot be read: {error}") from None
            if end - start != HALF_HOUR:
                raise BodyRejected(f"{row['from']} to {row['to']} is not a half-hour")
            named.add(start)
            if is_complete(row):
                complete.add(start)
    return Contents(named=frozenset(named), complete=frozenset(complete))


@contextmanager
def _garbage_collector_paused() -> Iterator[None]:
    """A body becomes a hundred thousand small dicts without a cycle; collecting among them doubles the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _first_fault(error: ValidationError, body: bytes) -> str:
    """The first fault in words: where in the body, and what was expected there."""
    fault = error.errors(include_url=False, include_context=False)[0]
    if body.strip() == b"{}":
        return "is the empty object {}: the upstream has no data for this window"
    if fault["type"] == "json_invalid":
        kind = "HTML" if body.lstrip()[:1] == b"<" else "not JSON, or cut short"
        return f"is {kind}: {fault['msg']}"
    if b'"error"' in body[:200]:
        return f"is an error object: {body[:200].decode(errors='replace')}"
    place = ".".join(str(part) for part in fault["loc"]) or "the body"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {fault['msg']}{more}"
