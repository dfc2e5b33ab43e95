"""How features, populations and labels are written down: once, for every engine."""

from __future__ import annotations

from dataclasses import dataclass

from features.clock import parse_duration
from features.errors import DeclarationError
from features.feature import (
    Aggregate,
    Attribute,
    Condition,
    Context,
    ContextRef,
    DaysUntil,
    Dtype,
    Filter,
    Fold,
    slug,
)
from features.kernel.states import HOUR
from features.local_time import DERIVED
from features.window import Window

FilterValue = str | Context


@dataclass(frozen=True)
class Events:
    """Events of one kind, from which features are folded.

    Every method takes filters by column: a text, or ``context(...)`` for the row's own value.
    The columns of the event contract and the source's declared properties can be used.

    Examples
    --------
    >>> orders = Events("order")
    >>> orders.count(last="90d").name
    'order_count_90d'
    >>> (orders.count(last="30d") / orders.count(last="90d")).name
    'order_count_30d_per_order_count_90d'
    >>> orders.count(last="90d", category=context("category")).name
    'order_count_90d_same_category'
    """

    kind: str

    def count(
        self,
        *,
        last: str | None = None,
        next: str | None = None,
        until: Context | None = None,
        lag: str = "0d",
        **filters: FilterValue,
    ) -> Aggregate:
        """How many; 0 if none."""
        window = Window(last, next, _context_name(until), lag)
        return self._fold("count", None, f"{self.kind}s", "int", window, filters)

    def sum(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Sum of a column; 0 if there is nothing to add. ``unit="currency"`` for amounts."""
        dtype: Dtype = "float" if unit == "currency" else "int"
        return self._fold("sum", column, unit, dtype, Window(last), filters)

    def mean(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Mean of the values that are not missing; missing if there are none."""
        return self._fold("mean", column, unit, "float", Window(last), filters)

    def std(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Sample standard deviation of the values; missing with fewer than two."""
        return self._fold("std", column, unit, "float", Window(last), filters)

    def decayed_count(self, *, half_life: str, **filters: FilterValue) -> Aggregate:
        """How many since ever, an event counting half after each half-life, by whole hours."""
        unit = f"{self.kind}s"
        return self._fold("decayed_count", None, unit, "float", Window(), filters, half_life)

    def decayed_sum(
        self, column: str, *, unit: str, half_life: str, **filters: FilterValue
    ) -> Aggregate:
        """Sum of a column since ever, a value counting half after each half-life, by hours."""
        return self._fold("decayed_sum", column, unit, "float", Window(), filters, half_life)

    def histogram(self, column: str, *, last: str | None = None) -> tuple[Aggregate, ...]:
        """How many at each ``hour_of_week`` or ``daypart`` of the customer's own time zone."""
        if column not in DERIVED:
            raise DeclarationError(
                f"A histogram of {column!r} has no fixed list of bars.",
                remedy=f"Choose one of: {', '.join(DERIVED)}; or count with {column}=... for each.",
            )
        window = Window(last)
        return tuple(
            self._fold("count", None, f"{self.kind}s", "int", window, {column: bar})
            for bar in DERIVED[column].levels
        )

    def min(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Smallest value; missing if there is none."""
        return self._fold("min", column, unit, "float", Window(last), filters)

    def max(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Largest value; missing if there is none."""
        return self._fold("max", column, unit, "float", Window(last), filters)

    def first(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Value of the earliest event that has one, by (occurred_at, event_id)."""
        return self._fold("first", column, unit, "float", Window(last), filters)

    def last(
        self, column: str, *, unit: str, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """Value of the latest event that has one, by (occurred_at, event_id)."""
        return self._fold("last", column, unit, "float", Window(last), filters)

    def distinct(
        self, column: str, *, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """How many different texts of a column."""
        return self._fold("distinct", column, slug(column), "int", Window(last), filters)

    def most_common(
        self, column: str, *, last: str | None = None, **filters: FilterValue
    ) -> Aggregate:
        """The text seen most often; of equals the one used latest; missing if there is none."""
        return self._fold("most_common", column, slug(column), "category", Window(last), filters)

    def days_since_last(self, *, last: str | None = None, **filters: FilterValue) -> Aggregate:
        """Days since the latest event; missing if there is none."""
        return self._fold("days_since_last", None, "days", "float", Window(last), filters)

    def days_since_first(self, *, last: str | None = None, **filters: FilterValue) -> Aggregate:
        """Days since the earliest event; missing if there is none."""
        return self._fold("days_since_first", None, "days", "float", Window(last), filters)

    def gap_mean(self, *, last: str | None = None, **filters: FilterValue) -> Aggregate:
        """Mean days between one event and the next; missing with fewer than two events."""
        return self._fold("gap_mean", None, "days", "float", Window(last), filters)

    def gap_std(self, *, last: str | None = None, **filters: FilterValue) -> Aggregate:
        """Sample standard deviation of the gaps, taken in whole hours; needs three events."""
        return self._fold("gap_std", None, "days", "float", Window(last), filters)

    def last_gap(self, *, last: str | None = None, **filters: FilterValue) -> Aggregate:
        """Days between the last event and the one before; missing with fewer than two."""
        return self._fold("last_gap", None, "days", "float", Window(last), filters)

    def any(
        self,
        *,
        last: str | None = None,
        next: str | None = None,
        until: Context | None = None,
        lag: str = "0d",
        **filters: FilterValue,
    ) -> Condition:
        """Whether at least one such event lies in the window."""
        count = self.count(last=last, next=next, until=until, lag=lag, **filters)
        return Condition(f"any_{_windowed(count)}", "yes or no", "bool", count=count, wanted=True)

    def none(
        self,
        *,
        last: str | None = None,
        next: str | None = None,
        until: Context | None = None,
        lag: str = "0d",
        **filters: FilterValue,
    ) -> Condition:
        """Whether no such event lies in the window."""
        count = self.count(last=last, next=next, until=until, lag=lag, **filters)
        return Condition(f"no_{_windowed(count)}", "yes or no", "bool", count=count, wanted=False)

    def _fold(
        self,
        fold: Fold,
        column: str | None,
        unit: str,
        dtype: Dtype,
        window: Window,
        filters: dict[str, FilterValue],
        half_life: str | None = None,
    ) -> Aggregate:
        if not unit:
            raise DeclarationError(
                f"{self.kind}.{fold}({column!r}) has no unit.", remedy="Give unit=."
            )
        if half_life is not None and parse_duration(half_life) < HOUR:
            raise DeclarationError(
                f"A half-life of {half_life!r} is shorter than an hour.",
                remedy="Sums decay by whole hours: give a length such as '7d'.",
            )
        pairs: list[Filter] = []
        suffix = ""
        for name, value in sorted(filters.items()):
            if isinstance(value, Context):
                pairs.append((name, ContextRef(_context_name(value) or "")))
                same = value.name == name
                suffix += f"_same_{name}" if same else f"_{name}_of_{value.name}"
            else:
                pairs.append((name, value))
                suffix += f"_{name}_{slug(value)}"
        name = _name(self.kind, fold, column, half_life or window.label) + suffix
        return Aggregate(
            name,
            unit,
            dtype,
            kind=self.kind,
            fold=fold,
            column=column,
            window=window,
            filters=tuple(pairs),
            half_life=half_life,
        )


def _name(kind: str, fold: Fold, column: str | None, length: str) -> str:
    if fold.startswith("days_since"):
        name = f"{fold}_{kind}"
        return name if length == "ever" else f"{name}_{length}"
    if fold.startswith("decayed"):
        return f"{kind}_{column or 'count'}_decayed_{length}"
    middle = f"{column}_{fold}" if column else fold
    return f"{kind}_{middle}_{length}"


def _windowed(count: Aggregate) -> str:
    return count.name.replace("_count_", "_", 1)


def _context_name(value: Context | None) -> str | None:
    return None if value is None else (value.source or value.name)


def events(kind: str) -> Events:
    """Return the events of one kind, as the word stands in the log (``"order"``)."""
    return Events(kind)


def attribute(name: str, levels: tuple[str, ...] = (), *, number: bool = False) -> Attribute:
    """Return a customer's attribute: a category, an ordinal with ordered levels, or a number.

    Examples
    --------
    >>> attribute("kids_count", ("0", "1", "2", "3+")).dtype
    'ordinal'
    """
    dtype: Dtype = "float" if number else "ordinal" if levels else "category"
    return Attribute(name, "number" if number else "text", dtype, levels=levels)


def context(name: str, kind: str = "text") -> Context:
    """Return a value the row itself carries: ``"text"``, ``"number"`` or ``"instant"``."""
    dtypes: dict[str, Dtype] = {"text": "category", "number": "float", "instant": "instant"}
    if kind not in dtypes:
        raise DeclarationError(
            f"context({name!r}) is {kind!r}.", remedy=f"Choose one of {', '.join(dtypes)}."
        )
    return Context(name, kind, dtypes[kind])


def campaign(column: str) -> Context:
    """Return a value of the row's campaign: ``type``, ``channel``, ``starts_at``, ``ends_at``.

    A row says which campaign by its context ``campaign_id``; the rest is looked up.
    """
    instant = column.endswith("_at")
    return Context(
        f"campaign_{column}",
        "instant" if instant else "text",
        "instant" if instant else "category",
        source=f"campaign.{column}",
    )


def days_until(instant: Context) -> DaysUntil:
    """Return the days from the row's moment to an instant.

    Examples
    --------
    >>> days_until(campaign("ends_at")).name
    'days_until_campaign_ends_at'
    """
    return DaysUntil(f"days_until_{instant.name}", "days", "float", instant=instant)
