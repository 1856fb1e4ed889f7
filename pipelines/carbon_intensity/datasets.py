"""The datasets of the Carbon Intensity API and how each is asked for.

The API returns a half-hour if its END lies in [from, to], both included. A window [start, end) is therefore asked for
as `from = start + 30 min, to = end`: exactly its half-hours, no leading extra row. The same form fetches the last
half-hour of a year, which `/generation` and `/regional` give only to a request that begins in the next year.
"""

from datetime import UTC, datetime, timedelta

from pipelines.carbon_intensity.responses import REGION_IDS, judge_generation, judge_national, judge_regional
from pipelines.carbon_intensity.synthetic import synthesize_generation, synthesize_national, synthesize_regional
from pipelines.dataset import Dataset
from pipelines.periods import HALF_HOUR, Window, iso

SOURCE = "carbon_intensity"
LONGEST_WINDOW = timedelta(days=14)
"""Documented for national; for regional 14 days are 4.4 MB, under the 6 MB that the upstream's gateway can answer."""


def _span(window: Window) -> str:
    return f"{iso(window.start + HALF_HOUR)}/{iso(window.end)}"


NATIONAL = Dataset(
    source=SOURCE,
    name="national",
    clean_tables=("carbon_intensity_national",),
    series=1,
    earliest=datetime(2017, 9, 11, 23, 0, tzinfo=UTC),
    longest_window=LONGEST_WINDOW,
    splits_at_year_end=False,
    path=lambda window: f"/intensity/{_span(window)}",
    judge=judge_national,
    synthesize=synthesize_national,
)

REGIONAL = Dataset(
    source=SOURCE,
    name="regional",
    clean_tables=("carbon_intensity_regional", "generation_mix_regional"),
    series=len(REGION_IDS),
    earliest=datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    longest_window=LONGEST_WINDOW,
    splits_at_year_end=True,
    path=lambda window: f"/regional/intensity/{_span(window)}",
    judge=judge_regional,
    synthesize=synthesize_regional,
)

GENERATION = Dataset(
    source=SOURCE,
    name="generation",
    clean_tables=("generation_mix_national",),
    series=1,
    earliest=datetime(2018, 5, 10, 23, 30, tzinfo=UTC),
    longest_window=LONGEST_WINDOW,
    splits_at_year_end=True,
    path=lambda window: f"/generation/{_span(window)}",
    judge=judge_generation,
    synthesize=synthesize_generation,
)

DATASETS = (NATIONAL, REGIONAL, GENERATION)
