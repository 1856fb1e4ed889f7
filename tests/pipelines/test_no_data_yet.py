"""What an upstream does not have yet is no fault, no rejection, and nothing synthetic stands in for it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.carbon_intensity import DATASETS as CARBON
from pipelines.carbon_intensity.generation import GENERATION, synthesize
from pipelines.catalogue import DATASETS
from pipelines.client import Response, UpstreamClient
from pipelines.dataset import Dataset, FetchRequest, FetchResult
from pipelines.elexon.system_prices import SYSTEM_PRICES
from pipelines.fetch import Fetched, fetch
from pipelines.settings import PipelineSettings
from warehouse.periods import HALF_HOUR, LONDON, Window, settlement_days

NOW = datetime(2026, 12, 31, 23, 37, tzinfo=UTC)
NEXT_YEAR = Window(NOW.replace(minute=30), NOW.replace(minute=30) + timedelta(days=2))
"""The second request of a refresh in the last half-hour of a year: it has just begun."""
AHEAD = Window(NEXT_YEAR.start + timedelta(hours=1), NEXT_YEAR.end)
NO_PRICES = b'{"metadata":{},"data":[]}'


def answered(dataset: Dataset, window: Window, now: datetime, body: bytes) -> Fetched:
    client = UpstreamClient("http://upstream", settings=PipelineSettings())
    response = Response("http://upstream/x", 200, body, 1, 0.1, now)
    asked = replace(dataset, fetch=lambda request: FetchResult([response]))
    return fetch(FetchRequest(client, window, now=now), asked, now=now, fill_gaps=True)


@pytest.mark.parametrize("dataset", CARBON, ids=lambda dataset: dataset.name)
@pytest.mark.parametrize("window", [NEXT_YEAR, AHEAD], ids=["begun", "ahead"])
def test_an_empty_object_beyond_the_horizon(dataset: Dataset, window: Window) -> None:
    got = answered(dataset, window, NOW, b"{}")
    assert (got.fetch.outcome, got.fetch.half_hours_synthetic, got.payloads, got.rejected) == ("landed", 0, (), ())
    assert "the empty object {}" in str(got.fetch.detail)


@pytest.mark.parametrize("dataset", CARBON, ids=lambda dataset: dataset.name)
def test_an_empty_object_for_what_has_been_is_refused(dataset: Dataset) -> None:
    past = Window(NEXT_YEAR.start - HALF_HOUR, NEXT_YEAR.end)
    got = answered(dataset, past, NOW, b"{}")
    assert got.fetch.outcome == "rejected" and got.fetch.half_hours_synthetic > 0 and got.rejected


@pytest.mark.parametrize("half_hours_before", [1, 2, 3, 8])
@pytest.mark.parametrize("window", [NEXT_YEAR, AHEAD], ids=["begun", "ahead"])
def test_a_clamp_to_what_was_published_last(window: Window, half_hours_before: int) -> None:
    newest = NEXT_YEAR.start - half_hours_before * HALF_HOUR
    got = answered(GENERATION, window, NOW, json.dumps(synthesize([newest], NOW)).encode())
    assert (got.fetch.outcome, got.fetch.half_hours_synthetic, got.rejected) == ("landed", 0, ())


@pytest.mark.parametrize(("clock", "is_fault"), [((0, 40), False), ((1, 47), False), ((2, 20), False), ((4, 20), True)])
def test_prices_of_a_day_that_has_just_begun_are_to_come(clock: tuple[int, int], is_fault: bool) -> None:
    today = datetime(2026, 11, 10, *clock, tzinfo=LONDON)
    got = answered(SYSTEM_PRICES, settlement_days(today.date(), today.date()), today.astimezone(UTC), NO_PRICES)
    assert (got.fetch.outcome == "failed", got.fetch.half_hours_synthetic > 0) == (is_fault, is_fault)
    assert not is_fault or "holds no half-hour that was requested" in str(got.fetch.detail)


def test_a_failed_request_leaves_nothing_out_for_its_lag() -> None:
    now = datetime(2026, 11, 10, 9, 10, tzinfo=UTC)
    dataset = DATASETS["elexon__market_index"]
    window = Window(now.replace(minute=0) - timedelta(hours=9), now.replace(minute=30))
    counts = [answered(dataset, window, now, body).fetch.half_hours_synthetic for body in (b"<html>", NO_PRICES)]
    assert counts == [18, 18]
