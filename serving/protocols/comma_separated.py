"""CSV as columns: each value is read as what the model declares its column to be."""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from serving.errors import RequestError
from serving.protocols.columns import CUSTOMER
from serving.protocols.frames import Columns, table_of
from serving.schema import MOST_ROWS

if TYPE_CHECKING:
    from models.spec import ModelSpec

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
MISSING = frozenset(("", "nan", "na", "n/a", "null", "none", "<na>"))
"""Of numbers and truth values, in any case; a text is missing where it is empty."""
TRUTHS = {"true": True, "false": False}


def read_csv(body: bytes, spec: ModelSpec) -> Columns:
    """Return the columns of a table with a line of names, in UTF-8.

    A first column without a name, which pandas writes for its index, is left out.

    Raises
    ------
    HTTPException
        It is no CSV.
    RequestError
        Its rows are not of one length, or a name is there twice.
    """
    try:
        lines = csv.reader(StringIO(str(body, "utf-8-sig")), strict=True)
        # One more than is taken, so that whoever counts them sees that they are too many.
        rows = list(islice(filter(None, lines), MOST_ROWS + 2))
    except (UnicodeDecodeError, csv.Error):
        raise HTTPException(400) from None
    if not rows:
        raise RequestError("The table is empty.", remedy="Send a line of names, then the rows.")
    names, *rest = rows
    columns = table_of(names, rest)
    if names[0] == "":
        del columns[""]
    kinds: dict[str, str] = {feature.name: feature.dtype for feature in spec.features}
    if CUSTOMER in columns:
        kinds = spec.context
    return {name: [_value(text, kinds.get(name)) for text in c] for name, c in columns.items()}


def _value(text: str, kind: str | None) -> Any:
    """Return a value of a declared kind; what is none stays text, for the check to refuse."""
    if kind in ("int", "float", "number", "bool"):
        if text.strip().lower() in MISSING:
            return None
        if kind == "bool":
            return TRUTHS.get(text.strip().lower(), text)
        if WHOLE.fullmatch(text):
            return int(text)
        return float(text) if NUMBER.fullmatch(text) else text
    return text or None
