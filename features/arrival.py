"""What a caller sends of an event, a customer or a campaign, checked value by value.

The contract that `features.validate` keeps for files, for single rows of plain values. What is
refused is said in words that name the field and never repeat its value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from features.columns import CAMPAIGN_COLUMNS, REQUIRED_OF_EVENTS, TEXTS
from features.errors import NextbestError
from features.ledger_entry import Event, Patch
from features.names import nearest, one_of, shown
from features.value import (
    Check,
    WrongError,
    attribute,
    flag,
    instant,
    integer,
    name_of,
    natural,
    ours,
    text,
    time_zone,
)

MOST_ATTRIBUTES = 200
CONSENT = "consent_"
TIME_ZONE = "timezone"


class RefusedError(NextbestError):
    """A value that does not keep the contract.

    Parameters
    ----------
    field : str
        The column or attribute that it stands in.
    detail : str
        What is wrong with it, such as ``"must be text"``.
    remedy : str
        Like `detail` made of declared names and limits, never of what was sent.
    """

    def __init__(self, field: str, detail: str, *, remedy: str) -> None:
        super().__init__(f"{field} {detail}.", remedy=remedy)
        self.field = field
        self.detail = detail


class EventCheck:
    """Turns what is sent as an event into the values of its columns.

    Parameters
    ----------
    properties : mapping of str to {"text", "integer"}
        The source's own columns.
    required : collection of str
        What no event may lack.
    dated : bool
        Whether the caller may say when it became known (`recorded_at`); else that is ours.

    Examples
    --------
    >>> check = EventCheck({"store": "text"})
    >>> sent = {"event_id": "e1", "customer_id": "jane", "kind": "order", "occurred_at": 7}
    >>> check({"store": "north", **sent}, until=10)["store"]
    'north'
    """

    def __init__(
        self,
        properties: Mapping[str, str],
        required: Collection[str] = REQUIRED_OF_EVENTS,
        dated: bool = False,
    ) -> None:
        checks: dict[str, Check] = {"event_id": text, "customer_id": text, "kind": text}
        checks |= {"occurred_at": instant, "recorded_at": instant if dated else ours}
        checks |= {"amount": integer, "quantity": natural}
        checks |= {name: text for name in TEXTS if name != "kind"}
        kinds: dict[str, Check] = {"text": text, "integer": integer}
        checks |= {name: kinds[kind] for name, kind in sorted(properties.items())}
        self._checks = tuple(checks.items())
        self._names = checks.keys()
        self._required = tuple(required)

    def __call__(self, sent: Any, until: int) -> dict[str, Any]:
        """Return the values in the order of the contract's columns, missing ones left out.

        Parameters
        ----------
        sent : object
            What stands in the list of events, decoded.
        until : int
            Microseconds UTC; what is said to occur later is refused as a wrong clock.

        Raises
        ------
        RefusedError
        """
        if not isinstance(sent, dict):
            raise RefusedError("event", "must be an object", remedy="Send its columns by name.")
        values = {}
        name = ""
        try:
            for name, check in self._checks:
                value = sent.get(name)
                if value is not None and (value := check(value)) is not None:
                    values[name] = value
        except WrongError as wrong:
            raise refused(name, wrong) from None
        if not sent.keys() <= self._names:
            raise self._unknown(sent)
        for name in self._required:
            if name not in values:
                remedy = f"Give every event: {', '.join(self._required)}."
                raise RefusedError(name, "is required", remedy=remedy)
        if values["occurred_at"] > until:
            raise RefusedError(
                "occurred_at",
                "lies more than a day ahead of the service's clock",
                remedy="Check the clock, and the unit: microseconds since 1970, UTC.",
            )
        return values

    def _unknown(self, sent: Mapping[str, Any]) -> RefusedError:
        name = next(name for name in sent if name not in self._names)
        return RefusedError(
            shown(name),
            "is no column of an event",
            remedy=f"{nearest(name, self._names)} A column of the source's own is declared as a "
            "property where its data are ingested.",
        )


def event_of(values: dict[str, Any]) -> Event:
    """Return checked values as an event of the ledger."""
    return Event(values.pop("event_id"), values.pop("customer_id"), values)


def customer_of(
    customer_id: str,
    attributes: Mapping[str, Any],
    consent: Mapping[str, Any] | None = None,
    timezone: str | None = None,
) -> Patch:
    """Return what is sent of a customer as values to lay over the ones known.

    Parameters
    ----------
    customer_id : str
    attributes : mapping
        Text, numbers, truth values; null takes a value away.
    consent : mapping, optional
        Channel -> purpose -> true or false; in the log ``consent_<channel>_<purpose>``.
    timezone : str, optional
        IANA name.

    Raises
    ------
    RefusedError

    Examples
    --------
    >>> customer_of("jane", {"age": "19-24"}, {"email": {"offers": False}}).values
    {'age': '19-24', 'consent_email_offers': 0.0}
    """
    field = "customer_id"
    try:
        subject = text(customer_id)
        values = {}
        for name, value in attributes.items():
            field = f"attributes.{shown(name)}"
            values[_own(name)] = None if value is None else attribute(value)
        for channel, purposes in (consent or {}).items():
            field = f"consent.{shown(channel)}"
            if not isinstance(purposes, dict):
                raise WrongError("must be an object", 'Send it as {"purpose": true}.')
            for purpose, given in purposes.items():
                field = f"consent.{shown(channel)}.{shown(purpose)}"
                name = name_of(f"{CONSENT}{channel}_{purpose}")
                values[name] = None if given is None else flag(given)
        field = TIME_ZONE
        if timezone is not None:
            values[TIME_ZONE] = time_zone(timezone)
    except WrongError as wrong:
        raise refused(field, wrong) from None
    if len(values) > MOST_ATTRIBUTES:
        detail = f"must be at most {MOST_ATTRIBUTES}"
        raise RefusedError("attributes", detail, remedy="Send what models may learn from.")
    if subject is None:
        raise RefusedError(field, "is blank", remedy="Name the customer.")
    return Patch(subject, values)


def campaign_of(campaign_id: str, sent: Mapping[str, Any]) -> Patch:
    """Return what is sent of a campaign as values to lay over the ones known.

    Raises
    ------
    RefusedError

    Examples
    --------
    >>> campaign_of("spring", {"cost": 50, "offer": None}).values
    {'cost': 50, 'offer': None}
    """
    checks: dict[str, Check] = {"starts_at": instant, "ends_at": instant, "cost": natural}
    values = {}
    for name, value in sent.items():
        if name not in CAMPAIGN_COLUMNS[1:]:
            remedy = one_of(CAMPAIGN_COLUMNS[1:])
            raise RefusedError(shown(name), "is no column of a campaign", remedy=remedy)
        try:
            check: Check = checks.get(name, text)
            values[name] = None if value is None else check(value)
        except WrongError as wrong:
            raise refused(name, wrong) from None
    subject = text(campaign_id)
    if subject is None:
        raise RefusedError("campaign_id", "is blank", remedy="Name the campaign.")
    return Patch(subject, values)


def refused(field: str, wrong: WrongError) -> RefusedError:
    """Return the error of a field whose value is wrong."""
    return RefusedError(field, wrong.detail, remedy=wrong.remedy)


def _own(name: str) -> str:
    """A name that an attribute may have; consent and the time zone have places of their own."""
    if name in ("customer_id", "known_at"):
        raise WrongError("has a name that is taken", "Give the attribute another name.")
    if name.startswith(CONSENT) or name == TIME_ZONE:
        raise WrongError("is no plain attribute", "Send it as 'consent' or 'timezone'.")
    return name_of(name)
