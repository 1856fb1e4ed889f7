"""Accelerators without a figure in the table are listed with their count; nothing of them is read as something else."""

import pytest

from service.words.reading import read
from tests.service.words.test_reading import FRIDAY

NOT_KNOWN = [
    "a GB200", "8 GB200s", "4 B300", "TPU v4-8", "8 TPU v5e", "8x MI355X", "8 Trainium2 chips", "M1 Max", "an RTX 6000 Ada",
    "Gaudi 3", "2 Xeon CPUs", "4 GTX 1080 Ti", "16 H800", "a Jetson Orin", "4 H20", "GPUs", "our TPUs", "eight GH200",
]  # fmt: skip


@pytest.mark.parametrize("words", NOT_KNOWN)
@pytest.mark.parametrize("head", ["on ", "Train it for 3 hours on "])
def test_an_accelerator_that_has_no_figure_is_listed(head: str, words: str) -> None:
    reading = read(head + words, FRIDAY)
    assert set(reading.found) == ({"duration_minutes"} if "3 hours" in head else set())
    assert any(words in listed and "power_kw" in why for listed, why in reading.unread), reading.unread


@pytest.mark.parametrize(
    "request_words",
    [
        "Train a V2 model",
        "train a B12 detector",
        "Train on A320 fleet data",
        "a BERT model and GPT2",
        "Render 3D",
        "use FP16",
    ],
)
def test_a_name_that_is_no_accelerator_makes_no_noise(request_words: str) -> None:
    reading = read(request_words, FRIDAY)
    assert (reading.found, reading.unread) == ({}, ())
