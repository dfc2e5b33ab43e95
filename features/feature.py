"""What a feature is: a value that knows its name, unit, type and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from features.errors import DeclarationError
from features.window import Window

Dtype = Literal["int", "float", "category", "ordinal", "bool", "instant"]
Fold = Literal[
    "count", "sum", "mean", "std", "min", "max", "first", "last", "distinct", "most_common",
    "days_since_first", "days_since_last", "gap_mean", "gap_std", "last_gap", "decayed_count",
    "decayed_sum",
]  # fmt: skip


@dataclass(frozen=True)
class Feature:
    """A named, typed value of one row of a spine, computed from what was known before its moment.

    Attributes
    ----------
    name : str
        Derived from the definition: a changed meaning is a new name.
    unit : str
        ``"currency"`` means the unit of the source's own currency.
    dtype : str
        ``int`` and ``float`` are numbers; ``category`` and ``ordinal`` are text, the latter with
        ordered `levels`; ``bool`` is a condition; ``instant`` is microseconds UTC.
    levels : tuple of str
        The ordered levels of an ``ordinal``.
    """

    name: str
    unit: str
    dtype: Dtype
    levels: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def parts(self) -> tuple[Feature, ...]:
        """The features this one is made from."""
        return ()

    @property
    def reads(self) -> frozenset[str]:
        """Names of the context values it is made from, looked-up ones included."""
        return frozenset[str]().union(*(part.reads for part in self.parts))

    @property
    def needs(self) -> frozenset[str]:
        """Names of the context values a caller must give: a campaign's own follow from its id."""
        return frozenset(
            "campaign_id" if name.startswith(CAMPAIGN) else name for name in self.reads
        )

    @property
    def forward(self) -> bool:
        """Whether it looks ahead of its moment: then it is a label, never an input."""
        return any(part.forward for part in self.parts)

    def words(self, language: str = "en") -> str:
        """Return what a marketer would call it, in English (``en``) or Korean (``ko``)."""
        from features.words import describe  # words know features, so they wait

        return describe(self, language)

    def at_least(self, bound: float) -> AtLeast:
        """Return the same number, but never less than a bound: what divides should not vanish.

        Examples
        --------
        >>> Feature("gap", "days", "float").at_least(0.5).name
        'gap_at_least_0_5'
        """
        return AtLeast.of(self, bound)

    def __truediv__(self, other: Feature) -> Arithmetic:
        return Arithmetic.of("per", self, other)

    def __sub__(self, other: Feature) -> Arithmetic:
        return Arithmetic.of("minus", self, other)

    def __add__(self, other: Feature) -> Arithmetic:
        return Arithmetic.of("plus", self, other)

    def __mul__(self, other: Feature) -> Arithmetic:
        return Arithmetic.of("times", self, other)


@dataclass(frozen=True)
class ContextRef:
    """A filter's right side: the row's own value of a context column."""

    name: str


CAMPAIGN = "campaign."
"""Context names with this prefix are looked up by the row's campaign_id."""

Filter = tuple[str, "str | ContextRef"]


@dataclass(frozen=True)
class Aggregate(Feature):
    """A fold over the events of one kind inside a window."""

    kind: str
    fold: Fold
    column: str | None
    window: Window
    filters: tuple[Filter, ...] = ()
    half_life: str | None = None
    """After which an event counts half in a decayed fold."""

    @property
    def reads(self) -> frozenset[str]:
        """Context names used by the filters and by the window's end."""
        names = {value.name for _, value in self.filters if isinstance(value, ContextRef)}
        if self.window.until is not None:
            names.add(self.window.until)
        return frozenset(names)

    @property
    def forward(self) -> bool:
        """Whether the window lies ahead."""
        return self.window.forward


@dataclass(frozen=True)
class Condition(Feature):
    """Whether any (or none) of the events of an aggregate happened."""

    count: Aggregate
    wanted: bool

    @property
    def parts(self) -> tuple[Feature, ...]:
        """The count that is compared with zero."""
        return (self.count,)


