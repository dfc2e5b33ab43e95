"""Names in messages: what there is, what was nearly meant, and never a value in a name's place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MOST_NAMED = 10
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a sentence that says which names come near one that is unknown.

    Examples
    --------
    >>> nearest("amuont", ["amount", "quantity"])
    'For amuont: amount.'
    """
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    return f"For {shown(name)}: {' or '.join(near)}." if near else f"{shown(name)} is near none."


def one_of(names: Sequence[str]) -> str:
    """Return a remedy that lists what there is, the first ten of it.

    Examples
    --------
    >>> one_of(["churn", "ctr"])
    'Choose among: churn, ctr.'
    """
    some = ", ".join(names[:MOST_NAMED])
    rest = len(names) - MOST_NAMED
    return f"Choose among: {some}{f' and {rest} more' if rest > 0 else ''}."


def shown(name: str) -> str:
    """Return a caller's field name if it is one, else a stand-in.

    Examples
    --------
    >>> shown("customer_id"), shown("Jane Doe")
    ('customer_id', '(a name that is none)')
    """
    return name if PLAIN_NAME.fullmatch(name) else "(a name that is none)"
