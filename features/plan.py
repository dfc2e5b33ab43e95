"""Declarations compiled to the kernel's tables."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from features.clock import parse_duration
from features.compute import Plan, Vocabulary
from features.errors import DeclarationError
from features.feature import Aggregate, ContextRef, Feature, walk
from features.kernel import NO_CODE, NULL, UNSEEN, states
from features.kernel.states import BY_CODE
from features.local_time import DERIVED
from features.nodes import compile_nodes
from features.tables import Op, Pairs, tables_of
from features.window import Window

# Features whose folds read the same state share one operation.
OPERATIONS = {
    "count": states.COUNT,
    "sum": states.SUM,
    "mean": states.SUM,
    "std": states.SQUARES,
    "min": states.MIN,
    "max": states.MAX,
    "first": states.FIRST,
    "last": states.LAST,
    "distinct": states.DISTINCT,
    "most_common": states.MODE,
    "days_since_first": states.TIMES,
    "days_since_last": states.TIMES,
    "gap_mean": states.TIMES,
    "last_gap": states.TIMES,
    "gap_std": states.GAPS,
    "decayed_count": states.DECAY,
    "decayed_sum": states.DECAY,
}
MOST_MATCHES = 2
ALWAYS_READ = ("occurred_at", "recorded_at", "kind")

Stream = tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]
"""Kind, (column, text) pairs that hold for every event, (column, context name) pairs."""


def compile_plan(
    features: Sequence[Feature],
    columns: Sequence[str],
    dictionaries: Mapping[str, Vocabulary],
    minor: int = 100,
    layout: Sequence[str] | None = None,
) -> Plan:
    """Compile features to the kernel's tables.

    Parameters
    ----------
    features : sequence of Feature
    columns : sequence of str
        The log's integer columns.
    dictionaries : mapping of str to Vocabulary
        For the columns that hold codes.
    minor : int
        Minor units of the source's currency in one of its units, such as 100 cents.
    layout : sequence of str, optional
        The columns in which events will be given, where they are more than the features read:
        occurred_at, recorded_at and kind first.

    Raises
    ------
    DeclarationError
        A feature names a column that the log does not have, or counts numbers by code.
    """
    vocabularies = {**DERIVED, **dictionaries}
    available = tuple(dict.fromkeys((*columns, *DERIVED)))
    leaves = [leaf for f in features for leaf in walk(f) if isinstance(leaf, Aggregate)]
    for leaf in leaves:
        _check(leaf, available, vocabularies)
    streams = list(dict.fromkeys(stream_of(leaf) for leaf in leaves))
    windows = sorted(dict.fromkeys(leaf.window for leaf in leaves), key=_longest_first)
    instants = list(dict.fromkeys(w.until for w in windows if w.until is not None))
    keys = {leaf: _key(leaf, streams, windows) for leaf in leaves}
    ops = sorted(set(keys.values()))
    starts = dict(
        zip(ops, accumulate((states.WIDTHS[op[2]] for op in ops), initial=0), strict=False)
    )
    slots = {leaf.name: starts[key] for leaf, key in keys.items()}
    named = {name for leaf in leaves for name in _columns_of(leaf)}
    read = tuple(layout or (*ALWAYS_READ, *sorted(named - set(ALWAYS_READ), key=available.index)))
    compared = tuple(dict.fromkeys(pair for stream in streams for pair in stream[2]))
    decays = list(dict.fromkeys(leaf.half_life for leaf in leaves if leaf.half_life))
    nodes = compile_nodes(features, slots, minor, instants)
    pairs = Pairs(
        [[(read.index(n), _known(vocabularies[n], t)) for n, t in s[1]] for s in streams],
        [[(read.index(pair[0]), compared.index(pair)) for pair in s[2]] for s in streams],
    )
    columns_of = [read.index(op[3]) if op[3] else -1 for op in ops]
    lines_of = [decays.index(op[4]) + 1 if op[4] else 0 for op in ops]
    table = [
        Op(op[0], op[1], op[2], column, starts[op], weights)
        for op, column, weights in zip(ops, columns_of, lines_of, strict=True)
    ]
    codes = [vocabularies["kind"].code(stream[0]) for stream in streams]
    tables = tables_of(
        table, codes, len(vocabularies["kind"].levels), pairs,
        [window.row(instants) for window in windows],
        [NO_CODE if name in vocabularies else NULL for name in read], decays,
    )  # fmt: skip
    return Plan(
        tuple(features),
        read,
        slots,
        sum(states.WIDTHS[op[2]] for op in ops),
        vocabularies,
        tables,
        nodes,
        compared,
        tuple(dict.fromkeys(op[3] for op in ops if op[2] in BY_CODE)),
        sum(op[2] in BY_CODE for op in ops),
        np.zeros((len(ops), 2), np.int64),
    )


def stream_of(leaf: Aggregate) -> Stream:
    """Return which events an aggregate folds, whatever their time."""
    fixed = tuple((n, v) for n, v in leaf.filters if not isinstance(v, ContextRef))
    compared = tuple((n, v.name) for n, v in leaf.filters if isinstance(v, ContextRef))
    return leaf.kind, fixed, compared


def _longest_first(window: Window) -> tuple[bool, float]:
    """Sort windows that look back before others, and each before shorter ones.

    An event that is too old for a window is too old for those after it.
    """
    return window.forward, -(math.inf if window.last is None else parse_duration(window.last))


def _columns_of(leaf: Aggregate) -> list[str]:
    return [name for name, _ in leaf.filters] + ([leaf.column] if leaf.column else [])


def _key(leaf: Aggregate, streams: list[Stream], windows: list[Any]) -> tuple[Any, ...]:
    return (
        streams.index(stream_of(leaf)),
        windows.index(leaf.window),
        OPERATIONS[leaf.fold],
        leaf.column or "",
        leaf.half_life or "",
    )


def _check(leaf: Aggregate, columns: Sequence[str], texts: Mapping[str, Vocabulary]) -> None:
    for name in _columns_of(leaf):
        if name not in columns:
            raise DeclarationError(
                f"{leaf.name} reads the column {name!r}, which the log does not have.",
                remedy=f"Use one of: {', '.join(columns)}.",
            )
    for name, _ in leaf.filters:
        if name not in texts:
            raise DeclarationError(
                f"{leaf.name} compares the column {name!r} with a text, but it holds numbers.",
                remedy="Compare a text column.",
            )
    if OPERATIONS[leaf.fold] in BY_CODE and leaf.column not in texts:
        raise DeclarationError(
            f"{leaf.name} counts by code, but {leaf.column!r} holds numbers.",
            remedy="Name a text column.",
        )
    if sum(isinstance(value, ContextRef) for _, value in leaf.filters) > MOST_MATCHES:
        raise DeclarationError(
            f"{leaf.name} compares more than {MOST_MATCHES} columns with the row's own values.",
            remedy="Compare fewer.",
        )


def _known(vocabulary: Vocabulary, text: str) -> int:
    code = vocabulary.code(text)
    return code if code >= 0 else UNSEEN


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
