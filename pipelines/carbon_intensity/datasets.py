"""The datasets of the Carbon Intensity API and how each is asked for.

The API returns a half-hour if its END lies in [from, to], both included. A window [start, end) is therefore asked for
as `from = start + 30 min, to = end`: exactly its half-hours, no leading extra row. The same form fetches the last
half-hour of a year, which `/generation` and `/regional` give only to a request that begins in the next year. A range whose ends
are equal is refused: a lone half-hour is asked for with an end a minute later.
"""

from datetime import UTC, datetime, timedelta

from pipelines.carbon_intensity.responses import REGION_IDS, judge_generation, judge_national, judge_regional
from pipelines.carbon_intensity.synthetic import synthesize_generation, synthesize_national, synthesize_regional
from pipelines.dataset import Dataset, asks_path
from pipelines.periods import HALF_HOUR, Window, day_start, floor, iso, settlement_day
from pipelines.pieces import half_hours, next_last_half_hour_of_a_year

SOURCE = "carbon_intensity"
AHEAD = timedelta(hours=48)
LONGEST_RANGE = timedelta(days=13, hours=23, minutes=30)
"""From `from` to `to`: regional refuses 14 days, national 31; 14 days of regional are 4.4 MB of the gateway's 6."""
LONGEST_WINDOW = LONGEST_RANGE + HALF_HOUR
"""The half-hours of the longest range: one more, because those that end at `from` and at `to` are both in it."""
A_MINUTE = timedelta(minutes=1)


def _span(window: Window) -> str:
    first, last = window.start + HALF_HOUR, window.end
    return f"{iso(first)}/{iso(last if last > first else last + A_MINUTE)}"


def _refreshes(now: datetime) -> Window:
    """The settlement days that may still be revised, and the 48 hours to come."""
    return Window(day_start(settlement_day(now) - timedelta(days=2)), floor(now) + AHEAD)


NATIONAL = Dataset(
    source=SOURCE,
    name="national",
    clean_tables=("carbon_intensity_national",),
    earliest=lambda now: datetime(2017, 9, 11, 23, 0, tzinfo=UTC),
    refreshes=_refreshes,
    horizon=AHEAD,
    pieces=half_hours(LONGEST_WINDOW),
    ask=asks_path(lambda window: f"/intensity/{_span(window)}"),
    judge=judge_national,
    synthesize=synthesize_national,
)

REGIONAL = Dataset(
    source=SOURCE,
    name="regional",
    clean_tables=("carbon_intensity_regional", "generation_mix_regional"),
    series=len(REGION_IDS),
    earliest=lambda now: datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    refreshes=_refreshes,
    horizon=AHEAD,
    pieces=half_hours(LONGEST_WINDOW, never_over=next_last_half_hour_of_a_year),
    ask=asks_path(lambda window: f"/regional/intensity/{_span(window)}"),
    judge=judge_regional,
    synthesize=synthesize_regional,
)

GENERATION = Dataset(
    source=SOURCE,
    name="generation",
    clean_tables=("generation_mix_national",),
    earliest=lambda now: datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    refreshes=_refreshes,
    horizon=AHEAD,
    pieces=half_hours(LONGEST_WINDOW, never_over=next_last_half_hour_of_a_year),
    ask=asks_path(lambda window: f"/generation/{_span(window)}"),
    judge=judge_generation,
    synthesize=synthesize_generation,
)

DATASETS = (NATIONAL, REGIONAL, GENERATION)
