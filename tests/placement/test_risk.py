"""What a band changes: decisions are made by its middle, those of a cautious task by its upper end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from placement.ledger import Wanted
from placement.negotiation import decide
from placement.outlook import Risk, from_rows
from placement.plan import plan
from placement.task import Task
from placement.venues import Venue, Venues

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_a_band_is_decided_by_its_middle_and_by_a_cautious_task_by_its_upper_end() -> None:
    """What is expected to be clean may turn out dirty: a cautious start is another one. Without a band both are the published."""
    bands = {0: (200, 120, 130), 1: (100, 90, 300), 2: (150, None, None)}
    rows = [
        {
            "region_id": 13, "starts": int(NOON.timestamp()) + 1800 * at, "forecast_gco2_kwh": published, "p50_gco2_kwh": p50,
            "p90_gco2_kwh": p90, "is_synthetic": False, "forecast_known_at": NOON,
        }
        for at, (published, p50, p90) in bands.items()
    ]  # fmt: skip
    outlook = from_rows(NOON, intensities=rows, priced=(), windows=(), names=(), zones=(), last_real=None)
    assert outlook.intensity.values[12].tolist() == [120, 90, 150]
    assert outlook.cautious.intensity.values[12].tolist() == [130, 300, 150]
    venue = [Venue("v", "v", 13, 100.0)]
    task = Task(10.0, timedelta(minutes=30), NOON, NOON + timedelta(hours=2))
    cases: tuple[tuple[Risk, int, int], ...] = (("expected", 1, 90), ("cautious", 0, 130))
    for risk, start, grams in cases:
        found = decide(replace(task, risk=risk), venue, outlook, {}, carbon_value_gbp_kg=0.264)
        assert (found.options[0].starts_at, found.options[0].mean_gco2_kwh) == (
            NOON + start * timedelta(minutes=30),
            grams,
        )
        (planned,) = plan(
            [Wanted(1, replace(task, risk=risk))], Venues(venue), outlook, {}, carbon_value_gbp_kg=0.264
        ).planned
        assert planned.option is not None and planned.option.starts_at == found.options[0].starts_at
    plain = from_rows(
        NOON, intensities=[{k: v for k, v in row.items() if not k.startswith("p")} for row in rows], priced=(), windows=(),
        names=(), zones=(), last_real=None,
    )  # fmt: skip
    assert plain.cautious is plain
