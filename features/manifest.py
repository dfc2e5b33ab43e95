"""The list of the files that make up the log; replacing it is what publishes an ingest."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from features.errors import BadInputError, NoLogError
from features.source import Source

FORMAT = 2
NAME = "manifest.json"
KEPT_FOR = 3600
"""Seconds for which a file that is no longer listed is kept for those who read it."""
Entry = dict[str, Any]
"""A file of the log (``file``, ``sha256``) and what is counted of it."""


def log_folder(home: Path) -> Path:
    """Return the folder that holds the log."""
    return home / "log"


def read(home: Path) -> dict[str, Any] | None:
    """Return the current manifest, None where nothing has been ingested.

    Raises
    ------
    BadInputError
        The manifest is damaged, or a newer Nextbest wrote it.
    """
    path = log_folder(home) / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise BadInputError(
            f"{path} is damaged: {error}.",
            remedy="Restore it from a backup, or ingest the source again into an empty home.",
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInputError(
            f"{path} was written by another version of Nextbest.",
            remedy="Update Nextbest, or ingest the source again into an empty home.",
        )
    return content


def require(home: Path) -> dict[str, Any]:
    """Return the current manifest.

    Raises
    ------
    NoLogError
        Nothing has been ingested into `home`.
    """
    content = read(home)
    if content is None:
        raise NoLogError(
            f"There is no event log in {log_folder(home)}.",
            remedy="Ingest a source: python -m features ingest complete-journey "
            "(NEXTBEST_HOME names another folder).",
        )
    return content


def source_of(content: dict[str, Any]) -> Source:
    """Return what a manifest says of the source."""
    stated = content["source"]
    return Source(**{**stated, "statements": tuple(stated["statements"])})


def fingerprint(content: dict[str, Any]) -> str:
    """Return the sha256 of all that a manifest says of the data, however its files are laid out.

    Of the events it has the digest of their keys, so that merging runs changes nothing.
    """
    layout = ("format", "sequence", "exported", "origin", "buckets", "index")
    data = {name: value for name, value in content.items() if name not in layout}
    return hashlib.sha256(_dump(data)).hexdigest()


def publish(home: Path, content: dict[str, Any], fault: Callable[[str], None]) -> None:
    """Put a manifest in the place of the current one, in one step."""
    path = log_folder(home) / NAME
    written = path.with_suffix(".new")
    _write_through(written, _dump(content))
    fault("manifest written")
    written.replace(path)
    _sync_folder(path.parent)
    fault("manifest published")


def keep(home: Path, stem: str, suffix: str, write: Callable[[Path], None]) -> Entry:
    """Write a file of the log under a name made of its content, and return its entry.

    The same content has the same name, and a file once written never changes.
    """
    folder = log_folder(home)
    written = folder / f".{stem}.new"
    write(written)
    digest = _digest(written)
    with written.open("rb") as stream:
        os.fsync(stream.fileno())
    path = folder / f"{stem}-{digest[:16]}{suffix}"
    written.replace(path)
    return {"file": path.name, "sha256": digest}


def files(content: dict[str, Any] | None) -> Iterator[Entry]:
    """Yield the entry of every file that a manifest lists."""
    if content is None:
        return
    for parts in content["buckets"]:
        for entry in parts:
            yield from (entry, entry["people"])
    yield from content["dictionaries"].values()
    yield from content["spines"].values()
    yield from content["index"]
    yield from (content[name] for name in ("customers", "campaigns"))


def damaged(folder: Path, content: dict[str, Any]) -> list[str]:
    """Return the names of listed files that are missing or are not what was written."""
    found = []
    for entry in files(content):
        path = folder / entry["file"]
        if not path.is_file() or _digest(path) != entry["sha256"]:
            found.append(path.name)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def collect_garbage(home: Path, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
    """Remove files that the new manifest does not list, an hour after they were last of use.

    Whoever opened the log before the change goes on reading the old manifest's files meanwhile.
    """
    folder = log_folder(home)
    listed = {entry["file"] for entry in files(new)}
    for entry in files(old):
        if entry["file"] not in listed:
            os.utime(folder / entry["file"])
    past = time.time() - KEPT_FOR
    for path in folder.iterdir():
        ours = path.suffix in (".parquet", ".json", ".arrow", ".u64")
        useless = ours and path.name not in listed and path.name != NAME
        if path.suffix == ".new" or (useless and path.stat().st_mtime < past):
            path.unlink()


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Hold the log for writing.

    Raises
    ------
    BadInputError
        Another process is writing to it, or its folder cannot be made.
    """
    folder = log_folder(home)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"{folder} cannot be made: {error.strerror}.",
            remedy="Set NEXTBEST_HOME to a folder that you may write to.",
        ) from error
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInputError(
                f"Another process is ingesting into {folder}.", remedy="Wait until it has ended."
            ) from error
        yield


def _dump(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
