"""The truth as Parquet files beside the log, written as the events stream by."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import BadInputError
from features.sources.simulator import truth, worth
from features.sources.simulator.life import Life

VALUE = "value"


def truth_folder(home: Path) -> Path:
    """Return where the truth of a simulated company lies under `NEXTBEST_HOME`."""
    return home / "simulator"


def read_truth(home: Path, model: str) -> pa.Table:
    """Return the truth about every row of a model, see `truth.SCHEMA`.

    Parameters
    ----------
    home : Path
    model : str
        One of `truth.MODELS`, or ``"value"`` for what customers are worth.

    Raises
    ------
    BadInputError
        There is none: `home` holds no simulated company, or one ingested without its truth.
    """
    file = truth_folder(home) / f"{model}.parquet"
    if not file.is_file():
        raise BadInputError(
            f"There is no truth about {model!r} in {home}.",
            remedy="Ingest a simulated company: python -m features ingest simulator",
        )
    return pq.read_table(file)


class TruthFiles:
    """Writes the truth of each life as its weeks begin; use it as a context.

    Until the context ends well, the files that were there before stay.

    Parameters
    ----------
    home : Path
    futures : int
        For what customers are worth when the data end; 0 leaves that out.
    judged_below : int, optional
        Lives that begin with a customer's number at or above it are left out.

    Raises
    ------
    BadInputError
        `futures` is 1, which has no error, or negative.
    """

    def __init__(
        self, home: Path, futures: int = worth.FUTURES, judged_below: int | None = None
    ) -> None:
        if futures < 0 or futures == 1:
            raise BadInputError(
                f"futures was given as {futures}.",
                remedy="Give 2 or more, or 0 to leave out what customers are worth.",
            )
        self._folder = truth_folder(home)
        self._futures, self._below = futures, judged_below
        self._open = ExitStack()
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {}

    def __enter__(self) -> TruthFiles:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(
                f"{self._folder} cannot be made: {error.strerror}.",
                remedy="Set NEXTBEST_HOME to a folder that can be written to.",
            ) from error
        for name in (*truth.MODELS, VALUE):
            schema = worth.SCHEMA if name == VALUE else truth.SCHEMA
            writer = pq.ParquetWriter(self._file(name, ".new"), schema, compression="zstd")
            self._writers[name] = self._open.enter_context(writer)
            self._waiting[name] = []
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._open.close()
        for name in self._writers:
            fresh = self._file(name, ".new")
            if kind is None:
                fresh.replace(self._file(name, ".parquet"))
            else:
                fresh.unlink(missing_ok=True)

    def before_week(self, life: Life) -> None:
        """Write down what is true of the rows judged when a week begins; for `stream.chunks`."""
        if self._below is not None and life.who.numbers[0] >= self._below:
            return
        for name, tables in truth.rows(life).items():
            self._waiting[name] += tables
        if life.week == life.who.company.weeks:
            if self._futures:
                self._waiting[VALUE].append(worth.worth(life, self._futures))
            for name, tables in self._waiting.items():
                if tables:
                    self._writers[name].write_table(pa.concat_tables(tables).combine_chunks())
                tables.clear()

    def _file(self, name: str, ending: str) -> Path:
        return self._folder / f"{name}{ending}"
