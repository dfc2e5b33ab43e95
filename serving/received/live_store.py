"""The online feature store as last built: reopened when `python -m features build` replaced it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from features.arrival import EventCheck
from features.errors import NextbestError, StoreReplacedError
from features.feature import Attribute, walk
from serving.errors import NotReadyError

if TYPE_CHECKING:
    from features.feature import Feature
    from features.ledger import Ledger
    from features.online import OnlineStore, Reading
    from models.spec import ModelSpec

Value = int | float | str | bool | None


@dataclass(frozen=True)
class Known:
    """The raw feature values a model reads, and what they rest on.

    Attributes
    ----------
    values : sequence
        In the order of the model's features; None is missing.
    answers : bool
        Whether the model was made for such a customer (its population).
    has_events : bool or None
        Whether the customer has any event; None if nobody looked.
    sequence : int or None
        State of the store they were read from; None if they came with the request.
    """

    values: Sequence[Value]
    answers: bool = True
    has_events: bool | None = None
    sequence: int | None = None


class Raw(NamedTuple):
    """What a request says of somebody who is not stored.

    Attributes
    ----------
    attributes : dict
        Text or float64 by name.
    events : list of dict
        Their columns by name, texts as texts, missing ones left out.
    """

    attributes: dict[str, Any]
    events: list[dict[str, Any]]


class Rows(Protocol):
    """Computes a customer's features: `features.online.OnlineFeatures`."""

    def read(self, customer_id: str, as_of: int, context: Mapping[str, Any]) -> Reading:
        """Return the values in the order of the features, and what they rest on."""
        ...

    def row_of(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        as_of: int,
        context: Mapping[str, Any],
    ) -> list[Any]:
        """Return the values of somebody who is not stored, None where missing."""
        ...


MakeRows = Callable[["OnlineStore", Sequence["Feature"]], Rows]


