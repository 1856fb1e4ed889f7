"""The shapes of the Carbon Intensity API, judged at the door. Values are the staging checkpoint's to judge.

msgspec rather than pydantic: a year of regional data is 2.85 million fuel shares, which msgspec reads in a quarter of the
time and the memory (docs/decisions/shape_at_the_door.md). Unknown keys are let through, missing ones and other types
are not.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from pipelines.dataset import BodyRejected, Contents
from pipelines.door import read, refuses_the_unreadable
from pipelines.periods import HALF_HOUR, parse_iso

REGION_IDS = range(1, 19)

Fuel = Literal["biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind"]
FUELS: tuple[Fuel, ...] = ("biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind")
"""In the order in which the upstream lists them."""

# Far beyond anything real: a bound of the type, not of the value, so that a body is refused only for what cannot be read.
Grams = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Percent = Annotated[float, Meta(ge=-10_000, le=10_000)]


class FuelShare(Struct, gc=False):
    """A fuel's share of the generation, in per cent."""

    fuel: Fuel
    perc: Percent


Mix = Annotated[list[FuelShare], Meta(min_length=len(FUELS), max_length=len(FUELS))]


class NationalIntensity(Struct, gc=False):
    """gCO2/kWh; `actual` is null until it is known."""

    forecast: Grams | None
    actual: Grams | None
    index: str | None


class RegionalIntensity(Struct, gc=False):
    """gCO2/kWh; regions have no `actual`."""

    forecast: Grams | None
    index: str | None


class Region(Struct, gc=False):
    """A region's half-hour. `dnoregion` may be absent."""

    regionid: Annotated[int, Meta(ge=1, le=18)]
    shortname: str
    intensity: RegionalIntensity
    generationmix: Mix


class HalfHour(Struct, rename={"start": "from", "end": "to"}):
    """What every row has: `from` and `to`."""

    start: str
    end: str


class NationalRow(HalfHour):
    """A half-hour of Great Britain."""

    intensity: NationalIntensity


class GenerationRow(HalfHour):
    """A half-hour of Great Britain with nine fuels."""

    generationmix: Mix


class RegionalRow(HalfHour):
    """A half-hour with 18 regions, each with nine fuels."""

    regions: list[Region]


class NationalBody(Struct):
    """`/intensity/{from}/{to}`."""

    data: list[NationalRow]


class GenerationBody(Struct):
    """`/generation/{from}/{to}`."""

    data: list[GenerationRow]


class RegionalBody(Struct):
    """`/regional/intensity/{from}/{to}`."""

    data: list[RegionalRow]


@refuses_the_unreadable
def judge_national(body: bytes) -> Contents:
    """Contents of a national intensity body. Raises BodyRejected."""
    return _contents(read(_NATIONAL, body).data, lambda row: True)


@refuses_the_unreadable
def judge_generation(body: bytes) -> Contents:
    """Contents of a national generation mix body. Raises BodyRejected."""
    return _contents(read(_GENERATION, body).data, lambda row: True)


@refuses_the_unreadable
def judge_regional(body: bytes) -> Contents:
    """Contents of a regional body; a half-hour is complete when all 18 regions are there. Raises BodyRejected."""
    return _contents(read(_REGIONAL, body).data, _has_all_regions)


_NATIONAL = msgspec.json.Decoder(NationalBody)
_GENERATION = msgspec.json.Decoder(GenerationBody)
_REGIONAL = msgspec.json.Decoder(RegionalBody)


def _has_all_regions(row: RegionalRow) -> bool:
    return len({region.regionid for region in row.regions}) == len(REGION_IDS)


def _contents(rows: Sequence[Any], is_complete: Callable[[Any], bool]) -> Contents:
    named: set[datetime] = set()
    complete: set[datetime] = set()
    for row in rows:
        try:
            start, end = parse_iso(row.start), parse_iso(row.end)
        except ValueError as error:
            raise BodyRejected(f"a timestamp cannot be read: {error}") from None
        if end - start != HALF_HOUR:
            raise BodyRejected(f"{row.start} to {row.end} is not a half-hour")
        named.add(start)
        if is_complete(row):
            complete.add(start)
    return Contents(named=frozenset(named), complete=frozenset(complete))
