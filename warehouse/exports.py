"""The folder of exported Parquet files, as its manifest describes it: written by `flows.export`, listed by the service.

`DATA_DIR/exports/<table>/<month>.parquet`, or `all.parquet` for a table without months, and `manifest.json`. A file is replaced
whole and then entered in the manifest, so what the manifest names is complete.
"""

import hashlib
import re
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, Field

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
WHOLE = "all"
"""What stands in place of the month of a table that is not kept by months"""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FILE = re.compile(r"([0-9]{4}-[0-9]{2}|all)\.parquet")


class LicenceNote(BaseModel):
    """A licence that rows of a table come under."""

    source: str
    licence: str
    url: str | None
    attribution: str


class ExportedColumn(BaseModel):
    """A column, as the database describes it."""

    name: str
    type: str = Field(description="PostgreSQL's name of the type")
    description: str | None


class ExportedTable(BaseModel):
    """A table of which there are files."""

    table: str
    description: str | None
    key: list[str] = Field(description="Primary key; the rows of a file are in its order")
    month_column: str | None = Field(
        description="The instant that a row's month (UTC) is taken from; null: one file holds all"
    )
    schema_version: str = Field(description="Changes when a column is added, removed or changes its type")
    columns: list[ExportedColumn]
    licences: list[LicenceNote]


class ExportedFile(BaseModel):
    """A file, and what is in it."""

    table: str
    month: str | None = Field(description="YYYY-MM, UTC; null for a table that is not kept by months")
    path: str = Field(description="Relative to the folder of the manifest")
    bytes: int
    sha256: str
    rows: int
    rows_synthetic: int
    real_share: float = Field(description="1: every row is real; 0: every row is synthetic")
    first: datetime | None = Field(description="Earliest instant of the month column")
    last: datetime | None = Field(description="Latest instant of the month column")
    is_sealed: bool = Field(
        description="The month ended a month ago or more: only a late correction or backfill changes it"
    )
    schema_version: str
    fingerprint: str = Field(description="Of the rows in the database when the file was written")
    written_at: datetime


class Manifest(BaseModel):
    """What the folder holds."""

    manifest_version: int = MANIFEST_VERSION
    written_at: datetime
    git_revision: str | None = Field(description="Of the project that wrote it; null without git")
    tables: list[ExportedTable]
    files: list[ExportedFile]

    def file(self, table: str, name: str) -> ExportedFile | None:
        """The file of this table and name (`2024-01.parquet`); None if there is none."""
        return next((one for one in self.files if one.path == f"{table}/{name}"), None)


def folder(data_dir: Path) -> Path:
    """Where exported files are."""
    return data_dir / "exports"


def read(exports: Path) -> Manifest | None:
    """The manifest of a folder; None if nothing was exported yet."""
    try:
        text = (exports / MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    return Manifest.model_validate_json(text)


def file_name(month: date | None) -> str:
    """The name of a month's file in the folder of its table."""
    return f"{month:%Y-%m}.parquet" if month else f"{WHOLE}.parquet"


def find(exports: Path, table: str, name: str) -> tuple[Path, ExportedFile] | None:
    """A regular file of the folder that the manifest names, and never anything else."""
    if not (_NAME.fullmatch(table) and _FILE.fullmatch(name)):
        return None
    manifest = read(exports)
    entry = manifest.file(table, name) if manifest else None
    path = exports / table / name
    if entry is None or not path.is_file() or path.resolve() != exports.resolve() / table / name:
        return None
    return path, entry


def is_as_entered(path: Path, entry: ExportedFile) -> bool:
    """Whether the bytes of the file are those that the manifest speaks of; they are not while it is being replaced."""
    there = path.stat()
    return there.st_size == entry.bytes and _kept(path, there.st_ino, there.st_size, there.st_mtime_ns) == entry.sha256


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=4096)
def _kept(path: Path, _inode: int, _size: int, _modified: int) -> str:
    """The digest of one version of a file."""
    return digest(path)
