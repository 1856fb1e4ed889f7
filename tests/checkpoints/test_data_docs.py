"""The pages on data quality: complete in themselves, clear on pass and fail, of the last runs alone, whole after a kill."""

import json
import multiprocessing
import re
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints import data_docs
from checkpoints.suite import Suites, rows_that
from checkpoints.tally import Tally
from tests.checkpoints.pages import Page, check
from warehouse.database import Database
from warehouse.ledger import QualityResult

HOSTILE = "<script>alert(1)</script>\"'><img src=//example.org/x onerror=alert(1)>&{{ 7 * 7 }}"


def result(*, success: bool = True, description: str = "holds", severity: str = "critical") -> QualityResult:
    return QualityResult(
        "clean",
        "any",
        "unexpected_rows_expectation",
        None,
        severity,
        success,
        None,
        10,
        0 if success else 3,
        description,
    )


def tally(*results: QualityResult, dataset: str = "any", rows: object = ()) -> Tally:
    made = Tally("clean", dataset)
    for each in results:
        made.add(each, {"partial_unexpected_list": rows})
    return made


def write(folder: Path, *tallies: Tally, flow: str = "refresh", run_id: uuid.UUID | None = None) -> uuid.UUID:
    run_id = run_id or uuid.uuid4()
    data_docs.write(tallies, folder, flow=flow, run_id=run_id)
    return run_id


def test_pages_of_great_expectations_results_load_nothing_and_tell_passed_from_failed(
    database: Database, tmp_path: Path
) -> None:
    suites = Suites(database)
    suites.run(
        checkpoint="staging",
        dataset="mixed",
        query="select n, 'x' || n as name from generate_series(1, 3) as n",
        expectations=[
            rows_that("below five", "select * from {batch} where n >= 5"),
            rows_that("below three", "select * from {batch} where n >= 3"),
            rows_that("below two", "select * from {batch} where n >= 2", severity="warning"),
            rows_that("divides", "select 1 / 0 from {batch}"),
        ],
    )
    suites.run(
        checkpoint="clean",
        dataset="good",
        query="select 1 as n",
        expectations=[rows_that("holds", "select * from {batch} where n > 1")],
    )
    suites.close()
    run = write(tmp_path, *suites.tallies.values(), flow="backfill")
    pages = check(tmp_path / "data_docs")
    assert set(pages) == {"index.html", f"{run}.html"}
    for page in pages.values():
        assert "backfill" in page.words and str(run) in page.words
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page.words)
    index = rows(tmp_path / "data_docs/index.html")
    assert "FAILED" in index["mixed"] and "1 of 4" in index["mixed"] and "staging" in index["mixed"]
    assert "passed" in index["good"] and "1 of 1" in index["good"] and "clean" in index["good"]
    shown = rows(tmp_path / f"data_docs/{run}.html")
    assert "passed" in shown["below five"]
    assert "FAILED" in shown["below three"] and "warning" in shown["below two"]
    assert [shown[name].split()[-1] for name in ("below three", "below two")] == ["1", "2"], (
        "rows that were not expected"
    )
    assert "FAILED" in shown["divides"] and "division by zero" in shown["divides"]
    assert "Traceback" not in pages[f"{run}.html"].words


def rows(path: Path) -> dict[str, str]:
    """The text of the table row that names each thing, by its link or its first line."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", path.read_text(), flags=re.S):
        words = Page(row).words
        for name in ("mixed", "good", "below five", "below three", "below two", "divides"):
            if re.search(rf"\b{name}\b", words):
                found[name] = words
    return found


def test_what_failed_once_in_a_run_is_failed_on_its_page_though_a_later_batch_passed(tmp_path: Path) -> None:
    one = tally(*(result(success=success) for success in (True, False, True)))
    run = write(tmp_path, one)
    words = check(tmp_path / "data_docs")[f"{run}.html"].words
    assert "FAILED" in words and "failed 1 of 3 times" in words


def test_the_last_runs_are_kept_and_older_pages_are_removed(tmp_path: Path) -> None:
    runs = [write(tmp_path, tally(result())) for _ in range(data_docs.KEPT_RUNS + 5)]
    pages = check(tmp_path / "data_docs")
    assert set(pages) == {"index.html", *(f"{run}.html" for run in runs[-data_docs.KEPT_RUNS :])}
    listed = list(dict.fromkeys(link.partition("#")[0] for link in pages["index.html"].links))
    assert listed == [f"{run}.html" for run in reversed(runs[-data_docs.KEPT_RUNS :])], "newest first"
    size = sum(1 for _ in (tmp_path / "data_docs").iterdir())
    write(tmp_path, tally(result()))
    assert sum(1 for _ in (tmp_path / "data_docs").iterdir()) == size


def test_a_run_that_writes_again_replaces_its_page_and_one_without_results_changes_nothing(tmp_path: Path) -> None:
    run = write(tmp_path, tally(result()))
    write(tmp_path, tally(result(success=False)), run_id=run)
    write(tmp_path)
    pages = check(tmp_path / "data_docs")
    assert set(pages) == {"index.html", f"{run}.html"}
    assert "FAILED" in pages["index.html"].words and "passed" not in pages["index.html"].words


def test_what_a_killed_run_or_an_older_version_left_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "data_docs"
    folder.mkdir()
    for name, text in {
        f"{uuid.uuid4()}.html": "a page without its entry",
        f"{uuid.uuid4()}.json": "{}",
        "half.json": '{"run_id": "half", "flow"',
        "index.html.new": "half",
        "clean_any.html": "<script src=https://example.org></script>",
    }.items():
        (folder / name).write_text(text)
    run = write(tmp_path, tally(result()))
    assert set(check(folder)) == {"index.html", f"{run}.html"}
    assert {path.name for path in folder.iterdir()} == {"index.html", f"{run}.html", f"{run}.json", ".lock"}


def _write_many(folder: str) -> None:
    for _ in range(8):
        write(Path(folder), tally(result()))


@pytest.mark.slow
def test_runs_at_once_are_all_on_the_index(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path),)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    pages = check(tmp_path / "data_docs")
    assert len(pages) == 16 + 1
    assert {link.partition("#")[0] for link in pages["index.html"].links} == set(pages) - {"index.html"}


@pytest.mark.parametrize("text", [HOSTILE, "\ud800 half a pair", "x" * 5000])
def test_hostile_names_are_text(tmp_path: Path, text: str) -> None:
    run = write(tmp_path, tally(result(success=False, description=text), dataset=text, rows=[{text: text}]), flow=text)
    pages = check(tmp_path / "data_docs")
    if text == HOSTILE:
        assert text in pages["index.html"].words and text in pages[f"{run}.html"].words
    assert json.loads((tmp_path / f"data_docs/{run}.json").read_text())["flow"] == text


@given(name=st.text(), success=st.booleans())
def test_no_name_makes_a_page_load_or_run_anything(
    tmp_path_factory: pytest.TempPathFactory, name: str, success: bool
) -> None:
    folder = tmp_path_factory.mktemp("pages")
    write(folder, tally(result(success=success, description=name), dataset=name, rows=[name]), flow=name)
    pages = [Page(path.read_text()) for path in (folder / "data_docs").glob("*.html")]
    assert all(page.tags.isdisjoint({"script", "img", "iframe"}) and page.loads == ["data:,"] for page in pages)
    assert all(("FAILED" in page.words) != success or "FAILED" in name for page in pages)
