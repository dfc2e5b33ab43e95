"""What the poller leaves on disk for the worker: bundles, announcements and its own state.

`<cache>/<model>/<version>/` is a bundle, `<cache>/<model>/champion.json` says which is champion
(`challenger.json` which is a shadow), and `<cache>/poller.json` whether the registry answers. Every
file is replaced atomically.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

MICROS = 1_000_000
CHAMPION = "champion"


def announce(cache: Path, model: str, version: str | None, alias: str = CHAMPION) -> None:
    """Say that a version whose bundle lies in the cache is a model's champion; None: none is."""
    replace(cache / model / f"{alias}.json", {"model": model, "version": version})


def announced(cache: Path, model: str, alias: str = CHAMPION) -> str | None:
    """Return the version announced as a model's champion, None if there is none."""
    version = read(cache / model / f"{alias}.json").get("version")
    return None if version is None else str(version)


def has_champion(cache: Path) -> bool:
    """Return whether a champion of any model is announced."""
    return next(cache.glob("*/champion.json"), None) is not None


def tell(cache: Path, answered_at: int, failure: str | None) -> None:
    """Leave the poller's state: when the registry last answered, and what failed since."""
    members = {"pid": os.getpid(), "answered_at": answered_at, "failure": failure}
    replace(cache / "poller.json", members)


def told(cache: Path) -> dict[str, Any]:
    """Return the state the poller left: pid, answered_at (microseconds UTC), failure; else {}."""
    return read(cache / "poller.json")


def read(path: Path) -> dict[str, Any]:
    """Return the members of a small JSON file; none if there is no file."""
    try:
        members: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return members


def replace(path: Path, members: dict[str, Any]) -> None:
    """Write a small JSON file so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(members))
    partial.replace(path)
