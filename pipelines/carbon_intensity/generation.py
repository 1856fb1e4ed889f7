"""Generation mix of Great Britain: shares of nine fuels, per cent."""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from msgspec import Struct
from pydantic import JsonValue

from pipelines.carbon_intensity.mixes import GB, mix_of, shares
from pipelines.carbon_intensity.rows import HalfHour, Mix, contents, half_hour, read_body
from pipelines.carbon_intensity.windows import AHEAD, LONGEST_WINDOW, SOURCE, days_to_refresh, span
from pipelines.dataset import Contents, Dataset, fetches_path
from pipelines.door import refuses_the_unreadable
from pipelines.pieces import half_hours, next_last_half_hour_of_a_year


class GenerationRow(HalfHour):
    """A half-hour of Great Britain with nine fuels."""

    generationmix: Mix


class GenerationBody(Struct):
    """`/generation/{from}/{to}`."""

    data: list[GenerationRow]


_DECODER = msgspec.json.Decoder(GenerationBody)


@refuses_the_unreadable
def validate(body: bytes) -> Contents:
    """Contents of a national generation mix body. Raises BodyRejected."""
    return contents(read_body(_DECODER, body).data, lambda row: True)


def synthesize(half_hours: Collection[datetime], now: datetime) -> JsonValue:
    """`/generation/{from}/{to}`."""
    return {"data": [{**half_hour(start), "generationmix": shares(mix_of(GB, start))} for start in sorted(half_hours)]}


GENERATION = Dataset(
    source=SOURCE,
    name="generation",
    clean_tables=("generation_mix_national",),
    earliest=lambda now: datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    refreshes=days_to_refresh,
    horizon=AHEAD,
    pieces=half_hours(LONGEST_WINDOW, never_over=next_last_half_hour_of_a_year),
    fetch=fetches_path(lambda window: f"/generation/{span(window)}"),
    validate=validate,
    synthesize=synthesize,
)
