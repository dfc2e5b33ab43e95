"""A CSV file looked at before it is parsed: what no parser should guess about is refused."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from features.errors import BadInputError
from features.progress import Report

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_HEAD = 1 << 20
_OTHER_MARKS = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Header:
    """What the first row of a CSV file says.

    Attributes
    ----------
    names : tuple of str
    delimiter : str
    odd_quotes : bool
        Whether the file has one double quote without another: an inch, or one never closed.
    """

    names: tuple[str, ...]
    delimiter: str
    odd_quotes: bool


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, unpacked if its name ends in .gz.

    Raises
    ------
    BadInputError
        It is not there, cannot be read, or ends before its archive does.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(
            f"{path.name} is no whole gzip file: {error}.", remedy="Copy or pack it again."
        ) from error
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be read: {error.strerror or error}.", remedy="Check the path."
        ) from error


def check(path: Path, encoding: str, delimiter: str, report: Report) -> Header:
    """Return the header of a file whose every byte is text of its encoding.

    Raises
    ------
    BadInputError
        It is empty, of another encoding, has NUL bytes or a column twice.
    """
    head, quotes, line, done = b"", 0, 1, 0
    decoder = _decoder(path, encoding)
    with opened(path) as stream:
        while chunk := stream.read(_CHUNK):
            _refuse_binary(path, chunk, head, encoding, line)
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                _refuse_encoding(path, encoding, line + error.object[: error.start].count(b"\n"))
            if len(head) < _HEAD:
                head += chunk
            quotes += text.count('"')
            line += chunk.count(b"\n")
            done += len(chunk)
            report(f"check {path.name}", done, None)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _refuse_encoding(path, encoding, line)
    text = head.decode(encoding, errors="ignore").removeprefix("\ufeff")
    if not text.strip():
        raise BadInputError(
            f"{path.name} is empty.", remedy="Give a file with a header and rows below it."
        )
    return _header(path, text, delimiter, quotes % 2 == 1)


def _decoder(path: Path, encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise BadInputError(
            f"{path.name}: encoding {encoding!r} is unknown.",
            remedy="Give one such as utf-8 or latin-1.",
        ) from error


def _refuse_binary(path: Path, chunk: bytes, head: bytes, encoding: str, line: int) -> None:
    for mark, name in _OTHER_MARKS.items():
        if not head and chunk.startswith(mark) and not encoding.lower().startswith("utf-16"):
            raise BadInputError(
                f"{path.name} is {name} text, read as {encoding}.",
                remedy="Save it as UTF-8.",
            )
    place = chunk.find(b"\0")
    if place >= 0 and not encoding.lower().startswith(("utf-16", "utf-32")):
        raise BadInputError(
            f"{path.name}, line {line + chunk[:place].count(10)}: there is a NUL byte.",
            remedy="Export it again as text; a damaged or binary file cannot be read.",
        )


def _refuse_encoding(path: Path, encoding: str, line: int) -> NoReturn:
    raise BadInputError(
        f"{path.name}, line {line}: there are bytes that are no {encoding} text.",
        remedy='Save it as UTF-8, or say what it is: encoding = "latin-1".',
    )


def _header(path: Path, text: str, delimiter: str, odd_quotes: bool) -> Header:
    delimiters = (delimiter,) if delimiter else DELIMITERS
    found = [(each, _first_row(text, each)) for each in delimiters]
    chosen, names = max(found, key=lambda pair: len(pair[1]))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInputError(
            f"{path.name}: the column {twice[0]!r} is there {names.count(twice[0])} times.",
            remedy="Rename or remove one of them.",
        )
    return Header(tuple(names), chosen, odd_quotes)


def _first_row(text: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return next((row for row in rows if row), [])
    except csv.Error:
        return []
