"""From a request to the raw feature values a model reads, checked against its own declaration.

Messages name fields, types, levels and names that were declared, never what the caller sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from features.arrival import RefusedError, attributes_of
from features.clock import LATEST, parse_instant
from features.errors import (
    BadInputError,
    MissingContextError,
    UnknownCampaignError,
    UnknownFeatureError,
)
from features.feature import Attribute, DaysSince
from features.names import MOST_NAMED, nearest, one_of, shown
from serving.errors import OutsidePopulationError, RequestError
from serving.received.live_store import Known, LiveStore, Raw, Value

if TYPE_CHECKING:
    from features.feature import Feature
    from models.spec import ModelSpec

LONGEST_TEXT = 200
LARGEST_INT = 2**63 - 1
TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "category": "text",
    "ordinal": "text",
    "instant": "microseconds UTC, a whole number",
    "text": "text",
    "number": "a number",
}


class Asked(Protocol):
    """A row of a request, decoded as `serving.schema.Row` or by `serving.scores.hot_body`."""

    @property
    def customer_id(self) -> str | None:
        """A customer of the store."""
        ...

    @property
    def attributes(self) -> Mapping[str, Any] | None:
        """What is known of somebody who is not stored."""
        ...

    @property
    def events(self) -> Sequence[Mapping[str, Any]] | None:
        """What somebody who is not stored did."""
        ...

    @property
    def context(self) -> Mapping[str, Any]:
        """What the model needs beside the customer."""
        ...

    @property
    def features(self) -> Any:
        """The values themselves, by name."""
        ...


def known_of(spec: ModelSpec, store: LiveStore, as_of: int, row: Asked) -> Known:
    """Return the values of a model's features for a row of a request.

    Parameters
    ----------
    spec : ModelSpec
    store : LiveStore
    as_of : int
        Microseconds UTC; only what was known before it counts.
    row : Asked
        A customer, or the attributes and events of somebody who is not stored, with the context
        the model needs; or the values themselves, of which those not given are missing.

    Raises
    ------
    RequestError, RefusedError
        None or several of the three ways were used, or a value has the wrong type.
    MissingContextError, UnknownCampaignError, UnknownFeatureError, UnknownCustomerError
        As their names say.
    OutsidePopulationError
        The model was made for other customers.
    """
    is_raw = row.attributes is not None or row.events is not None
    ways = (row.customer_id is not None) + (row.features is not None) + is_raw
    if ways != 1:
        raise RequestError(
            "A score needs 'customer_id', or 'attributes' and 'events', or 'features', "
            + ("and none was given." if ways == 0 else "not both."),
            remedy="Send 'customer_id' for a customer of the store, 'attributes' and 'events' for "
            "somebody who is not in it, or 'features' with values.",
        )
    if row.features is not None:
        if row.context:
            raise RequestError(
                "'context' belongs to 'customer_id'; 'features' hold such values by their names.",
                remedy="Leave 'context' out.",
                fields=[("context", "is not used with features")],
            )
        return Known(inline(spec.features, row.features))
    context = context_of(spec, row.context, store.store.campaigns)
    if row.customer_id is not None:
        known = store.row(spec, row.customer_id, as_of, context)
    else:
        known = store.row_of(spec, raw_of(spec, store, as_of, row), as_of, context)
    if not known.answers:
        raise outside(spec)
    return known


def raw_of(spec: ModelSpec, store: LiveStore, as_of: int, row: Asked) -> Raw:
    """Return the attributes and events of somebody who is not stored, checked.

    An event that does not say when it became known counts as known just before `as_of`.

    Raises
    ------
    RefusedError, RequestError
        Naming the field.
    """
    attributes = attributes_of(row.attributes or {})
    for feature in spec.features:
        if isinstance(feature, Attribute) and feature.name in attributes:
            name = feature.name
            check(f"attributes.{name}", feature.dtype, feature.levels, attributes[name])
        elif isinstance(feature, DaysSince) and feature.instant.name in attributes:
            name = feature.instant.name
            zone = store.store.source.timezone
            attributes[name] = instant_of(f"attributes.{name}", attributes[name], zone)
    events = []
    for place, sent in enumerate(row.events or ()):
        try:
            event = store.raw_event_check(sent, LATEST)
        except RefusedError as error:
            field = f"events[{place}].{error.field}"
            raise RefusedError(field, error.detail, remedy=error.remedy) from None
        events.append({"event_id": f"{place:06d}", "recorded_at": as_of - 1} | event)
    return Raw(attributes, events)


def instant_of(field: str, value: Any, timezone: str) -> float:
    """Return a moment as an attribute holds it: microseconds UTC of a date, a time or themselves.

    Raises
    ------
    RequestError
        It is none.

    Examples
    --------
    >>> instant_of("attributes.signed_up_at", "1970-01-02", "UTC") / 86_400_000_000
    1.0
    """
    try:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        return float(parse_instant(whole, timezone))
    except BadInputError:
        raise RequestError(
            f"{field} must be a date or a time.",
            remedy="Write it as 2024-03-04 or 2024-03-04T05:00:00Z, or as microseconds UTC.",
            fields=[(field, "must be a date or a time")],
        ) from None


def outside(spec: ModelSpec) -> OutsidePopulationError:
    """Return the error for a customer a model was not made for."""
    assert spec.population is not None
    return OutsidePopulationError(
        f"{spec.name!r} answers for customers of whom this holds: {spec.population.words('en')}.",
        remedy="Ask another model, or send the values as 'features' if you know better.",
    )


def context_of(
    spec: ModelSpec, context: Mapping[str, Any], campaigns: Collection[str]
) -> dict[str, str | float]:
    """Return the context a model needs, each value of its declared type.

    Examples
    --------
    >>> from models.catalog import spec
    >>> context_of(spec("lead_score"), {"campaign_id": "18"}, ["18"])
    {'campaign_id': '18'}
    """
    unknown = [name for name in context if name not in spec.context]
    if unknown:
        wanted = ", ".join(spec.context) or "none"
        raise RequestError(
            f"The context has names that {spec.name!r} does not take.",
            remedy=f"It takes: {wanted}.",
            fields=[(f"context.{shown(name)}", "is not part of it") for name in unknown],
        )
    for name, kind in spec.context.items():
        if context.get(name) is None:
            raise MissingContextError(
                f"{spec.name!r} needs context.{name} ({TYPES[kind]}).",
                remedy=f'Send it: "context": {{"{name}": ...}}.',
            )
        check(f"context.{name}", "float" if kind == "number" else "category", (), context[name])
    if "campaign_id" in spec.context and context["campaign_id"] not in campaigns:
        known = sorted(campaigns, key=lambda campaign: (len(campaign), campaign))
        raise UnknownCampaignError(
            "No campaign has the id in context.campaign_id.", remedy=f"{one_of(known)}"
        )
    return dict(context)


def inline(features: Sequence[Feature], given: Mapping[str, Any]) -> list[Value]:
    """Return values sent by name in the order of a model's features.

    Examples
    --------
    >>> from models.catalog import spec
    >>> churn = spec("churn").features
    >>> values = inline(churn, {churn[0].name: 3})
    >>> values[0], set(values[1:])
    (3, {None})
    """
    names = [feature.name for feature in features]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise UnknownFeatureError(
            f"{len(unknown)} of the features sent are not among this model's {len(names)}.",
            remedy=" ".join(nearest(name, names) for name in unknown[:MOST_NAMED]),
        )
    if not given:
        raise RequestError("'features' is empty.", remedy=f"Send at least one. {one_of(names)}")
    return [
        check(f"features.{f.name}", f.dtype, f.levels, given[f.name]) if f.name in given else None
        for f in features
    ]


def check(field: str, dtype: str, levels: Sequence[str], value: Any) -> Value:
    """Return a value that has the declared type; None is a missing value of any type.

    Raises
    ------
    RequestError
        Naming the field and the type expected.
    """
    if value is None:
        return None
    expected = TYPES[dtype]
    # Whatever is no number of 64 bits, NaN and the infinities included, fails the comparison.
    is_number = (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_INT
    )
    if dtype == "bool":
        fits = isinstance(value, bool)
    elif dtype in ("int", "instant"):
        fits = is_number and value == int(value)
    elif dtype == "float":
        fits = is_number
    else:
        fits = isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT
        expected = f"text of 1 to {LONGEST_TEXT} characters"
        if fits and levels and value not in levels:
            fits, expected = False, f"one of: {', '.join(levels)}"
    if not fits:
        raise RequestError(
            f"{field} must be {expected}.",
            remedy="Correct its value, or leave it out if it is not known.",
            fields=[(field, f"must be {expected}")],
        )
    return int(value) if dtype in ("int", "instant") else value
