"""Features of one customer now, through the same kernel that made the training data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features.campaigns import with_campaign
from features.dictionary import Dictionary
from features.errors import NoLogError, UnknownCustomerError
from features.feature import Feature
from features.jit import Compiled, compiled
from features.money import minor_units
from features.one_row import Change, OneRow, Value
from features.plan import compile_plan
from features.source import Source
from features.spine import Spine
from features.tiles import Reader

FOLDER = "online"
CURRENT = "CURRENT"


@dataclass(frozen=True)
class History:
    """All that is stored of one customer.

    Attributes
    ----------
    values : ndarray of int64, shape (n_columns, n_events)
        Events sorted by (occurred_at, event_id); columns as in the store's `columns`.
    attributes : sequence of Change
        Sorted by when they became known.
    """

    values: NDArray[np.int64]
    attributes: Sequence[Change]
    cut: int = -(2**62)
    tiles: Reader | None = None


class OnlineStore(Protocol):
    """Where a customer's events are read from while somebody waits for a score."""

    source: Source
    columns: tuple[str, ...]
    dictionaries: Mapping[str, Dictionary]
    campaigns: Mapping[str, Mapping[str, Any]]
    sequence: int
    fingerprint: str
    last_instant: int | None

    def get(self, customer_id: str) -> History | None:
        """Return what is stored of a customer; None for one never heard of."""
        ...

    def customer_ids(self) -> Iterable[str]:
        """Return everybody known."""
        ...


class EmbeddedStore:
    """The online store of a single host: memory-mapped files, no server.

    Written by :func:`features.materialise.materialise`; processes share the mapped pages.
    """

    def __init__(self, folder: Path) -> None:
        described = json.loads((folder / "store.json").read_text())
        self.folder = folder
        self.source = Source(
            **{**described["source"], "statements": tuple(described["source"]["statements"])}
        )
        self.columns: tuple[str, ...] = tuple(described["columns"])
        self.dictionaries: Mapping[str, Dictionary] = {
            name: Dictionary(levels) for name, levels in described["dictionaries"].items()
        }
        self.campaigns: Mapping[str, Mapping[str, Any]] = described["campaigns"]
        self.sequence: int = described["sequence"]
        self.fingerprint: str = described["fingerprint"]
        self.last_instant: int | None = described.get("last_instant")
        self._values = np.load(folder / "values.npy", mmap_mode="r")
        self._offsets = np.load(folder / "offsets.npy")
        self._numbers = {name: n for n, name in enumerate(described["customers"])}
        self._change_offsets = np.load(folder / "change_offsets.npy")
        self._known_at = np.load(folder / "known_at.npy")
        self._described = {name: n for n, name in enumerate(described["attribute_customers"])}
        self._attributes = {
            name: np.array(column, np.float64 if name in described["numbers"] else object)
            for name, column in described["attributes"].items()
        }

    @classmethod
    def open(cls, home: Path) -> EmbeddedStore:
        """Return the current store under ``NEXTBEST_HOME``.

        Raises
        ------
        NoLogError
            Nothing has been materialised there.
        """
        current = home / FOLDER / CURRENT
        if not current.exists():
            raise NoLogError(
                f"There is no online store under {home}.",
                remedy="Ingest a source, then fill the store: python -m features build",
            )
        return cls(home / FOLDER / current.read_text())

    def get(self, customer_id: str) -> History | None:
        """Return what is stored of a customer; None for one never heard of."""
        number = self._numbers.get(customer_id)
        change = self._described.get(customer_id)
        if number is None and change is None:
            return None
        start, stop = (0, 0) if number is None else self._offsets[number : number + 2]
        low, high = (0, 0) if change is None else self._change_offsets[change : change + 2]
        changes = [
            (int(self._known_at[k]), {n: column[k] for n, column in self._attributes.items()})
            for k in range(low, high)
        ]
        return History(np.ascontiguousarray(self._values[:, start:stop]), changes)

    def customer_ids(self) -> list[str]:
        """Return everybody known: those with events and those only described."""
        return sorted(self._numbers.keys() | self._described.keys())


class OnlineFeatures:
    """Features of single customers from a store.

    Parameters
    ----------
    store : OnlineStore
    features : sequence of Feature
    engine : Compiled, optional
        The kernel; compiled by default, at construction and never inside a request.
    """

    def __init__(
        self, store: OnlineStore, features: Sequence[Feature], engine: Compiled | None = None
    ) -> None:
        self.store = store
        self.features = tuple(features)
        self._engine = engine or compiled()
        self._plan = compile_plan(
            self.features, store.columns, store.dictionaries,
            minor_units(store.source.currency), store.columns,
        )  # fmt: skip
        self._reads = frozenset[str]().union(*(feature.reads for feature in self.features))
        self._row = OneRow(self._plan, self._engine)

    def row(self, customer_id: str, as_of: int, context: Mapping[str, Value]) -> list[Value]:
        """Return the features of one row, in order; None where a value is missing.

        Parameters
        ----------
        customer_id : str
        as_of : int
            Microseconds UTC; what occurred or was recorded at or after it does not count.
        context : mapping
            The row's own values, such as ``{"campaign_id": "18"}``.

        Raises
        ------
        UnknownCustomerError
            Nothing is stored of the customer.
        MissingContextError, UnknownCampaignError
        """
        history = self.store.get(customer_id)
        if history is None:
            raise UnknownCustomerError(
                "Nothing is stored of this customer.",
                remedy="Check the customer_id, or send the features themselves.",
            )
        return self._row.values(history, as_of, self._looked_up(context))

    def _looked_up(self, context: Mapping[str, Value]) -> Mapping[str, NDArray[Any]]:
        if not self._reads:
            return {}
        given = {name: np.array([value], dtype=object) for name, value in context.items()}
        nobody = np.array([""], dtype=object)
        spine = Spine("request", nobody, nobody, np.zeros(1, np.int64), given)
        return with_campaign(spine, self.store.campaigns, self._reads).context
