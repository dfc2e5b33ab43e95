"""One text column's words and their codes; words are added, never removed or moved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.errors import BadInputError
from features.kernel import NO_CODE


class Dictionary:
    """An append-only two-way table of texts and codes.

    Parameters
    ----------
    levels : iterable of str
        The texts, in the order of their codes.

    Examples
    --------
    >>> kinds = Dictionary(["order"])
    >>> kinds.codes(["contact", None, "order"]).tolist()
    [1, -1, 0]
    >>> kinds.code("contact"), kinds.code("return"), kinds.text(0)
    (1, -1, 'order')
    """

    def __init__(self, levels: Iterable[str] = ()) -> None:
        self.levels = list(levels)
        self._codes = {text: code for code, text in enumerate(self.levels)}

    def __len__(self) -> int:
        return len(self.levels)

    def codes(self, texts: Sequence[str | None]) -> NDArray[np.int32]:
        """Return the code of each text, -1 for None; texts not seen before are added."""
        known = self._codes
        found = np.empty(len(texts), dtype=np.int32)
        for row, text in enumerate(texts):
            if text is None:
                found[row] = NO_CODE
                continue
            code = known.get(text)
            if code is None:
                code = known[text] = len(self.levels)
                self.levels.append(text)
            found[row] = code
        return found

    def code(self, text: str) -> int:
        """Return the code of a text, -1 if it is not in the dictionary."""
        return self._codes.get(text, NO_CODE)

    def text(self, code: int) -> str | None:
        """Return the text of a code, None for -1."""
        return None if code == NO_CODE else self.levels[code]

    def save(self, path: Path) -> None:
        """Write the texts, in the order of their codes, as a JSON list."""
        path.write_text(json.dumps(self.levels, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Dictionary:
        """Return the dictionary that `save` wrote.

        Raises
        ------
        BadInputError
            The file is not a JSON list of distinct texts.
        """
        try:
            levels = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            levels = None
        if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
            raise BadInputError(
                f"{path} is no dictionary.", remedy="Ingest the source again into an empty home."
            )
        return cls(levels)
