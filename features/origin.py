"""What an ingest was made from, so that the same again is known before anything is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from features import manifest
from features.ingest import Ingested
from features.log import EventLog


def origin(files: Iterable[Path], said: Mapping[str, object]) -> str:
    """Return a digest of files, of what else decides what is read from them, and of our own code.

    Parameters
    ----------
    files : iterable of Path
        A file that is missing is for whoever reads it to refuse.
    said : dict
        Options; JSON values.
    """
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    code = sorted(Path(__file__).parent.rglob("*.py"))
    for path in [*files, *code]:
        digest.update(f"\0{path.name}\0".encode())
        if path.is_file():
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def again(home: Path, origin: str) -> Ingested | None:
    """Return what an ingest of `origin` would find if it changed nothing, else None.

    It changes nothing if it was the last to change the log, and nothing was rejected.
    """
    content = manifest.read(home)
    if content is None or content["origin"] is None or content["origin"]["digest"] != origin:
        return None
    return Ingested(EventLog.open(home), 0, content["origin"]["rows"], 0, False, None)
