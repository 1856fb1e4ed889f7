"""`/docs/quality` and `/docs/dbt`: the pages that runs and `make docs` have written to DATA_DIR, as they are.

No token: like the page at `/` they are about the public grid data and the project's tables. They hold no row of schema `app`,
so nothing personal. Each response forbids its page to load anything from anywhere.
"""

import html
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from warehouse.settings import WarehouseSettings

router = APIRouter(prefix="/docs", include_in_schema=False)

_COMMON = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_QUALITY = f"{_COMMON}; frame-ancestors 'none'"
# dbt's page is a script that compiles its own templates; its fonts are inside it
_DBT = f"{_QUALITY}; script-src 'unsafe-inline' 'unsafe-eval'; font-src data:"


async def _data_dir() -> Path:
    return WarehouseSettings().data_dir


DataDir = Annotated[Path, Depends(_data_dir)]
Page = Annotated[str, PathParameter(max_length=100)]


@router.get("/quality")
def quality() -> Response:
    """To the index: its links are relative to a folder."""
    return RedirectResponse("quality/index.html", headers=_headers(_QUALITY))


@router.get("/quality/{page}")
def quality_page(page: Page, data_dir: DataDir) -> Response:
    """The index of the last runs, or the page of one."""
    text = _page_in(data_dir / "data_docs", page)
    if text is not None:
        return HTMLResponse(text, headers=_headers(_QUALITY))
    if page == "index.html":
        return _missing(
            "No data quality results yet", "A run that validates data writes them: <code>make run</code>, or a flow."
        )
    return _missing(
        "No such page of data quality",
        'Only the last runs have one: <a href="index.html">all runs</a>. Older results: <code>ops.quality_results</code>.',
    )


@router.get("/quality/")
def quality_folder() -> Response:
    """To the index."""
    return RedirectResponse("index.html", headers=_headers(_QUALITY))


@router.get("/dbt")
def dbt(data_dir: DataDir) -> Response:
    """dbt's page on tables, columns and lineage."""
    text = _page_in(data_dir / "dbt_docs", "index.html")
    if text is not None:
        return HTMLResponse(text, headers=_headers(_DBT))
    return _missing("dbt's docs have not been written yet", "This command writes them: <code>make docs</code>.")


def _page_in(folder: Path, name: str) -> bytes | None:
    """The page of that name: a regular file directly in the folder, not a link out of it; None if there is none.

    Read whole, because a run may remove an old page at any moment.
    """
    if "/" in name or "\\" in name or "\0" in name or name.startswith(".") or not name.endswith(".html"):
        return None
    path = folder / name
    try:
        is_there = path.is_file() and path.resolve().parent == folder.resolve()
        return path.read_bytes() if is_there else None
    except (OSError, ValueError):
        return None


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def _missing(title: str, words: str) -> Response:
    """404, in words for a person. `words` is HTML of our own."""
    title = html.escape(title)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        "<style>body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }</style>"
        f"<h1>{title}</h1><p>{words}</p></html>",
        status_code=404,
        headers=_headers(_QUALITY),
    )