class LiveStore:
    """One reference to the current store and to its compiled features, swapped together.

    Parameters
    ----------
    open_store : callable
        Opens the store as it is now; raises `NoLogError` while there is none.
    stamp : callable
        Returns something that changes when the store was rebuilt, also while there is none.
    make_rows : callable
        `features.online.OnlineFeatures`.
    specs : mapping of str to ModelSpec
        Their features are compiled when a store is opened, never inside a request.
    """

    def __init__(
        self,
        open_store: Callable[[], OnlineStore],
        stamp: Callable[[], object],
        make_rows: MakeRows,
        specs: Mapping[str, ModelSpec],
    ) -> None:
        self._open = open_store
        self._stamp = stamp
        self._make_rows = make_rows
        self._specs = specs
        self._current: tuple[object, OnlineStore, dict[str, Rows]] | None = None
        self._committed_at = 0
        self._checks: tuple[EventCheck, EventCheck] | None = None
        self._declared = {
            feature.name: "number" if feature.dtype == "float" else "text"
            for spec in specs.values()
            for value in judged(spec)
            for feature in walk(value)
            if isinstance(feature, Attribute)
        }
        self.refusal: str = "no store has been opened yet"

    def open(self) -> None:
        """Open the store as it is now, and compile every model's features.

        Raises
        ------
        NoLogError
            There is none.
        """
        stamp = self._stamp()
        store = self._open()
        rows = {name: self._make_rows(store, judged(spec)) for name, spec in self._specs.items()}
        raw = EventCheck(store.properties, required=("kind", "occurred_at"), dated=True)
        self._checks = (EventCheck(store.properties), raw)
        self._current = (stamp, store, rows)
        self.refusal = ""

    def close(self) -> None:
        """Give back what the store holds open, all that was applied to it written through."""
        if self._current is not None:
            self._current[1].close()

    def refresh(self) -> bool:
        """Reopen the store if it was rebuilt; returns whether it was.

        A store that cannot be opened changes nothing: the one before goes on serving, and
        `refusal` says why.
        """
        try:
            if self._current is not None and self._current[0] == self._stamp():
                self.refusal = ""
                return False
            self.open()
        except (NextbestError, OSError, ValueError) as error:
            self.refusal = str(error) if isinstance(error, NextbestError) else type(error).__name__
            return False
        return True

    @property
    def is_open(self) -> bool:
        """Whether there is a store to answer from."""
        return self._current is not None

    @property
    def is_distant(self) -> bool:
        """Whether to read a customer asks another host, which no event loop should wait for."""
        return self._current is not None and self._current[1].distant

    @property
    def store(self) -> OnlineStore:
        """The current store.

        Raises
        ------
        NotReadyError
            None has been opened yet.
        """
        return self._parts()[0]

    @property
    def event_check(self) -> EventCheck:
        """What checks events for the source of the current store.

        Raises
        ------
        NotReadyError
            None has been opened yet.
        """
        self._parts()
        assert self._checks is not None
        return self._checks[0]

    @property
    def raw_event_check(self) -> EventCheck:
        """What checks events that come with a request for a score, and are not stored."""
        self._parts()
        assert self._checks is not None
        return self._checks[1]

    @property
    def committed_at(self) -> int:
        """The moment of the last commit that this process has seen; 0 before the first."""
        return self._committed_at

    def catch_up(self, ledger: Ledger) -> None:
        """Apply what the ledger has and the store has not; `serving.received.commits.Follower`."""
        try:
            self.store.catch_up(ledger)
        except StoreReplacedError:
            self.refresh()
            self.store.catch_up(ledger)
        # A store filled anew has applied nothing yet, and does not know when its log was exported.
        self._committed_at = max(self._committed_at, ledger.tail()[1])

    def customer(self, customer_id: str) -> tuple[int, Mapping[str, Any]] | None:
        """Return a customer's latest attributes and since when they are known."""
        with self.store.history(customer_id) as history:
            return history.attributes[-1] if history is not None and history.attributes else None

    def campaign(self, campaign_id: str) -> Mapping[str, Any] | None:
        """Return a campaign's columns."""
        return self.store.campaigns.get(campaign_id)

    def attribute_type(self, name: str) -> str | None:
        """Return ``"text"`` or ``"number"``; None for an attribute never heard of."""
        return self._declared.get(name) or self.store.attribute_types.get(name)

    def row(
        self, spec: ModelSpec, customer_id: str, as_of: int, context: Mapping[str, Any]
    ) -> Known:
        """Return what is known of a customer for a model.

        Raises
        ------
        UnknownCustomerError
            Nothing is stored about the customer.
        """
        try:
            return self._row(spec, customer_id, as_of, context)
        except StoreReplacedError:
            self.refresh()
            return self._row(spec, customer_id, as_of, context)

    def _row(
        self, spec: ModelSpec, customer_id: str, as_of: int, context: Mapping[str, Any]
    ) -> Known:
        _, rows = self._parts()
        reading = rows[spec.name].read(customer_id, as_of, context)
        return self._known(spec, reading.values, reading.has_events, reading.sequence)

    def row_of(self, spec: ModelSpec, raw: Raw, as_of: int, context: Mapping[str, Any]) -> Known:
        """Return what a request says of somebody who is not stored, for a model."""
        _, rows = self._parts()
        values: list[Value] = rows[spec.name].row_of(raw.attributes, raw.events, as_of, context)
        return self._known(spec, values, bool(raw.events), None)

    def _known(
        self, spec: ModelSpec, values: list[Value], has_events: bool, sequence: int | None
    ) -> Known:
        answers = True
        if spec.population is not None:
            names = [feature.name for feature in judged(spec)]
            answers = bool(values[names.index(spec.population.name)])
        return Known(values[: len(spec.features)], answers, has_events, sequence)

    def _parts(self) -> tuple[OnlineStore, dict[str, Rows]]:
        if self._current is None:
            raise NotReadyError(
                "The online feature store is not open.", remedy="Run: python -m features build"
            )
        return self._current[1], self._current[2]


def judged(spec: ModelSpec) -> tuple[Feature, ...]:
    """Return a model's features, followed by its population where it has one."""
    if spec.population is None or spec.population.name in spec.feature_names:
        return spec.features
    return (*spec.features, spec.population)
