"""Routes of the pages, and of their files. No token: they show the public grid data, and no row of schema `app`.

Except `/plan` and `/quality`, which show what their reader may see (`readers`) and are kept for nobody else; `/sign-in` takes
a token for these in a browser.
"""

from collections.abc import Callable, Coroutine
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, Response
from sse_starlette import EventSourceResponse

from service.access import Service, State
from service.pages import data, held, now, plan, quality, region, sign_in, trust, when
from service.pages.clock import InZone
from service.pages.readers import Reader
from service.pages.refusals import PageRoute
from service.pages.rendering import HEADERS, assets
from service.problems import Problem

router = APIRouter(tags=["pages"], route_class=PageRoute)

PING_SECONDS = 20
_YEAR = {"Cache-Control": "public, max-age=31536000, immutable"}
_FILES = {"text/csv", "application/vnd.apache.parquet"}
_Name = Annotated[str, PathParameter(max_length=100)]


@router.get("/", response_class=HTMLResponse)
async def now_page(request: Request, state: State, clock: InZone) -> Response:
    """The grid now and its next 48 hours."""
    return await _kept(request, state, lambda: now.answer(state, clock))


@router.get("/when", response_class=HTMLResponse)
async def when_page(
    request: Request,
    state: State,
    clock: InZone,
    hours: Annotated[float, Query(ge=0.5, le=24, allow_inf_nan=False, description="Length of the run.")] = 4,
    within: Annotated[int, Query(ge=1, le=48, description="Hours from now in which it must have ended.")] = 24,
    place: Annotated[
        str, Query(max_length=80, description="A place as /places takes it, or anywhere.")
    ] = when.ANYWHERE,
    by: Annotated[when.By, Query(description="What decides.")] = "carbon",
    split: Annotated[bool, Query(description="Whether it may run in pieces.")] = False,
) -> HTMLResponse:
    """When and where to run so many hours before a deadline."""
    asked = when.Asked(hours, within, place.strip() or when.ANYWHERE, by, split)
    return await when.answer(state, clock, asked, _host(request))


@router.get("/regions/{region_id}", response_class=HTMLResponse)
async def region_page(
    request: Request,
    state: State,
    clock: InZone,
    region_id: Annotated[int, PathParameter(ge=1, le=14)],
    hours: Annotated[
        Literal["1", "2", "4", "8"], Query(description="Length of a run whose best start is marked.")
    ] = "4",
) -> Response:
    """One licence area: past, coming, mix, price, best hours, capacity, and how far off its forecasts were."""
    return await _kept(request, state, lambda: region.answer(state, clock, region_id, int(hours)))


@router.get("/trust", response_class=HTMLResponse)
async def trust_page(
    request: Request,
    state: State,
    clock: InZone,
    dataset: Annotated[str | None, Query(max_length=100, description="With a day: the cell to explain.")] = None,
    day: Annotated[date | None, Query(description="Settlement day.")] = None,
) -> Response:
    """How complete and fresh each dataset is, what was held back, and what ran."""
    return await _kept(request, state, lambda: trust.answer(state, clock, dataset, day))


@router.get("/trust/held", response_class=HTMLResponse)
async def held_page(
    request: Request,
    state: State,
    clock: InZone,
    cursor: Annotated[str | None, Query(max_length=200, description="Where the page before ended.")] = None,
) -> Response:
    """Every payload that is held, every request that was rejected or failed, a page at a time."""
    return await _kept(request, state, lambda: held.answer(state, clock, cursor))


@router.get("/plan", response_class=HTMLResponse)
async def plan_page(
    state: State,
    clock: InZone,
    reader: Reader,
    workload: Annotated[UUID | None, Query(description="The workload to explain.")] = None,
) -> HTMLResponse:
    """What runs when and where, moves and receipts, of the operators that the reader may see."""
    return await plan.answer(state, clock, reader, workload)


@router.get("/quality", response_class=HTMLResponse)
async def quality_page(state: State, clock: InZone, reader: Reader) -> HTMLResponse:
    """What decisions saved, by day and by policy, of the operators that the reader may see."""
    return await quality.answer(state, clock, reader)


@router.get("/sign-in", include_in_schema=False)
async def sign_in_page(request: Request) -> Response:
    """The form that takes a token."""
    return sign_in.show(request)


@router.post("/sign-in", include_in_schema=False)
async def sign_in_sent(request: Request, state: State) -> Response:
    """Have the reader's browser keep the token of the form."""
    return await sign_in.enter(request, state)


@router.post("/sign-out", include_in_schema=False)
async def sign_out_sent(request: Request) -> Response:
    """Have it forget that."""
    return sign_in.leave(request)


@router.get("/data", response_class=HTMLResponse)
async def data_page(
    request: Request,
    state: State,
    clock: InZone,
    table: Annotated[str | None, Query(max_length=63, description="The table whose columns are shown.")] = None,
) -> HTMLResponse:
    """Tables and columns, downloads, how to use the API, licences."""
    return await data.answer(state, clock, table, _host(request))


@router.get(
    "/data/{name}.{ending}",
    response_class=Response,
    responses={200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(_FILES)}}},
)
async def download(request: Request, state: State, name: _Name, ending: _Name) -> Response:
    """The last 31 days of a series and what is known of the coming ones, as CSV or Parquet."""
    return await data.download(request, state, name, data.format_of(ending))


@router.get("/events", include_in_schema=False)
async def events(state: State) -> Response:
    """Server-sent events: an instant, whenever a page that knew less than that is out of date."""
    state.live.check()
    follow = state.live.follow(state.kept, state.outlooks, state.pages)
    return EventSourceResponse(follow, ping=PING_SECONDS, headers=HEADERS)


@router.get("/assets/{version}/{name}", include_in_schema=False)
async def asset(version: _Name, name: _Name) -> Response:
    """A file of the pages; its address changes when it does."""
    found = assets().get(name)
    if found is None:
        raise Problem(404, "there is no such file")
    kept = _YEAR if version == found.version else {"Cache-Control": "no-cache"}
    return Response(found.content, media_type=found.media_type, headers=HEADERS | kept)


async def _kept(request: Request, state: Service, make: Callable[[], Coroutine[Any, Any, Response]]) -> Response:
    return await state.pages.get(f"{request.url.path}?{request.url.query}", make)


def _host(request: Request) -> str:
    return str(request.base_url).rstrip("/")
