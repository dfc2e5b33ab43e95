"""Identifiers whose order knows the answer, or when it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from models.finding import Finding, severity
from training.leaks.columns import Floats, Integers, Rows, Seen
from training.leaks.telling import group_auc, groups_of, rank_auc, spread

LEAST = 100
UNIQUE = 0.95
TELLS = 0.6
SURE = 5.0
IN_ORDER = 0.95
PARTS = 50
COLLISIONS = 10.0
"""Equal values that as many amounts at random would hold; an identifier has hardly any."""
NAMED = re.compile(r"(^|_)(id|ids|no|nr|number|num|key|code|uuid|guid|index|row)($|_)")
DIGITS = re.compile(r"\D*(\d{1,15})\D*")


def ordered_ids(rows: Rows) -> Iterator[Finding]:
    """Yield identifiers, severe where their order tells the answer or follows its time."""
    _, firsts = np.unique(rows.customer, return_index=True)
    for column in rows.columns:
        if not column.stated or not _is_id(column, firsts):
            continue
        kept = firsts[column.known[firsts]]
        order, y = _order(column)[kept], rows.y[kept]
        group = groups_of(order, is_text=False, parts=PARTS)
        value = max(rank_auc(order, y), group_auc(group, y, rows.fold[kept]))
        sure = value - 0.5 >= SURE * spread(y.sum(), len(y) - y.sum())
        moment = _together(order, rows.as_of[kept])
        answer = _together(order, rows.matures_at[kept]) if rows.decided else 0.0
        by_time = answer >= IN_ORDER and answer > moment + 0.01
        told = f"its order tells the answer with an AUC of {value:.3f}"
        if rows.decided:
            told += f" and follows the time of the answer with a rank correlation of {answer:.2f}"
        severe = (value >= TELLS and sure) or by_time
        yield Finding(
            column.name,
            "identifier",
            severity(float(severe), 1.0),
            f"{len(kept):,} customers have about as many different values; {told}.",
            "Exclude it: an identifier says nothing of who comes next, and one that is given in "
            "the order of the answers gives them away.",
            value,
        )


def _is_id(column: Seen, firsts: Integers) -> bool:
    values = column.values[firsts]
    values = values[np.isfinite(values)]
    if len(values) < LEAST:
        return False
    repeated = len(values) - len(np.unique(values))
    if repeated > (1 - UNIQUE) * len(values):
        return False
    if column.texts:
        return True
    if not (values == np.floor(values)).all():
        return False
    # Amounts at random from so wide a range would repeat; numbers that are given out do not.
    expected = len(values) ** 2 / (2 * float(values.max() - values.min() + 1))
    named = NAMED.search(column.name.lower()) is not None
    return named or (expected >= COLLISIONS and repeated <= 0.05 * expected)


def _order(column: Seen) -> Floats:
    """The number in a text, else its place in the alphabet."""
    if not column.texts:
        return column.values
    found = [DIGITS.fullmatch(text) for text in column.texts]
    places = np.arange(len(found), dtype=np.float64)
    if all(found):
        places = np.array([float(each[1]) for each in found if each])
    codes = np.where(column.known, column.values, 0).astype(np.intp)
    return np.where(column.known, places[codes], np.nan)


def _together(order: Floats, moments: Integers) -> float:
    """Absolute rank correlation; 0 where all moments are one."""
    if len(np.unique(moments)) < 2:
        return 0.0
    one, other = (np.unique(each, return_inverse=True)[1] for each in (order, moments))
    return abs(float(np.corrcoef(one, other)[0, 1]))
