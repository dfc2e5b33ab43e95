"""Lists as CSV for spreadsheets, in which no text can become a formula.

Source: OWASP, CSV Injection. A spreadsheet takes a cell that starts with one of a few characters
for a formula; an apostrophe before it makes it text. Numbers are left as they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cell = str | int | float | bool | None


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows as CSV by RFC 4180; what is missing is an empty cell.

    Examples
    --------
    >>> to_csv(["customer_id", "effect"], [["=1+1", -0.5], ["a,b", None]]).splitlines()
    ['customer_id,effect', "'=1+1,-0.5", '"a,b",']
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe(name) for name in header])
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
    return text.getvalue()


def safe(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula.

    Leading spaces do not help an attacker: some programs trim them, so what follows is looked at.

    Examples
    --------
    >>> safe("@SUM(A1)"), safe(" =1"), safe(-3.5), safe("1001")
    ("'@SUM(A1)", "' =1", -3.5, '1001')
    """
    if isinstance(cell, str) and cell.lstrip(" ").startswith(STARTS_A_FORMULA):
        return f"'{cell}"
    return cell
