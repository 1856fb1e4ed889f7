"""Negated wishes: read with their right meaning or listed as not understood, never read as if the negation were not there."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.words.reading import read
from tests.service.words.test_reading import FRIDAY, PLAIN, at

NOT = [
    "don't",
    "do not",
    "never",
    "not",
    "must not",
    "should not",
    "no",
    "cannot",
    "dont",
    "won\N{RIGHT SINGLE QUOTATION MARK}t",
]
EXCLUSIONS = [
    "without",
    "avoid",
    "anywhere but",
    "except",
    "other than",
    "unless",
    "instead of",
    "outside",
    "rather than",
    "nothing but",
]
VERBS = [
    "",
    "run",
    "run it",
    "ever",
    "under any circumstances run",
    "use it",
    ", if you can help it, run",
    "think of running",
]

# what is not to run before an instant begins no earlier, and what is not to run after it has ended by then
RIGHT: dict[str, dict[str, Any]] = {
    "before 1 December at 6pm": {"earliest_start": at("2026-12-01 18:00")},
    "before midday tomorrow": {"earliest_start": at("2026-11-28 12:00")},
    "before Monday": {"earliest_start": at("2026-11-30 00:00")},
    "after midnight": {"deadline": at("2026-11-28 00:00")},
}
SAID = {words: [said for _, said in read(words, FRIDAY).found.values()] for words, _ in PLAIN}
"""The words that say something, of each plain phrase"""


def values(request: str) -> dict[str, Any]:
    return {field: value for field, (value, _) in read(request, FRIDAY).found.items()}


def is_listed(phrase: str, request: str) -> bool:
    unread = read(request, FRIDAY).unread
    return all(any(said in words for words, _ in unread) for said in SAID[phrase])


@pytest.mark.parametrize("negation", NOT + EXCLUSIONS)
@pytest.mark.parametrize("phrase", SAID)
def test_a_phrase_behind_a_negation_is_never_read_as_if_it_were_not_there(phrase: str, negation: str) -> None:
    for verb in VERBS:
        for request in (f"{negation} {verb} {phrase}", f"Train ResNet-50, {negation} {verb} {phrase}, please"):
            found = values(request)
            if found and found == RIGHT.get(phrase):
                assert negation in NOT, request
            else:
                assert found == {} and is_listed(phrase, request), (request, found)


@pytest.mark.parametrize("negation", NOT)
@pytest.mark.parametrize("phrase", RIGHT)
def test_not_before_is_an_earliest_start_and_not_after_a_deadline(phrase: str, negation: str) -> None:
    for verb in ("", "run", "run it"):
        request = f"{negation} {verb} {phrase}"
        assert values(request) == RIGHT[phrase], request
        assert read(request, FRIDAY).unread == ()


@pytest.mark.parametrize(
    ("request_words", "expected"),
    [
        ("not after 9am tomorrow", {"deadline": at("2026-11-28 09:00")}),
        ("must not run after 9am tomorrow", {"deadline": at("2026-11-28 09:00")}),
        ("must not finish later than 9am tomorrow", {"deadline": at("2026-11-28 09:00")}),
        ("must not run before 9am tomorrow", {"earliest_start": at("2026-11-28 09:00")}),
        ("not starting before 9am tomorrow", {"earliest_start": at("2026-11-28 09:00")}),
        ("no runs before 9am tomorrow", {"earliest_start": at("2026-11-28 09:00")}),
        ("don't run until 9am tomorrow", {"earliest_start": at("2026-11-28 09:00")}),
        ("wait until 9am tomorrow", {"earliest_start": at("2026-11-28 09:00")}),
        (
            "Do not start before 10pm tonight, finish by 9am tomorrow",
            {"earliest_start": at("2026-11-27 22:00"), "deadline": at("2026-11-28 09:00")},
        ),
        (
            "not before 10pm tonight and not after 9am tomorrow, in London",
            {"earliest_start": at("2026-11-27 22:00"), "deadline": at("2026-11-28 09:00"), "region_ids": (13,)},
        ),
        (
            "Do not start before 10pm tonight, 3 hours",
            {"earliest_start": at("2026-11-27 22:00"), "duration_minutes": 180},
        ),
    ],
)
def test_a_negated_time_is_read_where_it_means_one_thing(request_words: str, expected: dict[str, Any]) -> None:
    assert values(request_words) == expected
    assert read(request_words, FRIDAY).unread == ()


@pytest.mark.parametrize(
    "request_words",
    [
        "don't start after 9am tomorrow", "don't finish before 9am tomorrow", "if not before 9am tomorrow",
        "do not run between 22:00 and 06:00", "don't wait until 9am tomorrow", "not no later than 2026-11-30T09:00Z",
        "don't not before 10pm tonight", "it is not before 9am tomorrow", "not just before 9am tomorrow",
        "don't run in London, in Leeds or in Hull", "don't, under any circumstances, run in London", "Do not run\nin London",
        "Do not:\n- run in London.\n- run after 9am tomorrow", "avoid big cities, e.g. in London", "Don't... run in London",
        "don't run in London; in Leeds; or after 9am tomorrow", "no jobs in London", "never, ever, run on 8 H100s",
        "without using London or 8 H100s", "neither in London nor in Leeds", "no less than 3 hours",
        "don't run, please, no later than 9am tomorrow",
        "without half a day on 2 nodes of 4 A100", "stop running in London",
        "Running in London is not allowed", "Running on 8 H100s is forbidden", "In London you must not run it",
        "In London, never run it", "Before 9am tomorrow, do not start it", "in London? Never.", "run in London? no",
        "in London - no", "After 9am tomorrow nothing is allowed and nothing is possible",
        "8 H100s are not available", "Anything in London is out of the question",
    ],
)  # fmt: skip
def test_what_is_denied_and_has_no_certain_meaning_is_listed(request_words: str) -> None:
    reading = read(request_words, FRIDAY)
    assert reading.found == {}
    assert reading.unread


@pytest.mark.parametrize(
    ("request_words", "expected", "listed"),
    [
        ("run in Leeds, not in London", {"region_ids": (5,)}, "not in London"),
        ("Run for 3 hours, not 5 hours", {"duration_minutes": 180}, "not 5 hours"),
        ("3 hours. Do not run in London.", {"duration_minutes": 180}, "not run in London"),
        ("It takes 3 hours and must not run in London", {"duration_minutes": 180}, "must not run in London"),
        ("not before 9am tomorrow or for 3 hours", {"earliest_start": at("2026-11-28 09:00")}, "3 hours"),
        ("not before 9am tomorrow or in London", {"earliest_start": at("2026-11-28 09:00")}, "in London"),
        ("don't run before 9am tomorrow in London", {"earliest_start": at("2026-11-28 09:00")}, "in London"),
        ("not 3 hours but 5 hours", {"duration_minutes": 300}, "not 3 hours"),
        ("- 3 hours\n- not in London\n- region 5", {"duration_minutes": 180, "region_ids": (5,)}, "not in London"),
    ],
)
def test_only_what_is_denied_is_left_out(request_words: str, expected: dict[str, Any], listed: str) -> None:
    assert values(request_words) == expected
    assert any(listed in words for words, _ in read(request_words, FRIDAY).unread)


QUIET: list[tuple[str, set[str]]] = [
    ("Train ResNet-50 on ImageNet", set()), ("nightly backup without compression", set()), ("Render the film", set()),
    ("Train a model that must not overfit", set()), ("Fine-tune without dropout", set()), ("No checkpoints", set()),
    ("Don't keep the logs", set()), ("Forecast carbon intensity", set()), ("Model of electricity prices", set()),
    ("Train on the California housing data", set()), ("Compute the convex hull", set()), ("Preprocess before training", set()),
    ("Avoid overfitting", set()), ("Index everything except images", set()), ("Encode with skip connections", set()),
    ("Train without dropout for 3 hours on 8 H100s in London", {"duration_minutes", "accelerators", "region_ids"}),
    ("no dropout, 3 hours on 8 H100s", {"duration_minutes", "accelerators"}),
    ("No rush, 3 hours on 8 H100s before 9am tomorrow", {"duration_minutes", "accelerators", "deadline"}),
    ("It is not urgent: 3 hours", {"duration_minutes"}), ("without fail by 9am tomorrow", {"deadline"}),
    ("no more than 3 hours", {"duration_minutes"}), ("no more than 6.5 kW", {"power_kw"}),
    ("Train for 3 hours in Leeds without augmentation", {"duration_minutes", "region_ids"}),
    ("Run for 3 hours at 5 kW. Don't keep logs.", {"duration_minutes", "power_kw"}),
    ("3 hours on 8 H100s, do not checkpoint", {"duration_minutes", "accelerators"}),
]  # fmt: skip


@pytest.mark.parametrize(("request_words", "fields"), QUIET, ids=[words for words, _ in QUIET])
def test_a_negation_of_something_else_makes_no_noise(request_words: str, fields: set[str]) -> None:
    reading = read(request_words, FRIDAY)
    assert (set(reading.found), reading.unread) == (fields, ())


@given(
    st.sampled_from(
        ["", "Train it. ", "Fine-tune a model, and ", "Please ", "We have 5 nodes.\n", "Render the film: "]
    ),
    st.sampled_from(
        NOT
        + EXCLUSIONS
        + ["NEVER", "Don't", "is not to", "needn't", "shouldn\N{RIGHT SINGLE QUOTATION MARK}t", "refuse to"]
    ),
    st.lists(
        st.sampled_from(["run", "it", "use", "please,", "ever", "train", "the job", "even", "\n", "any of"]),
        max_size=3,
        unique=True,
    ),
    st.lists(st.sampled_from(list(SAID)), min_size=1, max_size=3),
    st.sampled_from([", ", " ", " and ", " or ", ", or ", "\n"]),
    st.sampled_from(["", ".", "!", ", please", " at all", " because of noise"]),
)
def test_nothing_behind_a_negation_is_read_as_if_it_were_not_there(
    head: str, negation: str, words: list[str], phrases: list[str], join: str, tail: str
) -> None:
    """With several phrases, those behind the first may be denied or not; the first always is."""
    first, *others = phrases
    request = f"{head}{negation} {' '.join(words)} {first}{join if others else ''}{join.join(others)}{tail}"
    meant = dict(PLAIN)[first]
    found = values(request)
    elsewhere = {field for other in others for field in dict(PLAIN)[other]} | {
        f for o in others for f in RIGHT.get(o, {})
    }
    for field, value in meant.items():
        name = "accelerators" if field == "power" else field
        if name in found and field not in elsewhere:
            assert RIGHT.get(first, {}).get(field) == found[name] != value, (request, found)
    for field in set(found) - {"accelerators"} - elsewhere - set(meant):
        assert RIGHT.get(first, {}).get(field) == found[field], (request, found)


@pytest.mark.parametrize(
    "piece",
    ["not ", "not in London ", "no. ", "don't, or ", "never: ", "without a , 1 ", "if not the ", "anywhere but "],
)
def test_many_negations_take_no_long_time(piece: str) -> None:
    begun = time.thread_time()
    read(piece * (2000 // len(piece)), FRIDAY, most_seconds=60)
    assert time.thread_time() - begun < 1
