"""The results of the last run as Great Expectations' own pages, in `<data_dir>/data_docs`.

The folder is written anew each time, so its cost does not grow with history; history is in `ops.quality_results`.
"""

import html
import shutil
from functools import lru_cache
from pathlib import Path

from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from checkpoints.suite import Suites


@lru_cache(maxsize=1)
def _view() -> DefaultJinjaPageView:
    """One for all pages: each would compile its templates anew."""
    return DefaultJinjaPageView()


def write(suites: Suites, data_dir: Path, *, title: str) -> Path:
    """Write a page a suite and an index; returns the index. The old pages stay until the new ones are there."""
    fresh, folder = data_dir / "data_docs.new", data_dir / "data_docs"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    lines = []
    for name, outcome in sorted(suites.latest.items()):
        page = f"{name.replace(' ', '_')}.html"
        (fresh / page).write_text(_view().render(ValidationResultsPageRenderer().render(outcome)))
        met = sum(bool(result.success) for result in outcome.results)
        lines.append(
            f'<li><a href="{page}">{html.escape(name)}</a>: {met} of {len(outcome.results)} expectations met</li>'
        )
    (fresh / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Data quality</title><h1>{html.escape(title)}</h1><ul>{''.join(lines)}</ul>"
    )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return folder / "index.html"
