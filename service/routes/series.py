"""`GET /series`: what time series there are; `GET /series/{name}`: rows of one, as JSON or as a file."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as PathParameter

from service import ages
from service.access import Authorized, State
from service.answers import spell, spelled
from service.models.series import SeriesList, SeriesPage
from service.problems import Problem
from service.routes.formats import wanted
from service.series import page as pages
from service.series.asked import Asked, series_of, understand
from service.series.catalogue import Resolution
from service.series.columns import Streams, answered_as_problems
from service.series.files import ENDINGS, MEDIA_TYPES, Format
from service.series.streamed import Streamed
from service.series.summary import about
from service.shapes import Instant
from service.tenancy import connected
from service.where import InRegions

router = APIRouter(tags=["series"])

MOST_ROWS: dict[Format, int] = {"json": 10_000, "csv": 1_000_000, "arrow": 1_000_000, "parquet": 1_000_000}
ROWS: dict[Format, int] = {"json": 1_000, "csv": 1_000_000, "arrow": 1_000_000, "parquet": 1_000_000}
SETTLED = timedelta(days=7)
"""Half-hours that are older change only if somebody loads them again"""
SOON_SECONDS, LATER_SECONDS = 30, 3600

_FILES = {media: {"schema": {"type": "string", "format": "binary"}} for media in list(MEDIA_TYPES.values())[1:]}
_HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "Send it as If-None-Match: 304 if nothing has changed."},
    "Link": {"schema": {"type": "string"}, "description": 'The next page, rel="next"; missing on the last one.'},
    "X-Synthetic-Share": {"schema": {"type": "string"}, "description": "0 to 1; of the rows of this page."},
    "X-Data-Age-Seconds": {"schema": {"type": "string"}, "description": "Of the newest real value; empty without one."},
    "X-Synthetic-Age-Seconds": {"schema": {"type": "string"}, "description": "Of the newest synthetic value."},
}


@router.get("/series", response_model=SeriesList)
async def series_list(state: State, _caller: Authorized) -> dict[str, Any]:
    """Which series there are: name, unit, what a row is of, first and last period, and how much is real."""
    return {"series": await state.summaries.now()}


@router.get(
    "/series/{name}",
    response_model=SeriesPage,
    responses={200: {"content": _FILES, "headers": _HEADERS}},
)
async def series(
    request: Request,
    state: State,
    _caller: Authorized,
    where: InRegions,
    name: Annotated[str, PathParameter(max_length=100, examples=["carbon_intensity_regional_forecast"])],
    from_: Annotated[
        Instant | None, Query(alias="from", description="Periods start at or after; 48 hours ago if left out.")
    ] = None,
    to: Annotated[Instant | None, Query(description="Periods start before; no end if left out.")] = None,
    as_of: Annotated[
        Instant | None,
        Query(description="Forecasts of the half-hours from then on, as they were known at this instant."),
    ] = None,
    horizon: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9]{1,4}[mhd]$",
            description="Each forecast as it was known so long before its half-hour began; up to 2d.",
            examples=["24h", "90m", "1d"],
        ),
    ] = None,
    resolution: Annotated[Resolution, Query(description="Means over whole UTC hours or days.")] = "half-hour",
    format: Annotated[Format | None, Query(description="Before Accept; JSON without either.")] = None,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[
        int | None,
        Query(ge=1, le=MOST_ROWS["csv"], description="Rows of a page: JSON 1,000, at most 10,000; files 1,000,000."),
    ] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", include_in_schema=False)] = None,
) -> Response:
    """Rows of a series in the order of their periods, as JSON, CSV, Arrow stream or Parquet.

    One row is one period, with its value, whether that is synthetic, and when it could be known. Missing values have no row.
    Files are sent as they are read; one that breaks off is not whole.
    """
    now, form = datetime.now(UTC), wanted(format, accept)
    if limit is not None and limit > MOST_ROWS[form]:
        raise Problem(
            422, f"query.limit: a page of {form} has at most {MOST_ROWS[form]:,} rows; take `next_cursor`, or a file"
        )
    if as_of is not None and as_of > now + timedelta(seconds=60):
        raise Problem(422, "query.as_of: this instant has not come yet")
    asked = understand(
        series_of(name), now=now, start=from_, end=to, region_ids=where.region_ids, as_of=as_of,
        horizon=_length(horizon), resolution=resolution, cursor=cursor, limit=limit or ROWS[form],
    )  # fmt: skip
    said = {
        "from": asked.start, "to": asked.end, **where.asked, "as_of": as_of, "horizon": horizon,
        "resolution": resolution, "format": form, "cursor": cursor, "limit": asked.limit,
    }  # fmt: skip
    headers = {"Cache-Control": _cache(asked, now), "Vary": "Accept, Authorization"}
    if form != "json":
        return await file_of(request, state.streams, asked, said, form, headers, if_none_match)
    async with connected(state.heavy) as connection:
        found = await pages.read(connection, asked)
    headers |= {"ETag": pages.etag(said, found), **_link(request, found.next_cursor)}
    if _is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    names = (await state.outlooks.now()).region_names
    rows = {row["region_id"] for row in found.rows if row.get("region_id") is not None}
    body = {
        **spell({"asked": said, "series": about(asked.series), "places": where.as_json()}, names),
        "regions": [{"region_id": one, "region_name": names.get(one)} for one in sorted(rows)],
        "rows": msgspec.Raw(found.rows_as_json),
        "next_cursor": found.next_cursor,
        "data": pages.describe(found, now),
    }
    return Response(pages.as_json(body), headers=headers, media_type=MEDIA_TYPES["json"])


async def file_of(
    request: Request,
    streams: Streams,
    asked: Asked,
    said: dict[str, Any],
    form: Format,
    headers: dict[str, str],
    if_none_match: str | None,
) -> Response:
    """Rows of a series as a file, sent as they are read; 304 if the client has them."""
    columns = await streams.open(asked)
    try:
        with answered_as_problems():
            head = await streams.in_thread(columns.head, said, MEDIA_TYPES[form])
        headers |= {"ETag": head.etag, **_link(request, head.next_cursor)}
        if _is_known(head.etag, if_none_match):
            await streams.give_back(columns)
            return Response(status_code=304, headers=headers)
        with answered_as_problems():
            schema = await streams.in_thread(columns.schema)
    except BaseException:
        await streams.give_back(columns)
        raise
    share = "" if head.synthetic_share is None else f"{head.synthetic_share:g}"
    known = {"known_at": head.real_known_at, "synthetic_known_at": head.synthetic_known_at}
    age = ages.describe(
        datetime.now(UTC),
        real=head.real_known_at,
        synthetic=head.synthetic_known_at,
        synthetic_share=head.synthetic_share,
    )
    headers |= {
        "X-Synthetic-Share": share,
        "X-Data-Age-Seconds": _text(age["age_seconds"]),
        "X-Synthetic-Age-Seconds": _text(age["synthetic_age_seconds"]),
        "Content-Disposition": f'attachment; filename="{asked.series.name}.{ENDINGS[form]}"',
    }
    remarks = {"series": asked.series.name, "unit": asked.series.unit, "description": asked.series.description}
    remarks |= {"synthetic_share": share, "rows": str(head.rows), "next_cursor": head.next_cursor or ""}
    remarks |= {name: "" if at is None else spelled(at) for name, at in known.items()}
    return Streamed(streams, columns, schema, form, about=remarks, headers=headers)


def _text(seconds: int | None) -> str:
    return "" if seconds is None else str(seconds)


def _length(horizon: str | None) -> timedelta | None:
    if horizon is None:
        return None
    length = (
        int(horizon[:-1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[horizon[-1]]
    )
    if length > timedelta(days=2):
        raise Problem(422, "query.horizon: forecasts are captured up to two days ahead; give 2d or less")
    return length


def _cache(asked: Asked, now: datetime) -> str:
    is_settled = asked.end is not None and asked.end < now - SETTLED
    return f"private, max-age={LATER_SECONDS if is_settled else SOON_SECONDS}"


def _link(request: Request, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    following = request.url.include_query_params(cursor=cursor)
    return {"Link": f'<{following.path}?{following.query}>; rel="next"'}


def _is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether the client has what would be sent (compared weakly, as RFC 9110 says for If-None-Match)."""
    known = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    return "*" in known or etag.removeprefix("W/") in known
