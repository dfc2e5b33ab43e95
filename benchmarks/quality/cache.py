"""Answers that were paid for once: a file to which each is appended, so a run can be resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Question(NamedTuple):
    """What is asked of one contender.

    Attributes
    ----------
    table, repeat, fold, contender
        Which rows are judged, and by whom.
    version : str
        What the answer depends on beside: code, budget, threads. Another version is asked anew.
    """

    table: str
    repeat: int
    fold: int
    contender: str
    version: str


class Answer(NamedTuple):
    """Probabilities of the judged rows, in their order, and how long learning took."""

    p: tuple[float, ...]
    seconds: float


class Cache:
    """Answers by question, read from a file of JSON lines and appended to it.

    Parameters
    ----------
    path : Path
        Need not exist. A last line that broke off is ignored: its answer is asked again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[Question, Answer] = {}
        lines = path.read_text().splitlines() if path.exists() else []
        for line in lines:
            try:
                plain = json.loads(line)
            except ValueError:
                continue
            answer = Answer(tuple(plain["p"]), plain["seconds"])
            self._known[Question(*plain["question"])] = answer

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, question: Question) -> bool:
        return question in self._known

    def get(self, question: Question, ask: Callable[[], Answer]) -> Answer:
        """Return the known answer, or ask and keep it."""
        if question not in self._known:
            self._known[question] = answer = ask()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            plain: dict[str, Any] = {"question": list(question), "seconds": answer.seconds}
            with self.path.open("a") as file:
                # A line feed first: a line that broke off before must not swallow this one.
                file.write("\n" + json.dumps(plain | {"p": list(answer.p)}) + "\n")
        return self._known[question]


def version_of(files: Iterable[Path], **settings: object) -> str:
    """Return a short hash of the code in some files and of settings.

    Examples
    --------
    >>> version_of([], budget=60) == version_of([], budget=60) != version_of([], budget=10)
    True
    """
    hashed = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for path in sorted(files):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:12]
