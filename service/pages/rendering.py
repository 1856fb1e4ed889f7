"""A page from its template: with the headers that keep it to this host, and addresses of its files that change when they do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from service.answers import spelled
from service.pages.charts.svg import tag
from service.pages.clock import LONDON, UTC, Clock
from service.pages.cookie import SECONDS
from warehouse.counts import count, duration

HERE = Path(__file__).parent
ASSETS = {"pages.css": "text/css", "pages.js": "text/javascript", "icon.svg": "image/svg+xml"}
HEADERS = {
    # no inline script, no inline style, no eval, nothing of another host
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
PRIVATE = HEADERS | {
    "Cache-Control": "no-store",
    # so that a browser says that a form of the page comes from the page: of a page without a referrer it would say null
    "Referrer-Policy": "same-origin",
}
"""Headers of what is one reader's own"""
NAVIGATION = (
    *(("/", "Now"), ("/when", "When"), ("/regions/13", "Regions"), ("/plan", "Plan"), ("/quality", "Quality")),
    *(("/trust", "Trust"), ("/data", "Data")),
)


@dataclass(frozen=True)
class Asset:
    """A file of the pages."""

    content: bytes
    media_type: str
    version: str


@cache
def assets() -> dict[str, Asset]:
    """The files of the pages, by name."""
    found = {}
    for name, media_type in ASSETS.items():
        content = (HERE / "assets" / name).read_bytes()
        found[name] = Asset(content, media_type, sha256(content).hexdigest()[:12])
    return found


def address(path: str, clock: Clock, **state: Any) -> str:
    """A link that carries the state of a page: its parameters, and the time zone unless it is the usual one."""
    given = {name: value for name, value in state.items() if value is not None}
    if clock.name != LONDON:
        given["tz"] = clock.name
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


def figure(value: float | None, digits: int = 0) -> str:
    """`1,234`, `−0.5`, or a dash where it is not known: missing is never zero."""
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")


def moment(instant: datetime | None, clock: Clock, is_full: bool = False) -> Markup | str:
    """An instant as an element that machines can read too; `is_full` with its day of the year."""
    if instant is None:
        return "–"
    return tag("time", "", clock.full(instant) if is_full else clock.moment(instant), datetime=spelled(instant))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure, "duration": duration, "count": count}
    environment.globals |= {"moment": moment, "address": address, "navigation": NAVIGATION}
    return environment


def _files() -> dict[str, str]:
    return {name: f"/assets/{asset.version}/{name}" for name, asset in assets().items()}


def page(
    template: str,
    *,
    path: str,
    clock: Clock,
    state: Mapping[str, Any],
    notice: str,
    signed_in: str | None = None,
    headers: Mapping[str, str] = HEADERS,
    **values: Any,
) -> HTMLResponse:
    """A page. `path` and `state` are what its own address is made of; `values` what its template shows.

    `signed_in` is the label of the token that a cookie holds, if that lets the reader in.
    """
    other = Clock(UTC if clock.name != UTC else LONDON)
    text = (
        _templates()
        .get_template(template)
        .render(
            path=path,
            notice=notice,
            clock=clock,
            other_clock=other,
            other_address=address(path, other, **state),
            files=_files(),
            signed_in=signed_in,
            **values,
        )
    )
    return HTMLResponse(text, headers=dict(headers))


def bare(
    title: str, *, why: str = "", status: int = 200, back: str | None = None, is_encrypted: bool = True
) -> HTMLResponse:
    """A page without data. With `back`, the page that is wanted, it has the form that takes a token."""
    text = (
        _templates()
        .get_template("bare.html")
        .render(title=title, why=why, back=back, is_encrypted=is_encrypted, hours=SECONDS // 3600, files=_files())
    )
    return HTMLResponse(text, status, dict(HEADERS if back is None else PRIVATE))
