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
        checks: dict[str, Check] = dict.fromkeys(("event_id", *required), text)
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


def customer_of(customer_id: str, sent: Mapping[str, Any]) -> Patch:
    """Return what is sent of a customer as values to lay over the ones known.

    Parameters
    ----------
    customer_id : str
    sent : mapping
        ``attributes``: text, numbers, truth values by name; ``consent``: channel -> purpose ->
        true or false, in the log ``consent_<channel>_<purpose>``; ``timezone``: an IANA name.
        None takes a value away.

    Raises
    ------
    RefusedError

    Examples
    --------
    >>> sent = {"attributes": {"age": "19-24"}, "consent": {"email": {"offers": False}}}
    >>> customer_of("jane", sent).values
    {'age': '19-24', 'consent_email_offers': 0.0}
    """
    parts = {"attributes": {}, "consent": {}, **sent}
    _known("customer", parts, ("attributes", "consent", TIME_ZONE))
    values: dict[str, Any] = {}
    for name, value in _object(parts, "attributes").items():
        field = f"attributes.{shown(name)}"
        values[_named(field, name)] = _value(field, attribute, value)
    for channel, purposes in _object(parts, "consent").items():
        for purpose, value in _object({f"consent.{shown(channel)}": purposes}).items():
            field = f"consent.{shown(channel)}.{shown(purpose)}"
            name = f"{CONSENT}{channel}_{purpose}"
            values[_named(field, name, CONSENT)] = _value(field, flag, value)
    if TIME_ZONE in parts:
        values[TIME_ZONE] = _value(TIME_ZONE, time_zone, parts[TIME_ZONE])
    if len(values) > MOST_ATTRIBUTES:
        detail = f"must be at most {MOST_ATTRIBUTES}"
        raise RefusedError("attributes", detail, remedy="Send what models may learn from.")
    return Patch(_identity("customer_id", customer_id), values)


def attributes_of(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of somebody who is not stored, consent and time zone among them.

    Raises
    ------
    RefusedError

    Examples
    --------
    >>> attributes_of({"age": "19-24", "member": True, "income": None})
    {'age': '19-24', 'member': 1.0}
    """
    values = {}
    for name, value in sent.items():
        field = f"attributes.{shown(name)}"
        _value(field, name_of, name)
        found = _value(field, time_zone if name == TIME_ZONE else attribute, value)
        if found is not None:
            values[name] = found
    return values


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
    _known("campaign", sent, CAMPAIGN_COLUMNS[1:])
    checks: dict[str, Check] = {"starts_at": instant, "ends_at": instant, "cost": natural}
    values = {name: _value(name, checks.get(name, text), value) for name, value in sent.items()}
    return Patch(_identity("campaign_id", campaign_id), values)


def refused(field: str, wrong: WrongError) -> RefusedError:
    """Return the error of a field whose value is wrong."""
    return RefusedError(field, wrong.detail, remedy=wrong.remedy)


def _value(field: str, check: Check, value: Any) -> Any:
    try:
        return None if value is None else check(value)
    except WrongError as wrong:
        raise refused(field, wrong) from None


def _identity(field: str, value: str) -> str:
    found: str | None = _value(field, text, value)
    if found is None:
        raise RefusedError(field, "must not be blank", remedy="Put the id at the path's end.")
    return found


def _known(what: str, sent: Mapping[str, Any], names: Collection[str]) -> None:
    unknown = next((name for name in sent if name not in names), None)
    if unknown is not None:
        remedy = one_of(list(names))
        raise RefusedError(shown(unknown), f"is no field of a {what}", remedy=remedy)


def _object(parts: Mapping[str, Any], field: str = "") -> dict[str, Any]:
    field = field or next(iter(parts))
    if not isinstance(parts[field], dict):
        raise RefusedError(field, "must be an object", remedy="Send values by name.")
    return dict(parts[field])


def _named(field: str, name: str, prefix: str = "") -> str:
    """A name that an attribute may have; consent and the time zone have places of their own."""
    own = name in ("customer_id", "known_at", TIME_ZONE) or name.startswith(CONSENT)
    if own and not prefix:
        remedy = "Send consent and timezone beside 'attributes'; other names are taken."
        raise RefusedError(field, "is no plain attribute", remedy=remedy)
    checked: str = _value(field, name_of, name)
    return checked
