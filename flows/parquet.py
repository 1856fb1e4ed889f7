"""One query into one Parquet file, in batches: memory is that of a batch, however long the month."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import adbc_driver_postgresql.dbapi as dbapi
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.database import Database, Role
from warehouse.exports import ExportedTable


@dataclass(frozen=True)
class Written:
    """What is in a file."""

    rows: int
    rows_synthetic: int
    first: datetime | None
    last: datetime | None


def write(database: Database, table: ExportedTable, query: str, path: Path) -> Written:
    """Run the query as the reader and write its rows; the file is on the disk when this returns."""
    rows = synthetic = 0
    instants: list[datetime] = []
    with dbapi.connect(database.url(role=Role.READER)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        schema = _described(reader.schema, table)
        with path.open("wb") as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for batch in reader:
                    rows += batch.num_rows
                    if "is_synthetic" in schema.names:
                        synthetic += pc.sum(batch.column("is_synthetic")).as_py() or 0
                    if table.month_column and batch.num_rows:
                        span = pc.min_max(batch.column(table.month_column)).as_py()
                        instants += span["min"], span["max"]
                    writer.write_table(pa.Table.from_arrays(batch.columns, schema=schema))
            file.flush()
            os.fsync(file.fileno())
    return Written(rows, synthetic, min(instants, default=None), max(instants, default=None))


def _described(schema: pa.Schema, table: ExportedTable) -> pa.Schema:
    """The schema with what the database says of table and columns, so that a file explains itself wherever it goes."""
    words = {column.name: column.description or "" for column in table.columns}
    licences = "; ".join(f"{note.licence}: {note.attribution}" for note in table.licences)
    return pa.schema(
        [pa.field(field.name, field.type, field.nullable, {"description": words[field.name]}) for field in schema],
        metadata={"table": table.table, "description": table.description or "", "licence": licences},
    )
