"""Texts as numbers: what is written as one, and nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_GROUPED = r"^[+-]?\d{1,3}([,' ]\d{3})+(\.\d*)?$"
_SIGN = r"^([+-]?)\s*[$€£¥₩]\s*"
_SIGN_AFTER = r"\s*[$€£¥₩]$"


class Numbers(NamedTuple):
    """A column read as numbers.

    Attributes
    ----------
    values : ndarray of float64
        NaN where missing or no number.
    wrong : ndarray of bool
        What is there and no number.
    """

    values: NDArray[np.float64]
    wrong: NDArray[np.bool_]


def numbers(texts: pa.Array, decimal: str = ".") -> Numbers:
    """Return a column of texts (null where missing) as numbers.

    Thousands may be grouped; a currency sign may stand before or after; a percent sign where every
    number has one, which then are percent. Words such as inf and NaN are no numbers.

    Parameters
    ----------
    texts : pyarrow.Array of string
    decimal : {".", ","}

    Examples
    --------
    >>> found = numbers(pa.array(["1,234.5", "-0", "NaN", None]))
    >>> found.values.tolist()[:2], found.wrong.tolist()
    ([1234.5, 0.0], [False, False, True, False])
    """
    clean = pc.utf8_trim_whitespace(texts)
    clean = pc.replace_substring_regex(clean, _SIGN, r"\1")
    clean = pc.replace_substring_regex(clean, _SIGN_AFTER, "")
    percent = pc.ends_with(clean, "%")
    if pc.all(percent).as_py():
        clean = pc.utf8_rtrim(pc.utf8_rtrim(clean, "%"), " ")
    if decimal == ",":
        clean = _swapped(clean)
    grouped = pc.match_substring_regex(clean, _GROUPED)
    if pc.any(grouped).as_py():
        clean = pc.if_else(grouped, pc.replace_substring_regex(clean, r"[,' ]", ""), clean)
    is_number = pc.fill_null(pc.match_substring_regex(clean, _PLAIN), False)
    digits = pc.if_else(is_number, pc.utf8_ltrim(clean, "+"), pa.scalar(None, pa.string()))
    values: NDArray[np.float64] = pc.fill_null(digits.cast(pa.float64()), np.nan).to_numpy(
        zero_copy_only=False
    )
    present = mask(pc.is_valid(texts))
    fits = mask(is_number) & np.isfinite(values)
    # Adding zero makes of -0.0, which sorts and prints apart, a plain 0.0.
    return Numbers(np.where(fits, values + 0.0, np.nan), present & ~fits)


def mask(column: Any) -> NDArray[np.bool_]:
    """Return a column of truth values, null being false."""
    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False), dtype=bool)


def _swapped(texts: pa.Array) -> pa.Array:
    held = pc.replace_substring(texts, ".", "\0")
    return pc.replace_substring(pc.replace_substring(held, ",", "."), "\0", ",")
