"""Carbon intensity and generation mix of the 14 licence areas and 4 aggregates."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from pydantic import JsonValue

from pipelines.carbon_intensity.mixes import REGIONS, intensity, mix_of, shares
from pipelines.carbon_intensity.rows import REGION_IDS, Grams, HalfHour, Mix, contents, half_hour, read_body
from pipelines.carbon_intensity.windows import AHEAD, LONGEST_WINDOW, SOURCE, days_to_refresh, span
from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.pieces import half_hours, next_last_half_hour_of_a_year


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


class RegionalRow(HalfHour):
    """A half-hour with 18 regions, each with nine fuels."""

    regions: list[Region]


class RegionalBody(Struct):
    """`/regional/intensity/{from}/{to}`."""

    data: list[RegionalRow]


_DECODER = msgspec.json.Decoder(RegionalBody)


def _has_all_regions(row: RegionalRow) -> bool:
    return len({region.regionid for region in row.regions}) == len(REGION_IDS)


def _region(region_id: int, start: datetime) -> JsonValue:
    mix = mix_of(region_id, start)
    short_name, dno_name, _, _ = REGIONS[region_id]
    return {
        "regionid": region_id,
        "dnoregion": dno_name,
        "shortname": short_name,
        "intensity": {"forecast": intensity(mix), "index": None},
        "generationmix": shares(mix),
    }


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Contents of a regional body; a half-hour is complete when all 18 regions are there. Raises BodyRejected."""
    return contents(read_body(_DECODER, body).data, _has_all_regions)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """`/regional/intensity/{from}/{to}`: all 18 regions."""
    return {
        "data": [
            {**half_hour(start), "regions": [_region(id_, start) for id_ in REGION_IDS]} for start in sorted(half_hours)
        ]
    }


REGIONAL = Dataset(
    source=SOURCE,
    name="regional",
    clean_tables=("carbon_intensity_regional", "generation_mix_regional"),
    earliest=lambda now: datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    refreshes=days_to_refresh,
    horizon=AHEAD,
    pieces=half_hours(LONGEST_WINDOW, never_over=next_last_half_hour_of_a_year),
    fetch=fetches_path(lambda window: f"/regional/intensity/{span(window)}"),
    validate=validate,
    synthesize=synthesize,
)
