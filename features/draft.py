"""A change of a store on its way: all of it counts, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from features.dictionary import Dictionary
from features.kernel import NO_CODE
from features.record import Buffer
from features.tiles import Reader


class Draft(Protocol):
    """A transaction of a store.

    What is read lies in the store until something is written, and not longer.
    """

    def fetch(self, keys: Sequence[bytes]) -> None:
        """Be told which values will be asked for."""
        ...

    def get(self, key: bytes) -> Buffer | None:
        """Return a value."""
        ...

    def put(self, key: bytes, value: bytes) -> None:
        """Write a value."""
        ...

    def tiles(self, customer_id: str) -> Reader:
        """Return what reads a customer's tiles."""
        ...

    def put_tiles(self, customer_id: str, tiles: Mapping[bytes, bytes]) -> None:
        """Write some of a customer's tiles; an empty one is removed."""
        ...

    def drop_tiles(self, customer_id: str) -> None:
        """Remove all of a customer's tiles."""
        ...


class Words:
    """Dictionaries that may grow in a transaction, and are left alone if it fails."""

    def __init__(self, dictionaries: Mapping[str, Dictionary]) -> None:
        self.new: list[tuple[str, str]] = []
        self._dictionaries = dictionaries
        self._codes: dict[tuple[str, str], int] = {}
        self._sizes = {name: len(held) for name, held in dictionaries.items()}

    def code(self, column: str, text: str | None) -> int:
        """Return a text's code; one never seen before gets the next."""
        if text is None:
            return NO_CODE
        code = self._dictionaries[column].code(text)
        if code >= 0:
            return code
        if (column, text) not in self._codes:
            self._codes[column, text] = self._sizes[column]
            self._sizes[column] += 1
            self.new.append((column, text))
        return self._codes[column, text]
