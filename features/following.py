"""What both online stores share: they follow the ledger, and each process follows the store."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from features.apply import Applier, Changes
from features.dictionary import Dictionary
from features.draft import Draft
from features.errors import StoreReplacedError
from features.history import History
from features.kernel import NULL
from features.record import Buffer
from features.store_meta import (
    CAMPAIGNS,
    STATE,
    Meta,
    Progress,
    read_campaigns,
    unpack_word,
    word_keys,
)
from features.tiling import Background, Tiling

T = TypeVar("T")
BATCH = 1_000


class FollowingStore(ABC):
    """A store whose process keeps its dictionaries and campaigns in memory, and up to date.

    Attributes
    ----------
    distant : bool
        Whether it stands on another host, so that a read can take time, or fail.
    meta : Meta
    dictionaries : dict of str to Dictionary
        They grow in place: what was compiled against them stays right.
    campaigns : mapping of str to mapping
        As of the last read.
    """

    distant = False

    def __init__(self, meta: Meta, background: Background) -> None:
        self.meta = meta
        self.source = meta.source
        self.columns = meta.columns
        self.fingerprint = meta.fingerprint
        self.properties = meta.properties
        self.attribute_types = meta.attribute_types
        self.dictionaries: Mapping[str, Dictionary] = {
            name: Dictionary(levels) for name, levels in meta.levels.items()
        }
        self.campaigns: Mapping[str, Mapping[str, Any]] = {}
        self._applier = Applier(meta, self.dictionaries, background)
        self._lock = threading.Lock()
        self._raw: Buffer = b""
        self._seen = Progress(meta.exported, campaigns=-1)

    @property
    def tiling(self) -> Tiling:
        """What makes tiles of old events, and knows how they are laid out."""
        return self._applier.tiling

    @abstractmethod
    def transact(self, work: Callable[[Draft], T]) -> T:
        """Return what `work` returns, all of its writes done; it may be called again."""

    @abstractmethod
    def progress(self) -> Progress:
        """Return how far the store has followed the ledger, read now."""

    @abstractmethod
    def customer_ids(self) -> Iterable[str]:
        """Return everybody known, sorted."""

    @abstractmethod
    def history(self, customer_id: str) -> AbstractContextManager[History | None]:
        """Return a context manager that gives what is stored of a customer; None for a stranger.

        What it gives is valid inside the ``with`` only; dictionaries and campaigns are then as
        they were when it was read.
        """

    @abstractmethod
    def settle(self) -> None:
        """Make what is in the store outlive a crash of the system, where it is for us to do."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the store holds open."""

    def get(self, customer_id: str) -> History | None:
        """Return a copy of what is stored of a customer, without tiles; None for a stranger."""
        with self.history(customer_id) as held:
            return None if held is None else held.copy()

    @property
    def sequence(self) -> int:
        """The number of the last change that is in the store."""
        return self.progress().applied

    @property
    def last_instant(self) -> int | None:
        """The last moment at which something occurred or became known, see `seen`."""
        latest = self.seen().last_instant
        return None if latest == NULL else latest

    @property
    def instant(self) -> int:
        """When the last change in the store was committed, see `seen`; 0 before the first."""
        return self.seen().instant

    def seen(self) -> Progress:
        """Return how far the store has followed, as far as is known without asking a host."""
        return self._seen if self.distant else self.progress()

    def catch_up(self, ledger: Changes, up_to: int | None = None) -> int:
        """Apply what the ledger has and the store has not, and return its number.

        Whoever calls it, and however many at once: every change is applied once.

        Parameters
        ----------
        ledger : Changes
        up_to : int, optional
            Return at once where this number is there already.

        Raises
        ------
        StoreReplacedError
            Another store has taken this one's place.
        """
        if up_to is not None and (applied := self.progress().applied) >= up_to:
            return applied
        more = True
        while more:
            more = self.transact(lambda draft: self._step(draft, ledger))
        # What was written is learnt by reading it, as in every other process.
        return self.progress().applied

    def _step(self, draft: Draft, ledger: Changes) -> bool:
        seen = self._seen.applied
        progress = self.follow(draft.get(STATE) or b"", draft.get)
        if progress.applied < seen:
            # A Redis that lost its last writes: codes that this process knows are not there.
            raise StoreReplacedError(
                "The online store is older than it was before.", remedy="Open it anew."
            )
        changes = ledger.since(progress.applied, BATCH)
        if changes:
            progress = self._applier.apply(draft, progress, changes, ledger)
            draft.put(STATE, progress.pack())
        return len(changes) == BATCH

    def follow(self, state: Buffer, get: Callable[[bytes], Buffer | None]) -> Progress:
        """Return the progress in a value just read, dictionaries and campaigns brought up to it.

        Parameters
        ----------
        state : bytes-like
            The store's value at `STATE`.
        get : callable
            Reads other values, no older than `state`.

        Raises
        ------
        StoreReplacedError
            Another store has taken this one's place.
        """
        if state == self._raw:
            return self._seen
        if not state or (progress := Progress.unpack(state)).retired:
            raise StoreReplacedError(
                "The online store was filled again, and another has taken its place.",
                remedy="Open it anew.",
            )
        with self._lock:
            if progress.applied >= self._seen.applied:
                self._learn(progress, get)
                self._seen, self._raw = progress, bytes(state)
        return progress

    def _learn(self, progress: Progress, get: Callable[[bytes], Buffer | None]) -> None:
        for key in word_keys(self._seen.words, progress.words):
            column, text = unpack_word(get(key) or b"")
            self.dictionaries[column].codes([text])
        if progress.campaigns > self._seen.campaigns:
            self.campaigns = read_campaigns(get(CAMPAIGNS))
