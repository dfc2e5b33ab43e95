"""Where generations of the online store stand: one is current, one is kept, one may be filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from features.draft import Draft
from features.embedded_shelf import EmbeddedShelf
from features.errors import StoreError
from features.tiling import Background

if TYPE_CHECKING:
    from features.following import FollowingStore

EMBEDDED = "embedded"


class Shelf(Protocol):
    """Generations of one kind of store."""

    background: Background

    def open(self) -> FollowingStore:
        """Return the current store.

        Raises
        ------
        NoLogError
            None has been filled.
        StoreError
            It cannot be reached, read or trusted.
        """
        ...

    def stamp(self) -> str | None:
        """Return what names the current store; None while there is none."""
        ...

    def filling(self) -> AbstractContextManager[None]:
        """Be the only one to fill a store here.

        Raises
        ------
        StoreError
            Another process is.
        """
        ...

    def create(self, name: str) -> None:
        """Begin an empty generation."""
        ...

    def write(self, name: str, work: Callable[[Draft], None]) -> None:
        """Write to a generation that nobody reads yet."""
        ...

    def generation(self, name: str) -> FollowingStore:
        """Return the store of a generation."""
        ...

    def point(self, name: str, draft: Any) -> None:
        """Make a generation the current one, with what else a draft of the one before writes."""
        ...

    def sweep(self, keep: Iterable[str]) -> Iterator[str]:
        """Remove all generations but some, and yield what they were called."""
        ...


def shelf_of(
    home: Path,
    where: str = EMBEDDED,
    background: Background | None = None,
    patience: float | None = None,
) -> Shelf:
    """Return where the online store stands.

    Parameters
    ----------
    home : Path
        ``NEXTBEST_HOME``.
    where : str
        ``NEXTBEST_ONLINE_STORE``: ``"embedded"`` or ``"redis://host:port/db"``.
    background : Background, optional
        By default the catalogue, and the log in `home`.
    patience : float, optional
        Seconds that a Redis may keep silent; by default it is tried again for longer.

    Raises
    ------
    StoreError
        It is neither, or the client of Redis is not installed.
    """
    background = background or Background(home)
    if where == EMBEDDED:
        return EmbeddedShelf(background)
    if "://" not in where:
        raise StoreError(
            f"NEXTBEST_ONLINE_STORE is {where!r}.",
            remedy="Set it to embedded, or to an address like redis://127.0.0.1:6379/0.",
        )
    from features.redis_shelf import RedisShelf

    return RedisShelf(background, where, patience=patience)
