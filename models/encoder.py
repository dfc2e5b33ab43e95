"""Feature values as the numbers an engine takes, with the vocabulary learnt in training.

pandas' category codes of a subset are other codes than those of the whole, so the model carries
its own. What was never seen and what is missing are NaN, never a guessed code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from features.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NULL = int(np.iinfo(np.int64).min)
_NAN = float("nan")
NUMBERS = ("int", "float", "bool")
TEXTS = ("category", "ordinal")
_INTEGERS = (int, np.integer)
_REALS = (int, float, np.integer, np.floating)
_BOOLS = (bool, np.bool_)
_PLAIN = {int, float}


class FeatureLike(Protocol):
    """What the encoder reads of a declared feature."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def dtype(self) -> str:
        """``int``, ``float``, ``bool``, ``category`` or ``ordinal``."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """The ordered levels of an ordinal."""
        ...


class Columns(Protocol):
    """Anything with columns by name: a DataFrame, or a mapping of names to arrays."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column."""
        ...


@dataclass(frozen=True)
class Column:
    """One column of the encoded row.

    Attributes
    ----------
    name, dtype : str
        As the feature declares them.
    levels : tuple of str
        The texts that have a code; the code of a text is its place here. Empty for numbers.
    """

    name: str
    dtype: str
    levels: tuple[str, ...] = ()


class Encoder:
    """Turns rows of feature values into rows of float64, NaN where missing or never seen.

    Parameters
    ----------
    columns : sequence of Column
        In the order of the features.

    Examples
    --------
    >>> encoder = Encoder([Column("orders", "int"), Column("size", "ordinal", ("S", "M"))])
    >>> encoder.encode([3, "M"]).tolist(), encoder.encode([None, "XXL"]).tolist()
    ([3.0, 1.0], [nan, nan])
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self.columns = tuple(columns)
        self._codes = tuple(
            {level: float(code) for code, level in enumerate(column.levels)}
            if column.dtype in TEXTS
            else None
            for column in self.columns
        )
        self._texts = tuple(
            (place, codes, self.columns[place].name)
            for place, codes in enumerate(self._codes)
            if codes is not None
        )

    @classmethod
    def fit(cls, X: Columns, features: Iterable[FeatureLike]) -> Encoder:
        """Learn the texts of category columns; an ordinal's levels come from its declaration.

        Parameters
        ----------
        X : columns by name
            Text columns hold str, None or NaN.
        features : iterable of Feature
            Which columns, in which order.

        Raises
        ------
        BadInputError
            A text column holds something else, or a feature has a type no engine takes.
        """
        columns = []
        for feature in features:
            if feature.dtype not in NUMBERS + TEXTS:
                raise BadInputError(
                    f"The feature {feature.name!r} is of type {feature.dtype!r}.",
                    remedy=f"Give a model features of type {', '.join(NUMBERS + TEXTS)}.",
                )
            levels = feature.levels if feature.dtype == "ordinal" else ()
            if feature.dtype == "category":
                texts = (_text(value, feature.name) for value in _values(X, feature.name))
                levels = tuple(sorted({text for text in texts if text is not None}))
            columns.append(Column(feature.name, feature.dtype, levels))
        return cls(columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def categorical(self) -> list[int]:
        """Places of the columns whose codes have no order: LightGBM's `categorical_feature`."""
        return [i for i, column in enumerate(self.columns) if column.dtype == "category"]

    def transform(self, X: Columns) -> Floats:
        """Return the encoded rows of a frame, float64[n, n_columns]; X is left as it is.

        Raises
        ------
        BadInputError
            A column is missing, or holds text where numbers belong or the reverse.
        """
        encoded = [
            self._column(X, column, codes)
            for column, codes in zip(self.columns, self._codes, strict=True)
        ]
        return np.column_stack(encoded) if encoded else np.empty((0, 0))

    def encode(self, values: Sequence[Any]) -> Floats:
        """Return one encoded row, float64[n_columns]; equal to `transform` of the same values.

        Parameters
        ----------
        values : sequence
            One value a column, in order: a number, text, or None where missing.

        Raises
        ------
        BadInputError
            Too few or too many values, or one of another type than its column.
        """
        return np.array(self.numbers(values), dtype=np.float64)

    def numbers(self, values: Sequence[Any]) -> list[float]:
        """Return one encoded row as plain numbers: `encode` for who asks row by row.

        Raises
        ------
        BadInputError
            As `encode`.
        """
        if len(values) != len(self.columns):
            raise BadInputError(
                f"A row has {len(values)} values, the model takes {len(self.columns)}.",
                remedy="Give one value for each feature, in the model's order.",
            )
        # What most rows hold is told by the types they have, not value by value.
        row = [_NAN if value is None else value for value in values]
        for place, codes, name in self._texts:
            value = row[place]
            row[place] = codes.get(value, _NAN) if type(value) is str else _code(value, codes, name)
        kinds = set(map(type, row))
        if kinds <= _PLAIN and (int not in kinds or NULL not in row):
            return row
        return [
            _number(value, column) if codes is None else value
            for value, codes, column in zip(row, self._codes, self.columns, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and texts from which `from_json` makes an equal encoder."""
        return {
            "columns": [
                {"name": c.name, "dtype": c.dtype, "levels": list(c.levels)} for c in self.columns
            ]
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Encoder:
        """Return the encoder that `to_json` described."""
        return cls(Column(c["name"], c["dtype"], tuple(c["levels"])) for c in plain["columns"])

    def _column(self, X: Columns, column: Column, codes: dict[str, float] | None) -> Floats:
        values = _values(X, column.name)
        if codes is not None:
            codes_of = [_code(value, codes, column.name) for value in values.tolist()]
            return np.array(codes_of, dtype=np.float64)
        if values.dtype.kind == "f":
            return values.astype(np.float64)
        if values.dtype.kind in "iu":
            return np.where(values == NULL, np.nan, values.astype(np.float64))
        if values.dtype.kind not in "bO":
            raise _no_number(column.name, str(values.dtype))
        return np.array([_number(value, column) for value in values.tolist()], dtype=np.float64)


def _values(X: Columns, name: str) -> NDArray[Any]:
    try:
        values = X[name]
    except KeyError:
        raise BadInputError(
            f"There is no column {name!r}.", remedy="Give a column for each feature of the model."
        ) from None
    # numpy would turn the numbers of a mixed list into texts
    return np.asarray(values, dtype=object if isinstance(values, list | tuple) else None)


def is_missing(value: Any) -> bool:
    """Whether a raw feature value is missing: None, NaN, or the log's missing integer.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), 0, "")]
    [True, True, False, False]
    """
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return isinstance(value, _INTEGERS) and int(value) == NULL


def _number(value: Any, column: Column) -> float:
    if is_missing(value):
        return np.nan
    if type(value) is float:
        return value
    fits = column.dtype == "bool" if isinstance(value, _BOOLS) else isinstance(value, _REALS)
    if not fits:
        raise _no_number(column.name, type(value).__name__)
    try:
        return float(value)
    except OverflowError:
        raise _no_number(column.name, "one beyond 64 bits") from None


def _no_number(name: str, got: str) -> BadInputError:
    return BadInputError(
        f"The feature {name!r} is a number, got {got}.",
        remedy="Send a number, or null where it is not known.",
    )


def _code(value: Any, codes: dict[str, float], name: str) -> float:
    text = _text(value, name)
    return np.nan if text is None else codes.get(text, np.nan)


def _text(value: Any, name: str) -> str | None:
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    raise BadInputError(
        f"The feature {name!r} is text, got {type(value).__name__}.",
        remedy="Send text, or null where it is not known.",
    )
