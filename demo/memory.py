"""Whether the models were trained from the same data by the same code before."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo.steps import Step, StepFailedError

LOG = Step("look at the log", ("features", "log"))
FINGERPRINT = re.compile(r"^fingerprint: (\w+)$", re.MULTILINE)
PACKAGES = ("features", "models", "training")
REMEMBERED = "demo-trained.txt"


def state(env: Mapping[str, str], root: Path) -> str:
    """Return a text that changes with the log's data or with the code that trains.

    Parameters
    ----------
    env : mapping
        Environment of the steps.
    root : Path
        The folder of our packages.

    Raises
    ------
    StepFailedError
        The log cannot be read.
    """
    command = [sys.executable, "-m", *LOG.arguments]
    said = subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)
    found = FINGERPRINT.search(said.stdout)
    if found is None:
        raise StepFailedError(LOG, said.returncode, said.stderr.splitlines())
    code = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*")):
            if file.suffix in {".py", ".j2"}:
                code.update(file.relative_to(root).as_posix().encode())
                code.update(file.read_bytes())
    return f"data {found.group(1)}\ncode {code.hexdigest()}\n"


def is_same(home: Path, now: str) -> bool:
    """Return whether the last training that ended well had this state, and its registry is there.

    Examples
    --------
    >>> is_same(Path("no-such-folder"), "data a\\ncode b\\n")
    False
    """
    remembered = home / REMEMBERED
    registry = home / "mlflow.db"
    return registry.is_file() and remembered.is_file() and remembered.read_text() == now


def remember(home: Path, now: str) -> None:
    """Keep the state that was trained from."""
    (home / REMEMBERED).write_text(now)
