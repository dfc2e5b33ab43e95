"""A table of feature columns to a table of answers, batch by batch: Arrow streams and Parquet.

Imports pyarrow, 60 MiB that only a worker who is asked for a table pays: the route imports this
module inside its function. Runs in a thread, for LightGBM and Arrow let others run meanwhile.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.many_answers import many_answers
from serving.errors import RequestError, TableError
from serving.tables.columns import check_columns, encoded
from serving.tables.media import ARROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from serving.champions.champions import Champion
    from serving.tables.arriving import Arriving

ROWS_AT_ONCE = 65_536
"""Rows encoded at the same time: 20 MiB of 40 columns, and enough for every thread."""
MOST_ROWS = 20_000_000
NUMBERS = ("probability", "margin", "percentile")


class Pieces:
    """A file that keeps what is written in pieces, so that it never has to be copied to grow."""

    closed = False
    mode = "wb"

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def writable(self) -> bool:
        """It is a file to write."""
        return True

    def write(self, piece: Any) -> int:
        """Keep a piece."""
        self.held.append(bytes(piece))
        return len(self.held[-1])

    def flush(self) -> None:
        """All is where it belongs."""

    def close(self) -> None:
        """The pieces stay."""
        self.closed = True


def score_table(
    body: Arriving, media_type: str, champion: Champion, id_column: str, threads: int
) -> tuple[list[bytes], int]:
    """Return the answers as the pieces of an Arrow stream, and how many rows there are.

    The answer is kept until the body has been read: most callers read nothing before they have
    sent all, and a bad value in the last row can still be told as a problem.

    Parameters
    ----------
    body : Arriving
        Read batch by batch where it is an Arrow stream; Parquet, whose index stands at the end,
        goes through a temporary file.
    media_type : str
        One of `serving.tables.media.TABLES`.
    champion : Champion
        Of a probability model.
    id_column : str
        Passed through as it is, if it is there.
    threads : int

    Raises
    ------
    TableError
        The body cannot be read as what it says it is.
    RequestError, UnknownFeatureError
        Naming the column.
    """
    try:
        if media_type == ARROW:
            reader = pa.ipc.open_stream(pa.PythonFile(body, mode="r"))
            return _answered(reader.schema, reader, champion, id_column, threads)
        with tempfile.TemporaryFile() as file:
            while len(chunk := body.chunk()):
                file.write(chunk)
            file.seek(0)
            parquet = pq.ParquetFile(file)
            _check_rows(parquet.metadata.num_rows)
            batches = parquet.iter_batches(batch_size=ROWS_AT_ONCE)
            return _answered(parquet.schema_arrow, batches, champion, id_column, threads)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        # Arrow's words may quote names and values of the caller's.
        raise TableError(
            f"The body cannot be read as {media_type}.",
            remedy="Write it with pyarrow.ipc.new_stream or pyarrow.parquet.write_table.",
        ) from error


def _answered(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    champion: Champion,
    id_column: str,
    threads: int,
) -> tuple[list[bytes], int]:
    features = champion.spec.features
    check_columns(schema, features, id_column)
    id_field = schema.field(id_column) if id_column in schema.names else None
    shape = _shape(champion, id_field)
    pieces, rows = Pieces(), 0
    with pa.ipc.new_stream(pa.PythonFile(pieces, mode="w"), shape) as writer:
        for part in _parts(batches):
            X = encoded(part, features, champion.bundle.encoder, rows)
            answers = many_answers(champion.bundle, X, threads)._asdict()
            columns = [] if id_field is None else [part.column(id_column)]
            for field in list(shape)[len(columns) :]:
                values = answers[field.name]
                columns.append(
                    pa.nulls(len(X), field.type) if values is None else pa.array(values, field.type)
                )
            writer.write_batch(pa.record_batch(columns, schema=shape))
            rows += len(X)
            _check_rows(rows)
            del part, X, answers, columns  # before the next batch arrives
    return pieces.held, rows


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield checked slices of batches; a batch is let go before the next one is read."""
    for batch in batches:
        batch.validate(full=True)  # offsets and places of texts that are none would end the process
        for start in range(0, batch.num_rows, ROWS_AT_ONCE):
            yield batch.slice(start, ROWS_AT_ONCE)
        del batch


def _shape(champion: Champion, id_field: pa.Field | None) -> pa.Schema:
    fields = [] if id_field is None else [id_field.with_metadata(None)]
    fields += [pa.field(name, pa.float64()) for name in NUMBERS]
    fields += [pa.field("grade", pa.string())]
    fields += [pa.field(name, pa.float64()) for name in ("low", "high")]
    return pa.schema(fields, {"model": champion.spec.name, "version": champion.version})


def _check_rows(rows: int) -> None:
    if rows > MOST_ROWS:
        raise RequestError(
            f"A table may have {MOST_ROWS:,} rows.", remedy="Send fewer rows at a time."
        )