@dataclass(frozen=True)
class Attribute(Feature):
    """The latest value of a customer's attribute known before the moment."""


@dataclass(frozen=True)
class Context(Feature):
    """A value the row or request itself carries."""

    source: str | None = None
    """Name of the context column where it differs from the feature's."""

    @property
    def reads(self) -> frozenset[str]:
        """Its own column."""
        return frozenset({self.source or self.name})


@dataclass(frozen=True)
class DaysUntil(Feature):
    """Days from the moment to an instant of the context; negative once it has passed."""

    instant: Context

    @property
    def parts(self) -> tuple[Feature, ...]:
        """The instant."""
        return (self.instant,)


@dataclass(frozen=True)
class DaysSince(Feature):
    """Days from an instant among the attributes to the moment; negative if it lies ahead."""

    instant: Attribute

    @property
    def parts(self) -> tuple[Feature, ...]:
        """The instant, an attribute of microseconds UTC."""
        return (self.instant,)

    @classmethod
    def of(cls, instant: Attribute) -> DaysSince:
        """Return the days from an instant; the name says which.

        Examples
        --------
        >>> DaysSince.of(Attribute("signed_up_at", "number", "float")).name
        'days_since_signed_up_at'
        """
        return cls(f"days_since_{instant.name}", "days", "float", instant=instant)


@dataclass(frozen=True)
class Arithmetic(Feature):
    """Two numbers combined; a division by zero and whatever is missing give a missing value."""

    operation: str
    left: Feature
    right: Feature

    @property
    def parts(self) -> tuple[Feature, ...]:
        """Left and right."""
        return (self.left, self.right)

    @classmethod
    def of(cls, operation: str, left: Feature, right: Feature) -> Arithmetic:
        """Combine two numbers; the name and the unit follow from theirs.

        Raises
        ------
        DeclarationError
            One of them is text, or a sum mixes units.
        """
        for side in (left, right):
            if side.dtype not in ("int", "float"):
                raise DeclarationError(
                    f"{left.name} {operation} {right.name}: {side.name} is {side.dtype}.",
                    remedy="Arithmetic takes numbers.",
                )
        if operation in ("plus", "minus"):
            if left.unit != right.unit:
                raise DeclarationError(
                    f"{left.name} {operation} {right.name} mixes {left.unit} and {right.unit}.",
                    remedy="Add and subtract values of one unit.",
                )
            unit = left.unit
        elif operation == "per":
            unit = "share" if left.unit == right.unit else f"{left.unit} per {right.unit}"
        else:
            unit = f"{left.unit} x {right.unit}"
        name = f"{left.name}_{operation}_{right.name}"
        return cls(name, unit, "float", operation=operation, left=left, right=right)


@dataclass(frozen=True)
class AtLeast(Feature):
    """A number, or a bound where it is smaller; what is missing stays missing."""

    part: Feature
    bound: float

    @property
    def parts(self) -> tuple[Feature, ...]:
        """The number."""
        return (self.part,)

    @classmethod
    def of(cls, part: Feature, bound: float) -> AtLeast:
        """Bound a number from below; the name says so.

        Raises
        ------
        DeclarationError
            It is no number.
        """
        if part.dtype not in ("int", "float"):
            raise DeclarationError(
                f"{part.name} is {part.dtype}, which has no bound.",
                remedy="Give a number a bound.",
            )
        name = f"{part.name}_at_least_{slug(f'{bound:g}')}"
        return cls(name, part.unit, "float", part=part, bound=float(bound))


def slug(text: str) -> str:
    """Return text as a part of a name.

    Examples
    --------
    >>> slug("FRZN MEAT/MEAT DINNERS")
    'frzn_meat_meat_dinners'
    """
    return re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")


def walk(feature: Feature) -> Iterator[Feature]:
    """Yield a feature and all it is made from, depth first."""
    yield feature
    for part in feature.parts:
        yield from walk(part)
