"""The log laid out for serving: one memory-mapped matrix, and where each customer begins."""

from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np

from features.frame import attribute_table
from features.log import EventLog
from features.online import CURRENT, FOLDER


def materialise(log: EventLog, home: Path) -> Path:
    """Write what the embedded online store maps, and return the folder it lies in.

    The folder is named after the log's fingerprint, and becomes current by an atomic replace:
    a server that reads the old one goes on reading it. The one before is kept, older ones go.

    Parameters
    ----------
    log : EventLog
    home : Path
        ``NEXTBEST_HOME``.
    """
    root = home / FOLDER
    target = root / log.fingerprint[:16]
    if not target.exists():
        root.mkdir(parents=True, exist_ok=True)
        draft = root / f".{target.name}.{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        _write(log, draft)
        draft.rename(target)
    _point(root, target.name)
    return target


def _write(log: EventLog, folder: Path) -> None:
    held = [log.read(bucket) for bucket in range(log.n_buckets)]
    total = sum(bucket.values.shape[1] for bucket in held)
    values = np.lib.format.open_memmap(
        folder / "values.npy", mode="w+", dtype=np.int64, shape=(len(log.columns), total)
    )
    at = 0
    customers: list[str] = []
    offsets = [0]
    for bucket in held:
        values[:, at : at + bucket.values.shape[1]] = bucket.values
        customers += [str(customer) for customer in bucket.customers]
        offsets += (bucket.offsets[1:] + at).tolist()
        at += bucket.values.shape[1]
    values.flush()
    np.save(folder / "offsets.npy", np.array(offsets, np.int64))

    attributes = attribute_table(log)
    np.save(folder / "change_offsets.npy", attributes.offsets)
    np.save(folder / "known_at.npy", attributes.known_at)
    described = {
        "customers": customers,
        "columns": list(log.columns),
        "dictionaries": {name: held.levels for name, held in log.dictionaries.items()},
        "campaigns": log.campaigns,
        "source": asdict(log.source),
        "sequence": log.sequence,
        "last_instant": log.last_instant if log.kinds else None,
        "fingerprint": log.fingerprint,
        "attribute_customers": attributes.customers.tolist(),
        "attributes": {
            name: [None if _is_nan(value) else value for value in column.tolist()]
            for name, column in attributes.columns.items()
        },
        "numbers": [name for name, held in attributes.columns.items() if held.dtype != object],
    }
    (folder / "store.json").write_text(json.dumps(described))


def _point(root: Path, name: str) -> None:
    current = root / CURRENT
    before = current.read_text() if current.exists() else name
    if before != name or not current.exists():
        draft = root / f".{CURRENT}.{os.getpid()}"
        draft.write_text(name)
        draft.replace(current)
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in (name, before):
            shutil.rmtree(folder, ignore_errors=True)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
