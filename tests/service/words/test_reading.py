"""Words of a request: plain phrases are read, what could mean two things is not, and nothing is invented."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape

from service.places.names import names
from service.words import instants
from service.words.accelerators import kinds
from service.words.reading import read
from warehouse.settings import PROJECT_ROOT

FRIDAY = datetime(2026, 11, 27, 10, 17, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)  # 23:30 in London


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


PLAIN: list[tuple[str, dict[str, Any]]] = [
    ("3 hours on 8 H100s before 9am tomorrow", {"duration_minutes": 180, "deadline": at("2026-11-28 09:00"), "power": 10.2}),
    ("Train ResNet-50 for 90 min at 6.5 kW", {"duration_minutes": 90, "power_kw": 6.5}),
    ("half a day on 2 nodes of 4 A100", {"duration_minutes": 720, "power": 6.5}),
    ("two and a half hours, 20 kWh", {"duration_minutes": 150, "energy_kwh": 20.0}),
    ("takes an hour and a half", {"duration_minutes": 90}),
    ("8xV100 for 1h30", {"duration_minutes": 90, "power": 3.5}),
    ("run for 1 day 2 hours", {"duration_minutes": 26 * 60}),
    ("a 3-hour training run", {"duration_minutes": 180}),
    ("for 90 seconds", {"duration_minutes": 2}),
    ("using 1.5 MW for 2 hrs", {"power_kw": 1500.0, "duration_minutes": 120}),
    ("at 500 W, 1.5 kWh", {"power_kw": 0.5, "energy_kwh": 1.5}),
    ("4 RTX 4090 GPUs", {"power": 1.8}),
    ("2 DGX H100", {"power": 20.4}),
    ("by Friday 18:00", {"deadline": at("2026-11-27 18:00")}),
    ("by Friday 09:00", {"deadline": at("2026-12-04 09:00")}),
    ("by 18:00 on Monday", {"deadline": at("2026-11-30 18:00")}),
    ("within 12 hours", {"deadline": FRIDAY + timedelta(hours=12)}),
    ("in the next 90 minutes", {"deadline": FRIDAY + timedelta(minutes=90)}),
    ("no later than 2026-11-30T09:00Z", {"deadline": at("2026-11-30 09:00")}),
    ("before 1 December at 6pm", {"deadline": at("2026-12-01 18:00")}),
    ("finished by noon tomorrow", {"deadline": at("2026-11-28 12:00")}),
    ("before midday tomorrow", {"deadline": at("2026-11-28 12:00")}),
    ("before Monday", {"deadline": at("2026-11-30 00:00")}),
    ("by 9am tomorrow morning", {"deadline": at("2026-11-28 09:00")}),
    ("by 26/11/2026 18:00", {"deadline": at("2026-11-26 18:00")}),
    ("after midnight", {"earliest_start": at("2026-11-28 00:00")}),
    ("not before 10pm tonight", {"earliest_start": at("2026-11-27 22:00")}),
    ("between 22:00 and 06:00", {"earliest_start": at("2026-11-27 22:00"), "deadline": at("2026-11-28 06:00")}),
    ("from 1am to 5am on Sunday", {"earliest_start": at("2026-11-29 01:00"), "deadline": at("2026-11-29 05:00")}),
    ("Train ResNet-50 in Manchester", {"region_ids": (3,)}),
    ("run it in Leeds or Glasgow", {"region_ids": (2, 5)}),
    ("Fine-tune the model in South Wales", {"region_ids": (7,)}),
    ("region 13", {"region_ids": (13,)}),
]  # fmt: skip


@pytest.mark.parametrize(("request_words", "expected"), PLAIN, ids=[words for words, _ in PLAIN])
def test_plain_phrases_are_read(request_words: str, expected: dict[str, Any]) -> None:
    reading = read(request_words, FRIDAY)
    said = {field: value for field, (value, _) in reading.found.items()}
    if "accelerators" in said:
        said["power"] = said.pop("accelerators").power_kw
    assert said == expected
    assert reading.unread == ()


NOT_PLAIN = [
    ("by next Friday", "next Friday"), ("by Friday", "by Friday"), ("by tomorrow", "by tomorrow"), ("by 9", "9"),
    ("before tomorrow morning", "before tomorrow morning"), ("overnight", "overnight"), ("this weekend", "this weekend"),
    ("by midnight on Friday", "midnight on Friday"), ("start by 9am", "start by 9am"), ("by 05/12 18:00", "05/12"),
    ("3-4 hours", "3-4 hours"), ("3 to 4 hours", "3 to 4 hours"), ("at least 3 hours", "3 hours"), ("in 3 hours", "3 hours"),
    ("the last 3 days of logs", "3 days"), ("forecast the next 24 hours", "24 hours"), ("every 3 hours", "3 hours"),
    ("train on 24 hours of audio", "24 hours"), ("a 48-hour forecast", "48-hour"), ("100 H100 hours", "100 H100 hours"),
    ("on H100s", "H100s"), ("on 8 GPUs", "8 GPUs"), ("5-10 kW", "5-10 kW"), ("500 W each", "500 W"),
    ("simulate a 20 kWh battery", "20 kWh"), ("model the 5 MW wind farm", "5 MW"), ("below 100 gCO2/kWh", "100 gCO2/kWh"),
    ("simulate traffic in London", "in London"), ("train it in Paris", "in Paris"), ("run it in Wales", "in Wales"),
    ("run it in Ambridge", "in Ambridge"), ("region 15", "region 15"), ("for 90 epochs", "90 epochs"), ("asap", "asap"),
    ("every night at 2am", "2am"), ("for 8 days", "8 days"), ("3 hours, 5 hours", "3 hours"), ("by 31 February 2027 at 9am", "31"),
    ("by Monday 28 November at 9am", "28 November"), ("before 1:30 on 2027-03-28", "1:30"),
]  # fmt: skip


@pytest.mark.parametrize(("request_words", "left"), NOT_PLAIN, ids=[words for words, _ in NOT_PLAIN])
def test_what_could_mean_two_things_is_listed_and_not_guessed(request_words: str, left: str) -> None:
    reading = read(request_words, FRIDAY)
    assert reading.found == {}
    assert any(left in words for words, _ in reading.unread), reading.unread
    assert all(why for _, why in reading.unread)


def test_a_time_is_london_s_unless_it_names_another_zone() -> None:
    def deadline(words: str, now: datetime = SUMMER) -> datetime:
        return read(words, now).found["deadline"][0]  # type: ignore[no-any-return]

    assert deadline("before 9am tomorrow") == at("2026-07-02 08:00")
    assert deadline("before 9am UTC tomorrow") == at("2026-07-02 09:00")
    assert deadline("before 9:00 BST tomorrow") == at("2026-07-02 08:00")
    assert deadline("by midnight") == at("2026-07-01 23:00")
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)  # 01:30 comes twice that night: the safe one of both
    assert deadline("by 1:30 tomorrow", autumn) == at("2026-10-25 00:30")
    assert read("after 1:30 tomorrow", autumn).found["earliest_start"][0] == at("2026-10-25 01:30")


def test_a_window_that_is_open_now_has_already_begun() -> None:
    found = read("between 22:00 and 06:00", datetime(2026, 11, 27, 23, 0, tzinfo=UTC)).found
    assert found["earliest_start"][0] == at("2026-11-27 22:00") and found["deadline"][0] == at("2026-11-28 06:00")


def test_names_with_numbers_are_names() -> None:
    for request in (
        "Train ResNet-50 on ImageNet",
        "Fine-tune Llama 3 8B",
        "Run YOLOv8 and GPT-4 on CIFAR-10",
        "x",
        "Render 3D",
    ):
        reading = read(request, FRIDAY)
        assert (reading.found, reading.unread) == ({}, ()), request


PIECES = (
    [words for words, _ in PLAIN]
    + [words for words, _ in NOT_PLAIN]
    + ["in", "by", "3", "hours", "kW", "of", ",", "-", "€", "\u0660"]
)


@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join)))
def test_it_never_raises_and_what_it_reads_is_in_the_words(request: str) -> None:
    reading = read(request, FRIDAY)
    for value, words in reading.found.values():
        assert words and words in request and value is not None
    for words, why in reading.unread:
        assert (words in request or words == "...") and why
    if "duration_minutes" in reading.found:
        assert 1 <= reading.found["duration_minutes"][0] <= 10_080


@given(st.text(alphabet=st.characters(categories=("Ll", "Lu", "Zs", "Po")), max_size=80))
def test_without_a_figure_nor_a_word_of_time_there_is_no_size(request: str) -> None:
    words = set(request.lower().split())
    if not words & {"noon", "midnight", "midday"} and not any(c.isdigit() for c in request):
        assert not set(read(request, FRIDAY).found) & {"power_kw", "energy_kwh", "deadline", "earliest_start"}


@given(st.integers(1, 100), st.sampled_from(["hours", "h", "min", "minutes", "hrs"]))
def test_a_duration_is_what_it_says(count: int, unit: str) -> None:
    minutes = count * (60 if unit.startswith("h") else 1)
    assert read(f"Train it for {count} {unit}", FRIDAY).found["duration_minutes"][0] == minutes


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.sampled_from(instants.WEEKDAYS), st.integers(0, 23)
)
def test_a_weekday_is_within_the_coming_week(now: datetime, weekday: str, hour: int) -> None:
    instant = now.replace(tzinfo=UTC)
    value = read(f"by {weekday} {hour}:00", instant, most_seconds=60).found.get("deadline")
    if value is None:  # an hour that the clocks skip
        assert hour == 1
        return
    local = value[0].astimezone(instants.LONDON)
    assert (instants.WEEKDAYS[local.weekday()], local.hour) == (weekday, hour)
    assert instant < value[0] <= instant + timedelta(days=7, hours=1)


def test_cities_lie_in_the_licence_areas_that_the_table_names() -> None:
    csv.field_size_limit(10_000_000)
    import json

    with (PROJECT_ROOT / "dbt_project" / "seeds" / "seed_regions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    areas = {
        int(row["region_id"]): shape(json.loads(row["geometry"])) for row in rows if row["is_aggregate"] == "false"
    }
    for row in rows:
        if row["is_aggregate"] == "false":
            assert names()[row["name"].lower()].region_ids == (int(row["region_id"]),), row["name"]
    for place in names().values():
        assert bool(place.region_ids) != bool(place.why_not)
        if place.at:
            (region,) = place.region_ids
            nearest = min(areas, key=lambda r: areas[r].distance(Point(place.at[1], place.at[0])))  # type: ignore[index]
            assert nearest == region, (place.name, nearest)


def test_every_accelerator_has_a_figure_and_a_source() -> None:
    assert len(kinds()) > 15
    for kind, _ in kinds():
        assert 50 <= kind.watts <= 2000 and kind.basis and kind.source
        found = read(f"on 4 {kind.name}", FRIDAY).found
        assert found["accelerators"][0].power_kw == pytest.approx(4 * kind.watts / 1000), kind.name


@pytest.mark.parametrize("words", [words for words, _ in PLAIN] + [words for words, _ in NOT_PLAIN])
def test_what_was_read_before_is_read_as_of_now(words: str) -> None:
    """A reading is kept only if it is the same at any instant."""
    later = FRIDAY + timedelta(days=40, hours=11)
    never_read = f"{words} "  # the same words, and another text: so it is read anew
    read(words, FRIDAY)
    assert read(words, later) == read(never_read, later)
    assert read(words, SUMMER) == read(f"{never_read} ", SUMMER)


def test_words_without_a_time_are_read_once() -> None:
    once = read("Train ResNet-50 for 90 min at 6.5 kW in Leeds", FRIDAY)
    assert read("Train ResNet-50 for 90 min at 6.5 kW in Leeds", SUMMER) is once
    assert read("Train it within 12 hours", FRIDAY) != read("Train it within 12 hours", SUMMER)


def test_words_that_take_too_long_to_read_are_not_understood_at_all() -> None:
    request = "3 hours on 8 H100s before 9am tomorrow in London"
    assert set(read(request, FRIDAY).found) >= {"duration_minutes", "deadline"}
    given_up = read(request, FRIDAY, most_seconds=0)
    assert not given_up.found and "too long" in given_up.unread[0][1]
