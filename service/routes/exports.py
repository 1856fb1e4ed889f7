"""`/exports`: the Parquet files that `make export` wrote, as its manifest lists them, and the files themselves."""

from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from service.access import Authorized
from service.problems import Problem
from warehouse import exports
from warehouse.counts import ago, count
from warehouse.exports import ExportedFile, ExportedTable
from warehouse.settings import WarehouseSettings

router = APIRouter(tags=["files"])
PARQUET = "application/vnd.apache.parquet"


async def _folder() -> Path:
    return exports.folder(WarehouseSettings().data_dir)


Folder = Annotated[Path, Depends(_folder)]
Name = Annotated[str, PathParameter(max_length=100)]


class OfferedFile(ExportedFile):
    """A file, and where it is served."""

    url: str = Field(description="Relative to the address of the service")


class ExportsAsked(BaseModel):
    """The request as it was understood."""

    table: str | None
    limit: int
    cursor: str | None


class Exports(BaseModel):
    """What can be downloaded."""

    asked: ExportsAsked
    written_at: datetime | None = Field(description="When the newest export ended; null if there was none")
    age_seconds: int | None
    git_revision: str | None
    real_share: float | None = Field(description="Of all rows of the files, on whatever page")
    in_words: str
    tables: list[ExportedTable]
    files: list[OfferedFile] = Field(description="In the order of their paths")
    next_cursor: str | None = Field(description="Of the next page; null on the last")


@router.get("/exports")
def listed(
    folder: Folder,
    _caller: Authorized,
    table: Annotated[str | None, Query(max_length=63)] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most files of a page.")] = 500,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> Exports:
    """The exported Parquet files: rows, span, SHA-256, real share, columns and licences; of one table with `table`."""
    asked, after, manifest = ExportsAsked(table=table, limit=limit, cursor=cursor), _read(cursor), exports.read(folder)
    if manifest is None:
        return Exports(
            asked=asked,
            written_at=None,
            age_seconds=None,
            git_revision=None,
            real_share=None,
            tables=[],
            files=[],
            next_cursor=None,
            in_words="Nothing has been exported yet: make export writes the files.",
        )
    entries = sorted((one for one in manifest.files if table in (None, one.table)), key=lambda one: one.path)
    rows, now = sum(entry.rows for entry in entries), datetime.now(UTC)
    rest = [entry for entry in entries if entry.path > after]
    return Exports(
        asked=asked,
        written_at=manifest.written_at,
        age_seconds=max(0, round((now - manifest.written_at).total_seconds())),
        git_revision=manifest.git_revision,
        real_share=1 - sum(entry.rows_synthetic for entry in entries) / rows if rows else None,
        in_words=f"{count(len(entries), 'file')}, exported {ago(manifest.written_at, now)}.",
        tables=[one for one in manifest.tables if table in (None, one.table)],
        files=[OfferedFile(**entry.model_dump(), url=f"/exports/{entry.path}") for entry in rest[:limit]],
        next_cursor=_written(rest[limit - 1].path) if len(rest) > limit else None,
    )


def _written(path: str) -> str:
    return urlsafe_b64encode(path.encode()).decode().rstrip("=")


def _read(cursor: str | None) -> str:
    """The path of the last file of the page before; empty without one. Raises Problem 422."""
    try:
        padded = (cursor or "") + "=" * (-len(cursor or "") % 4)
        return b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise Problem(
            422, "query.cursor: is not a cursor of this route; take `next_cursor` of the page before"
        ) from None


@router.get(
    "/exports/{table}/{name}",
    response_class=FileResponse,
    responses={200: {"content": {PARQUET: {"schema": {"type": "string", "format": "binary"}}}}},
)
def file(table: Name, name: Name, folder: Folder, request: Request, _caller: Authorized) -> Response:
    """A file of `GET /exports`; its ETag is the SHA-256 of the manifest. Takes `Range` and `If-None-Match`."""
    found = exports.find(folder, table, name)
    if found is None:
        raise Problem(404, "there is no such file; GET /exports lists those that there are")
    path, entry = found
    etag = f'"{entry.sha256}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in [one.strip() for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    try:
        is_whole = exports.is_as_entered(path, entry)
    except FileNotFoundError:
        is_whole = False
    if not is_whole:
        raise Problem(503, "this file is being replaced; try again", headers={"Retry-After": "1"})
    return FileResponse(path, media_type=PARQUET, headers=headers, filename=f"{table}-{name}")
