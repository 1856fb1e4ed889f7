"""Carbon intensity of Great Britain: forecast, and what it was; gCO2/kWh."""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from pydantic import JsonValue

from pipelines.carbon_intensity.mixes import GB, intensity, mix_of
from pipelines.carbon_intensity.rows import Grams, HalfHour, contents, half_hour, read_body
from pipelines.carbon_intensity.windows import AHEAD, LONGEST_WINDOW, SOURCE, days_to_refresh, span
from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.pieces import half_hours
from pipelines.synthetic import noise
from warehouse.periods import HALF_HOUR


class NationalIntensity(Struct, gc=False):
    """gCO2/kWh; `actual` is null until it is known."""

    forecast: Grams | None
    actual: Grams | None
    index: str | None


class NationalRow(HalfHour):
    """A half-hour of Great Britain."""

    intensity: NationalIntensity


class NationalBody(Struct):
    """`/intensity/{from}/{to}`."""

    data: list[NationalRow]


_DECODER = msgspec.json.Decoder(NationalBody)


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Contents of a national intensity body. Raises BodyRejected."""
    return contents(read_body(_DECODER, body).data, lambda row: True)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """`/intensity/{from}/{to}`: `actual` is null for what has not ended at `now`, as upstream."""
    rows: list[JsonValue] = []
    for start in sorted(half_hours):
        forecast = intensity(mix_of(GB, start))
        actual = max(1, forecast + round(12 * (noise("actual", GB, start) - 0.5)))
        ended = start + HALF_HOUR <= now
        rows.append(
            {
                **half_hour(start),
                "intensity": {"forecast": forecast, "actual": actual if ended else None, "index": None},
            }
        )
    return {"data": rows}


NATIONAL = Dataset(
    source=SOURCE,
    name="national",
    clean_tables=("carbon_intensity_national",),
    earliest=lambda now: datetime(2017, 9, 11, 23, 0, tzinfo=UTC),
    refreshes=days_to_refresh,
    horizon=AHEAD,
    pieces=half_hours(LONGEST_WINDOW),
    fetch=fetches_path(lambda window: f"/intensity/{span(window)}"),
    validate=validate,
    synthesize=synthesize,
)
