"""Rejected rows, each with its file, row, column, value and remedy."""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.contract import Batch


@dataclass(frozen=True)
class Rejection:
    """One reason why one row was not taken.

    `value` and `content` (the whole row) are JSON, so that a spreadsheet reads neither as a
    formula.
    """

    file: str
    row: int
    column: str
    value: str
    problem: str
    remedy: str
    content: str


class Findings:
    """What is wrong with the rows of one batch.

    Attributes
    ----------
    bad : ndarray of bool
        The rows that something is wrong with.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._found: list[tuple[int, str, str, str]] = []
        self.bad = np.zeros(batch.table.num_rows, dtype=bool)

    def reject(self, column: str, rows: NDArray[np.bool_], problem: str, remedy: str) -> None:
        """Reject the rows that a mask marks, for what stands in `column`."""
        self.bad |= rows
        self._found.extend((int(row), column, problem, remedy) for row in np.flatnonzero(rows))

    def rejections(self) -> Iterator[Rejection]:
        """Yield the reasons, row by row."""
        table = self._batch.table
        for row, column, problem, remedy in sorted(self._found, key=lambda found: found[0]):
            content = {name: table[name][row].as_py() for name in table.column_names}
            yield Rejection(
                file=self._batch.file,
                row=self._batch.first_row + row,
                column=column,
                value=_json(content.get(column)),
                problem=problem,
                remedy=remedy,
                content=_json(content),
            )


class Quarantine:
    """The file of rejected rows of one ingest, under ``<home>/quarantine``.

    Its name comes from its content: rejecting the same rows again writes the same file.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "quarantine"
        self.rows = 0
        self._buffer = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115
        self._writer = csv.writer(self._buffer, lineterminator="\n")
        self._writer.writerow([field.name for field in fields(Rejection)])

    def add(self, rejections: Iterable[Rejection]) -> None:
        """Keep rejected rows; a row with several reasons counts once."""
        last: tuple[str, int] | None = None
        for rejection in rejections:
            self._writer.writerow(astuple(rejection))
            place = (rejection.file, rejection.row)
            self.rows += place != last
            last = place

    def close(self) -> Path | None:
        """Write the file if a row was rejected; return its path, else None."""
        with self._buffer as buffer:
            if not self.rows:
                return None
            buffer.seek(0)
            content = buffer.read().encode("utf-8")
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"rejected-{hashlib.sha256(content).hexdigest()[:12]}.csv"
        path.write_bytes(content)
        return path


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def rows_of(table: pa.Table, keep: NDArray[np.bool_]) -> pa.Table:
    """Return the rows of a table that a mask keeps."""
    return table if keep.all() else table.filter(pa.array(keep))
