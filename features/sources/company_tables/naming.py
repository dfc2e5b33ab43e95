"""Names of attributes: made from a table's own columns, and never taken by anything else."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from features import engagement, exchange, experience
from features.columns import EVENT_COLUMNS
from features.errors import BadInputError
from features.feature import slug
from features.value import NAME

CONSENT = "consent_"
_TAKEN = frozenset(
    {"customer_id", "known_at", "timezone", "row_id", "as_of", "matures_at", "label", "answer"}
    | set(EVENT_COLUMNS)
    | {
        feature.name
        for module in (engagement, exchange, experience)
        for group in vars(module).values()
        if isinstance(group, tuple)
        for feature in group
    }
)
_LONGEST = 60


def attribute_names(columns: Sequence[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name for each column: letters, digits and underscores, no two alike.

    Examples
    --------
    >>> attribute_names(["Lead Origin", "lead origin", "직업", "customer_id", "2nd visit"])
    {'Lead Origin': 'lead_origin', 'lead origin': 'lead_origin_2', '직업': 'column_3', \
'customer_id': 'customer_id_column', '2nd visit': 'column_2nd_visit'}
    """
    used = {*_TAKEN, *taken}
    found: dict[str, str] = {}
    for place, column in enumerate(columns, start=1):
        plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
        name = slug(plain)[:_LONGEST] or f"column_{place}"
        if name[0].isdigit():
            name = f"column_{name}"
        if name in used or f"days_since_{name}" in used or name.startswith(CONSENT):
            free = (f"{name}_{n}" for n in range(2, len(columns) + 3))
            name = f"{name}_column" if name in _TAKEN else next(n for n in free if n not in used)
        while name in used:
            name += "_2"
        assert NAME.fullmatch(name)
        # The rest of a mixed column, and the days since a moment, have names of their own.
        used |= {name, f"{name}_text", f"days_since_{name}"}
        found[column] = name
    return found


def column_of(where: str, column: str, columns: Sequence[str], file: str) -> str:
    """Return a column that a table has.

    Raises
    ------
    BadInputError
        It has none of this name; the nearest are given.
    """
    if column in columns:
        return column
    near = get_close_matches(column, columns, n=3, cutoff=0.6)
    raise BadInputError(
        f"{where} is {column!r}, but {file} has no such column.",
        remedy=f"Did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"Its columns are: {', '.join(columns[:20])}.",
    )
