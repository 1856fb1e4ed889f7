"""Arrow batches as CSV, as an Arrow stream or as Parquet: what is made of each batch is sent before the next one is read."""

import io
from collections.abc import Callable
from typing import Any, Literal, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from service.answers import spelled

Format = Literal["json", "csv", "arrow", "parquet"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
ENDINGS: dict[Format, str] = {"json": "json", "csv": "csv", "arrow": "arrows", "parquet": "parquet"}


class Writer(Protocol):
    """Makes bytes of batches."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch."""

    def close(self) -> None:
        """Write what comes after the last one."""


class Csv:
    """RFC 4180 with a header; instants are spelled as in JSON."""

    def __init__(self, sink: io.BytesIO, schema: pa.Schema):
        self._sink, self._options = sink, pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        sink.write((",".join(schema.names) + "\n").encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch."""
        columns = [_spelled(column) if pa.types.is_timestamp(column.type) else column for column in batch.columns]
        pyarrow.csv.write_csv(pa.RecordBatch.from_arrays(columns, names=batch.schema.names), self._sink, self._options)

    def close(self) -> None:
        """Nothing comes after the last row."""


def _spelled(instants: pa.Array) -> pa.Array:
    """Instants as text: each different one is spelled once, and most of them stand in many rows."""
    different = instants.dictionary_encode()
    texts = [None if instant is None else spelled(instant) for instant in different.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(different.indices)


def _arrow(sink: io.BytesIO, schema: pa.Schema) -> Any:
    return pa.ipc.new_stream(sink, schema)


def _parquet(sink: io.BytesIO, schema: pa.Schema) -> Any:
    return pyarrow.parquet.ParquetWriter(_Forward(sink), schema, compression="zstd")


class _Forward(io.RawIOBase):
    """A file that is only written on; it knows its position while what was written is taken away behind it."""

    def __init__(self, sink: io.BytesIO):
        self._sink, self._written = sink, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        size = self._sink.write(data)
        self._written += size
        return size


_WRITERS: dict[Format, Callable[[io.BytesIO, pa.Schema], Any]] = {"csv": Csv, "arrow": _arrow, "parquet": _parquet}


class File:
    """A file that is made bit by bit."""

    def __init__(self, form: Format, schema: pa.Schema, about: dict[str, str]):
        self._sink = io.BytesIO()
        self._writer: Writer = _WRITERS[form](self._sink, schema.with_metadata(about))
        self._schema = schema.with_metadata(about)

    def add(self, batch: pa.RecordBatch) -> bytes:
        """The bytes that this batch makes, which may be none yet."""
        self._writer.write(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
        return self._taken()

    def end(self) -> bytes:
        """The last bytes."""
        self._writer.close()
        return self._taken()

    def _taken(self) -> bytes:
        data = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return data
