"""Temporary files of a run lie in DATA_DIR, so that a run that is killed leaves nothing in a folder of other users."""

import sys
import tempfile
from pathlib import Path

import pytest

from flows import temporary
from tests.energy import Energy

OPENED: list[str] = []
_watching: list[bool] = []


def _note(event: str, details: tuple[object, ...]) -> None:
    if _watching and event == "open":
        OPENED.append(str(details[0]))


@pytest.mark.slow
def test_a_run_opens_no_file_in_the_machines_temporary_folder(
    energy: Energy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    energy.set(TMPDIR=str(shared))
    sys.addaudithook(_note)
    _watching.append(True)
    try:
        assert energy.refresh("carbon_intensity__generation")["failures"] == []
    finally:
        _watching.clear()
    assert [path for path in OPENED if path.startswith(str(shared))] == []
    ours = str(temporary.folder(energy.data_dir))
    assert any(path.startswith(ours) for path in OPENED), "dlt writes the SQL of a merge where Python says"


def test_what_was_set_before_is_set_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, str(tmp_path / "before")):
        if before is None:
            monkeypatch.delenv("TMPDIR", raising=False)
        else:
            Path(before).mkdir()
            monkeypatch.setenv("TMPDIR", before)
        monkeypatch.setattr(tempfile, "tempdir", None)
        outside = tempfile.gettempdir()
        with temporary.inside(tmp_path):
            assert tempfile.gettempdir() == str(tmp_path / "tmp")
            with temporary.inside(tmp_path):
                pass
            assert tempfile.gettempdir() == str(tmp_path / "tmp")
        assert tempfile.gettempdir() == outside
