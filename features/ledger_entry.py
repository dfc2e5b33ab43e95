"""What callers bring to the ledger, checked, and what each is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

EVENT, CUSTOMER, CAMPAIGN = KINDS = ("event", "customer", "campaign")


class Event(NamedTuple):
    """One event; `values` in the order of the contract's columns, missing ones left out."""

    event_id: str
    customer_id: str
    values: dict[str, Any]


class Patch(NamedTuple):
    """Values to lay over what is known of a customer or campaign; None takes a value away."""

    subject: str
    values: dict[str, Any]


class Entry(NamedTuple):
    """What one caller wants written."""

    events: Sequence[Event] = ()
    customers: Sequence[Patch] = ()
    campaigns: Sequence[Patch] = ()


class Refusal(NamedTuple):
    """Why one event or change was not written, in words that repeat nothing of it.

    Attributes
    ----------
    place : int
        Its number, from 0, among the events, customers or campaigns of its entry.
    field : str
        The column or attribute that it is about.
    """

    place: int
    field: str
    detail: str
    remedy: str


class Receipt(NamedTuple):
    """What became of an entry.

    Attributes
    ----------
    first, last : int
        The numbers of its lines; `last` is `first` - 1 where it added none.
    added, repeated : int
        What is new, and what was there already.
    at : int
        When it was committed, microseconds UTC.
    refused : tuple of Refusal
    """

    first: int
    last: int
    added: int
    repeated: int
    at: int
    refused: tuple[Refusal, ...]


class Known(Protocol):
    """What is known of customers and campaigns from elsewhere than the ledger."""

    def customer(self, customer_id: str) -> tuple[int, Mapping[str, Any]] | None:
        """Return a customer's latest attributes and since when they are known."""
        ...

    def campaign(self, campaign_id: str) -> Mapping[str, Any] | None:
        """Return a campaign's columns."""
        ...

    def attribute_type(self, name: str) -> str | None:
        """Return ``"text"`` or ``"number"``; None for an attribute never heard of."""
        ...


class _Nothing:
    def customer(self, customer_id: str) -> None:
        return None

    def campaign(self, campaign_id: str) -> None:
        return None

    def attribute_type(self, name: str) -> None:
        return None


NOTHING: Known = _Nothing()
"""Nothing but what the ledger itself holds."""
