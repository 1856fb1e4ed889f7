"""What a request leaves unsaid: its class by its words, its size by two of three, and what cannot be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.drafts import Draft, draft
from service.estimate import Size, WorkloadClass, classes, classify, size
from service.problems import Problem
from service.shapes import TaskRequest

NOW = datetime(2026, 11, 23, 10, 17, 23, 456_789, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = {
    "fine_tuning": "fine-tune|fine tune|finetune|lora|rlhf|instruction tuning|fine-tuning|fine tuning",
    "training": "train|training|pretrain|pre-train|epochs|imagenet|resnet|llm|neural network",
    "inference": "inference|serve|serving|predict|chatbot|api endpoint|real-time|realtime",
    "simulation": "simulate|simulating|simulation|cfd|finite element|molecular dynamics|monte carlo|climate model",
    "rendering": "render|rendering|animation|blender|ray tracing|video|transcode|transcoding|encode|encoding",
    "data_processing": "etl|pipeline|batch|spark|preprocess|aggregate|index|backup|migrate|migrating|analytics|report",
    "build": "build|building|compile|compiling|ci|test suite|unit test|release",
}
TYPICAL = classes()[1]


@pytest.mark.parametrize(("expected", "word"), [(c, w) for c, words in WORDS.items() for w in words.split("|")])
def test_every_class_is_reached_by_its_words(expected: str, word: str) -> None:
    for request in (
        word,
        f"Please {word} our things",
        f"We {word.upper()} it",
        f"(the {word.title()})",
        f"for {word}, now",
    ):
        assert classify(request).workload_type == expected, request


def test_what_has_no_word_of_a_class_is_other() -> None:
    for request in (
        "constrain the budget",
        "Do what has to be done",
        "объясни",
        "restrain, retract",
        "deserve",
        "city council",
    ):
        assert classify(request).workload_type == "other", request


def test_a_class_that_is_named_beats_the_words() -> None:
    for known in classes():
        assert classify("train a model", known.workload_type) == known


def test_the_figures_of_every_class_are_sane() -> None:
    assert {c.workload_type for c in classes()} == {*WORDS, "other"}
    for known in classes():
        assert 0 < known.power_kw < 100 and timedelta() < known.duration <= known.deadline


def sized(typical: WorkloadClass = TYPICAL, **given: Any) -> Size:
    return size(typical, **{"energy_kwh": None, "power_kw": None, "duration_minutes": None, **given})


def test_two_of_energy_power_and_duration_give_the_third() -> None:
    assert sized(energy_kwh=10.0, power_kw=5.0) == Size(5.0, 2 * HOUR, ())
    assert sized(energy_kwh=10.0, duration_minutes=30) == Size(20.0, HOUR / 2, ())
    both = sized(power_kw=4.0, duration_minutes=90)
    assert (both.power_kw, both.duration, both.energy_kwh) == (4.0, 1.5 * HOUR, 6.0)
    assert both.estimated == (), "nothing of it was estimated"


@given(st.floats(0.001, 1e4), st.floats(0.001, 1e4))
def test_energy_is_kept_and_power_never_exceeds_what_was_said(energy_kwh: float, power_kw: float) -> None:
    found = sized(energy_kwh=energy_kwh, power_kw=power_kw)
    assert found.energy_kwh == pytest.approx(energy_kwh)
    assert found.duration >= timedelta(minutes=1) and not found.duration % timedelta(minutes=1)
    assert found.power_kw <= power_kw * (1 + 1e-6), "an asset of just that power could not take it"


def test_what_is_estimated_is_named() -> None:
    typical = TYPICAL
    assert sized() == Size(typical.power_kw, typical.duration, ("power_kw", "duration_minutes", "energy_kwh"))
    assert sized(power_kw=3.0) == Size(3.0, typical.duration, ("duration_minutes", "energy_kwh"))
    assert sized(duration_minutes=60) == Size(typical.power_kw, HOUR, ("power_kw", "energy_kwh"))
    energy = sized(energy_kwh=16.0)
    assert energy == Size(16.0 * HOUR / typical.duration, typical.duration, ("power_kw", "duration_minutes"))
    assert energy.energy_kwh == pytest.approx(16.0)


def test_three_that_agree_are_taken_and_a_contradiction_is_an_error() -> None:
    assert sized(energy_kwh=10.0, power_kw=5.0, duration_minutes=120) == Size(5.0, 2 * HOUR, ())
    assert sized(energy_kwh=10.0, power_kw=5.0, duration_minutes=121).estimated == ()
    for minutes in (118, 122, 1, 10_080):
        with pytest.raises(ValueError, match=r"energy_kwh \(10\) is not power_kw x duration_minutes / 60"):
            sized(energy_kwh=10.0, power_kw=5.0, duration_minutes=minutes)


def drafted(request: str = "Train ResNet-50", preferences: dict[str, Any] | None = None, **more: Any) -> Draft:
    return draft(TaskRequest(request=request, **more), NOW, preferences)


def refused(**more: Any) -> str:
    with pytest.raises(Problem) as problem:
        drafted(**more)
    assert problem.value.status == 422
    return problem.value.detail


def test_a_request_in_words_alone_becomes_a_whole_task() -> None:
    found = drafted()
    assert found.workload_type == "training" and found.task.earliest == NOW and found.task.weight == 1.0
    assert found.task.duration == TYPICAL.duration and found.task.power_kw == TYPICAL.power_kw
    assert found.task.deadline == NOW + TYPICAL.deadline and found.task.is_deferrable
    sizes = {"power_kw", "duration_minutes", "energy_kwh"}
    assert set(found.estimated) == sizes | {"workload_type", "deadline", "is_deferrable"}
    assert not drafted("Serve a chatbot").task.is_deferrable


def test_nothing_is_named_as_estimated_where_all_was_said() -> None:
    said = {"workload_type": "build", "deadline": NOW + 9 * HOUR, "is_deferrable": False}
    assert drafted(**said, power_kw=1.0, energy_kwh=2.0).estimated == ()
    found = drafted(**said, power_kw=1.0, duration_minutes=60, region_ids=[3, 13], carbon_cap_gco2_kwh=0.0)
    assert found.task.regions == {3, 13} and found.task.carbon_cap_gco2_kwh == 0 and not found.task.is_deferrable
    assert found.task.deadline == NOW + 9 * HOUR and found.estimated == ()


def test_the_weight_is_the_task_s_else_the_user_s_else_carbon() -> None:
    assert drafted(carbon_to_cost_weight=0.0, preferences={"carbon_to_cost_weight": 0.5}).task.weight == 0.0
    assert drafted(preferences={"carbon_to_cost_weight": 0.5}).task.weight == 0.5
    for nonsense in ({}, {"carbon_to_cost_weight": 7}, {"carbon_to_cost_weight": "x"}, {"carbon_to_cost_weight": None}):
        assert drafted(preferences=nonsense).task.weight == 1.0


def test_an_earliest_start_that_has_passed_is_refused_but_for_some_minutes() -> None:
    assert "earliest_start" in refused(earliest_start=NOW - timedelta(minutes=6))
    assert drafted(earliest_start=NOW - timedelta(minutes=4)).task.earliest == NOW
    assert drafted(earliest_start=NOW + HOUR).task.earliest == NOW + HOUR


def test_a_deadline_before_the_soonest_end_is_refused() -> None:
    assert "soonest end" in refused(deadline=NOW + HOUR, duration_minutes=61)
    assert "soonest end" in refused(deadline=NOW - HOUR, duration_minutes=1)
    assert drafted(deadline=NOW + HOUR, duration_minutes=60).task.deadline == NOW + HOUR


def test_a_long_run_without_a_deadline_has_time_to_run() -> None:
    found = drafted(duration_minutes=10_080).task
    assert found.deadline >= found.earliest + found.duration


def test_more_than_seven_days_less_than_a_watt_and_contradictions_are_refused() -> None:
    assert "seven days" in refused(energy_kwh=169.0, power_kw=1.0)
    assert "seven days" in refused(energy_kwh=1e6, power_kw=0.001)
    assert "less than a watt" in refused(energy_kwh=0.001, duration_minutes=10_080)
    assert "leave one of the three out" in refused(energy_kwh=1.0, power_kw=1.0, duration_minutes=30)
