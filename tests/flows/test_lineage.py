"""Where the links on a run's page go: to the service, and nowhere if there is none."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.lineage import service_url


def test_the_address_is_that_of_the_setting_without_a_slash_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given, address in (
        ("http://127.0.0.1:8040", "http://127.0.0.1:8040"),
        ("https://energy.example/", "https://energy.example"),
        ("https://energy.example/grid/", "https://energy.example/grid"),
    ):
        monkeypatch.setenv("SERVICE_URL", given)
        assert service_url(tmp_path) == address


def test_a_file_or_nonsense_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("file:///data/index.html", "javascript:alert(1)", "nonsense"):
        monkeypatch.setenv("SERVICE_URL", given)
        with pytest.raises(ValidationError):
            service_url(tmp_path)


def test_without_a_setting_or_a_service_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICE_URL", raising=False)
    assert service_url(tmp_path) is None
