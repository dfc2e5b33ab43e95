"""Declarations compiled to the kernel's tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features import kernel
from features.errors import DeclarationError, FeatureOverflowError, MissingContextError
from features.feature import Aggregate, ContextRef, Feature, walk
from features.jit import Compiled
from features.window import Window

# Features whose folds read the same state share one operation.
OPERATIONS = {
    "count": kernel.COUNT,
    "sum": kernel.SUM,
    "mean": kernel.SUM,
    "min": kernel.MIN,
    "max": kernel.MAX,
    "first": kernel.FIRST,
    "last": kernel.LAST,
    "distinct": kernel.DISTINCT,
    "most_common": kernel.MODE,
    "days_since_first": kernel.TIMES,
    "days_since_last": kernel.TIMES,
    "gap_mean": kernel.TIMES,
    "gap_std": kernel.GAPS,
}
BY_CODE = (kernel.DISTINCT, kernel.MODE)


class Vocabulary(Protocol):
    """Texts of one column and their codes."""

    levels: list[str]

    def code(self, text: str) -> int:
        """Return the code, or -1 for a text never seen."""
        ...


@dataclass(frozen=True)
class Plan:
    """The kernel's tables for a list of features, bound to a log's columns and dictionaries.

    Attributes
    ----------
    features : tuple of Feature
    slots : dict
        First slot of the state of each aggregate, by the aggregate's name.
    windows : tuple of Window
    """

    features: tuple[Feature, ...]
    slots: dict[str, int]
    windows: tuple[Window, ...]
    width: int
    dictionaries: Mapping[str, Vocabulary]
    _ops: NDArray[np.int64]
    _filters: NDArray[np.int64]
    _filter_offsets: NDArray[np.int64]
    _matches: tuple[tuple[str, str], ...]
    _match_columns: NDArray[np.int64]
    _missing: NDArray[np.int64]
    _vocabulary: int
    _named: tuple[str, ...]

    def run(
        self,
        engine: Compiled,
        values: NDArray[np.int64],
        offsets: NDArray[np.int64],
        row_offsets: NDArray[np.int64],
        as_of: NDArray[np.int64],
        context: Mapping[str, NDArray[Any]],
    ) -> NDArray[np.int64]:
        """Return the states, int64 of shape (rows, slots), of rows sorted by customer.

        Raises
        ------
        FeatureOverflowError
            A sum does not fit 64 bits.
        MissingContextError
            A filter or a window needs a context value that the rows do not carry.
        """
        n = len(as_of)
        bounds = np.empty((3, len(self.windows), n), np.int64)
        for w, window in enumerate(self.windows):
            bounds[0, w], bounds[1, w], bounds[2, w] = window.bounds(as_of, context)
        codes = np.empty((len(self._matches), n), np.int64)
        for m, (column, name) in enumerate(self._matches):
            codes[m] = self._codes(column, name, context)
        out = np.empty((n, self.width), np.int64)
        failed = engine.fold(
            values, offsets, row_offsets, bounds[0], bounds[1], bounds[2], codes, self._filters,
            self._filter_offsets, self._match_columns, self._ops, self._missing,
            self._vocabulary, out,
        )  # fmt: skip
        if failed:
            raise FeatureOverflowError(
                f"{self._named[failed - 1]} does not fit 64 bits.",
                remedy="Look for wrong amounts in the log, or shorten the window.",
            )
        return out

    def _codes(
        self, column: str, name: str, context: Mapping[str, NDArray[Any]]
    ) -> NDArray[np.int64]:
        if name not in context:
            raise MissingContextError(
                f"A feature compares {column!r} with the context value {name!r}, which is absent.",
                remedy=f"Give {name!r} with every row.",
            )
        vocabulary = self.dictionaries[column]
        texts = context[name]
        known: dict[Any, int] = {None: kernel.UNSEEN}
        for text in set(texts.tolist()) - {None}:
            code = vocabulary.code(str(text))
            known[text] = code if code >= 0 else kernel.UNSEEN
        return np.fromiter((known[text] for text in texts.tolist()), np.int64, len(texts))


def compile_plan(
    features: Sequence[Feature],
    columns: Sequence[str],
    dictionaries: Mapping[str, Vocabulary],
) -> Plan:
    """Compile features to the kernel's tables.

    Parameters
    ----------
    features : sequence of Feature
    columns : sequence of str
        The log's integer columns; the first two are occurred_at and recorded_at.
    dictionaries : mapping of str to Vocabulary
        For the columns that hold codes.

    Raises
    ------
    DeclarationError
        A feature names a column that the log does not have, or counts numbers by code.
    """
    position = {name: number for number, name in enumerate(columns)}
    streams: dict[tuple[tuple[int, int], ...], int] = {}
    windows: dict[Window, int] = {}
    matches: list[tuple[str, str]] = []
    ops: dict[tuple[Any, ...], tuple[int, str]] = {}
    table: list[list[int]] = []
    slots: dict[str, int] = {}
    width = 0
    vocabulary = 0

    def column_of(name: str, feature: Aggregate) -> int:
        if name not in position:
            raise DeclarationError(
                f"{feature.name} reads the column {name!r}, which the log does not have.",
                remedy=f"Use one of: {', '.join(columns)}.",
            )
        return position[name]

    leaves = [leaf for f in features for leaf in walk(f) if isinstance(leaf, Aggregate)]
    for leaf in leaves:
        op = OPERATIONS[leaf.fold]
        column = -1 if leaf.column is None else column_of(leaf.column, leaf)
        if op in BY_CODE:
            if leaf.column not in dictionaries:
                raise DeclarationError(
                    f"{leaf.name} counts by code, but {leaf.column!r} holds numbers.",
                    remedy="Name a text column.",
                )
            vocabulary = max(vocabulary, len(dictionaries[str(leaf.column)].levels))
        fixed = [(position["kind"], _known(dictionaries["kind"], leaf.kind))]
        compared: list[tuple[str, str]] = []
        for name, value in leaf.filters:
            number = column_of(name, leaf)
            if isinstance(value, ContextRef):
                compared.append((name, value.name))
            else:
                fixed.append((number, _known(dictionaries[name], value)))
        stream = streams.setdefault(tuple(fixed), len(streams))
        window = windows.setdefault(leaf.window, len(windows))
        key = (op, stream, column, window, tuple(compared))
        if key not in ops:
            ops[key] = (width, leaf.name)
            table.append(
                [op, stream, column, window, width, len(matches), len(matches) + len(compared)]
            )
            matches.extend(compared)
            width += kernel.WIDTHS[op]
        slots[leaf.name] = ops[key][0]

    pairs = [pair for stream in streams for pair in stream]
    sizes = [len(stream) for stream in streams]
    missing = [kernel.NO_CODE if name in dictionaries else kernel.NULL for name in columns]
    return Plan(
        tuple(features), slots, tuple(windows), width, dictionaries,
        np.array(table, np.int64).reshape(-1, 7),
        np.array(pairs, np.int64).reshape(-1, 2),
        np.cumsum([0, *sizes], dtype=np.int64),
        tuple(matches),
        np.array([position[column] for column, _ in matches], np.int64),
        np.array(missing, np.int64),
        vocabulary,
        tuple(name for _, name in ops.values()),
    )  # fmt: skip


def _known(vocabulary: Vocabulary, text: str) -> int:
    code = vocabulary.code(text)
    return code if code >= 0 else kernel.UNSEEN


def feature_hash(features: Sequence[Feature]) -> str:
    """Return a hash of what the features mean: 16 hexadecimal digits.

    Two lists with the same hash compute the same values from the same log.

    Examples
    --------
    >>> from features.declare import events
    >>> orders = events("order")
    >>> feature_hash([orders.count(last="90d")]) == feature_hash([orders.count(last="91d")])
    False
    """
    return hashlib.sha256("\n".join(repr(f) for f in features).encode()).hexdigest()[:16]
