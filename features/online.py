"""Features of one customer now, through the same kernel that made the training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from features.campaigns import with_campaign
from features.dictionary import Dictionary
from features.errors import UnknownCustomerError
from features.feature import Feature
from features.history import History
from features.jit import Compiled, compiled
from features.money import minor_units
from features.one_row import OneRow, Value
from features.plan import compile_plan
from features.raw import RawRows
from features.source import Source
from features.spine import Spine
from features.tiling import Tiling

if TYPE_CHECKING:
    from features.apply import Changes

__all__ = ["History", "OnlineFeatures", "OnlineStore", "Reading"]


class OnlineStore(Protocol):
    """Where a customer's events are read from while somebody waits for a score."""

    source: Source
    columns: tuple[str, ...]
    dictionaries: Mapping[str, Dictionary]
    campaigns: Mapping[str, Mapping[str, Any]]
    properties: Mapping[str, str]
    attribute_types: Mapping[str, str]
    fingerprint: str
    distant: bool

    @property
    def sequence(self) -> int:
        """The number of the last change that is in the store."""
        ...

    @property
    def instant(self) -> int:
        """When that change was committed; 0 before the first."""
        ...

    @property
    def last_instant(self) -> int | None:
        """The last moment at which something occurred or became known."""
        ...

    @property
    def tiling(self) -> Tiling | None:
        """How tiles of old events are laid out; None where there are none."""
        ...

    def history(self, customer_id: str) -> AbstractContextManager[History | None]:
        """Return a context manager that gives what is stored of a customer; None for a stranger.

        What it gives, `campaigns` and `dictionaries` are of one moment inside the ``with``.
        """
        ...

    def get(self, customer_id: str) -> History | None:
        """Return a copy of what is stored of a customer, without tiles."""
        ...

    def catch_up(self, ledger: Changes, up_to: int | None = None) -> int:
        """Apply what the ledger has and the store has not, each change once."""
        ...

    def close(self) -> None:
        """Give back what the store holds open."""
        ...

    def customer_ids(self) -> Iterable[str]:
        """Return everybody known."""
        ...


class Reading(NamedTuple):
    """The features of one row, and what they rest on.

    Attributes
    ----------
    values : list
        In the order of the features; None where a value is missing.
    has_events : bool
        Whether the customer has any event.
    sequence : int
        Number of the last line of the ledger that was in the store when it was read.
    """

    values: list[Value]
    has_events: bool
    sequence: int


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
        layout = None if store.tiling is None else store.tiling.layout
        self._row = OneRow(self._plan, self._engine, layout)
        self._raw = RawRows(
            self.features, store.columns, store.dictionaries, store.source, self._engine, self._row
        )

    def row(self, customer_id: str, as_of: int, context: Mapping[str, Value]) -> list[Value]:
        """Return the features of one row, in order; see `read`."""
        return self.read(customer_id, as_of, context).values

    def read(self, customer_id: str, as_of: int, context: Mapping[str, Value]) -> Reading:
        """Return the features of one row with what they rest on, all from one read of the store.

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
        with self.store.history(customer_id) as history:
            if history is None:
                raise UnknownCustomerError(
                    "Nothing is stored of this customer.",
                    remedy="Check the customer_id, or send the features themselves.",
                )
            values = self._row.values(history, as_of, self._looked_up(context))
            has_events = history.tiles is not None or history.values.shape[1] > 0
            return Reading(values, has_events, history.sequence)

    def row_of(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        as_of: int,
        context: Mapping[str, Value],
    ) -> list[Value]:
        """Return the features of somebody who is not stored; see `features.raw`.

        Raises
        ------
        MissingContextError, UnknownCampaignError
        """
        return self._raw.values(attributes, events, as_of, self._looked_up(context))

    def _looked_up(self, context: Mapping[str, Value]) -> Mapping[str, NDArray[Any]]:
        if not self._reads:
            return {}
        given = {name: np.array([value], dtype=object) for name, value in context.items()}
        nobody = np.array([""], dtype=object)
        spine = Spine("request", nobody, nobody, np.zeros(1, np.int64), given)
        return with_campaign(spine, self.store.campaigns, self._reads).context
