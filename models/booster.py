"""LightGBM's answers through its C library, without importing the lightgbm package.

The package costs 160 MiB and seconds at start-up; its shared library costs neither and gives the
same bits. Every thread gets its own handle: two threads on one handle wait for each other.
"""

from __future__ import annotations

import os
import threading
import weakref
from ctypes import byref, c_double, c_int, c_int64, c_void_p
from functools import cached_property
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np

from models.lightgbm_library import BoosterError, Library, library
from models.shapley import Shapley

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Booster", "BoosterError"]

_FLOAT64 = 1
_ROW_MAJOR = 1
_RAW_MARGIN = 1
_ALL_TREES = (0, -1)  # from the first, as many as there are


class Booster:
    """A trained LightGBM model: one raw margin a row, and what each column adds to it.

    Parameters
    ----------
    text : str
        The model in LightGBM's own text format, as in a bundle's `booster.txt`.

    Attributes
    ----------
    n_features : int
        Columns of a row.

    Raises
    ------
    BoosterError
        The text is no LightGBM model, or one with several classes.
    """

    def __init__(self, text: str) -> None:
        if not text.startswith("tree\n"):
            raise BoosterError(
                f"This is no LightGBM model: it starts with {text[:10]!r}, not with 'tree'.",
                remedy="Give the text that lightgbm's Booster.model_to_string returns.",
            )
        if "\nend of trees" not in text:
            # LightGBM ends the whole process when a tree breaks off.
            raise BoosterError(
                "This LightGBM model breaks off before the end of its trees.",
                remedy="Copy the whole file again.",
            )
        self.text = text
        self._process = os.getpid()
        self._threads = threading.local()
        self.n_features = self._handle().n_features

    @classmethod
    def load(cls, path: Path) -> Booster:
        """Return the booster whose text lies in a file."""
        return cls(path.read_text(encoding="utf-8"))

    def margin(self, row: Sequence[float] | Floats) -> float:
        """Return the raw margin (log-odds before calibration) of one encoded row.

        Parameters
        ----------
        row : float64[n_features]
            As the encoder gives it; NaN is missing.
        """
        if len(row) != self.n_features:
            raise self._wrong_width(len(row))
        return self._handle().margin(row)

    def margins(self, X: Floats, threads: int = 1) -> Floats:
        """Return the raw margin of each row, float64[n]; bit-equal to `margin` of each."""
        X = self._rows(X)
        answers = np.empty(len(X))
        if len(X):
            self._handle().predict(X, answers, threads)
        return answers

    def contributions(self, X: Floats, threads: int = 1) -> Floats:
        """Return what each column adds to the raw margin, float64[n, n_features + 1].

        Exact TreeSHAP, equal to LightGBM's `pred_contrib` within rounding; the last column is the
        expected margin. A row sums to its margin.

        Raises
        ------
        TreesError
            The model averages its trees, or holds linear models.
        """
        return self.shapley.contributions(self._rows(X), threads)

    @cached_property
    def shapley(self) -> Shapley:
        """What computes the contributions; its tables are made at the first use."""
        return Shapley(self.text, self.n_features)

    def _rows(self, X: Floats) -> Floats:
        X = np.ascontiguousarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != self.n_features:
            raise self._wrong_width(X.shape[-1] if X.ndim else 0)
        return X

    def _handle(self) -> _Handle:
        # GNU OpenMP's threads do not survive a fork, and a child that waits for them hangs.
        if os.getpid() != self._process:
            raise BoosterError(
                "This process was forked after LightGBM had run, where it may hang.",
                remedy="Load the model in the new process, or start processes by 'spawn'.",
            )
        handle: _Handle | None = getattr(self._threads, "handle", None)
        if handle is None:
            handle = self._threads.handle = _Handle(library(), self.text.encode())
        return handle

    def _wrong_width(self, found: int) -> BoosterError:
        return BoosterError(
            f"The model takes rows of {self.n_features} columns, got {found}.",
            remedy="Encode rows with the encoder published beside the model.",
        )


class _Handle:
    """One thread's copy of the model inside the C library; freed together with this object."""

    def __init__(self, c: Library, text: bytes) -> None:
        self._c = c
        self._booster, self._fast = c_void_p(), c_void_p()
        weakref.finalize(self, _free, c, self._booster, self._fast)
        number = c_int()
        c.call("LGBM_BoosterLoadModelFromString", text, byref(number), byref(self._booster))
        c.call("LGBM_BoosterGetNumClasses", self._booster, byref(number))
        if number.value != 1:
            raise BoosterError(
                f"The model has {number.value} classes, a margin needs one.",
                remedy="Train it with a binary objective.",
            )
        c.call("LGBM_BoosterGetNumFeature", self._booster, byref(number))
        self.n_features = number.value
        c.call(
            "LGBM_BoosterPredictForMatSingleRowFastInit",
            *(self._booster, _RAW_MARGIN, *_ALL_TREES, _FLOAT64, self.n_features),
            *(_parameters(1), byref(self._fast)),
        )
        self._row = np.empty(self.n_features)
        self._bytes = self._row.data.cast("B")
        self._write = Struct(f"{self.n_features}d").pack_into
        self._answer, self._length = c_double(), c_int64()
        self._pointers = (
            *(self._fast, self._row.ctypes.data),
            *(byref(self._length), byref(self._answer)),
        )

    def margin(self, row: Sequence[float] | Floats) -> float:
        if isinstance(row, list):
            self._write(self._bytes, 0, *row)  # a quarter of what numpy takes for a list
        else:
            self._row[:] = row
        if self._c.single_row(*self._pointers) != 0:
            raise self._c.error("LGBM_BoosterPredictForMatSingleRowFast")
        return self._answer.value

    def predict(self, X: Floats, answers: Floats, threads: int) -> None:
        length = c_int64()
        self._c.call(
            "LGBM_BoosterPredictForMat",
            *(self._booster, X.ctypes.data, _FLOAT64, *X.shape, _ROW_MAJOR),
            *(_RAW_MARGIN, *_ALL_TREES),
            *(_parameters(threads), byref(length), answers.ctypes.data),
        )
        if length.value != answers.size:
            raise BoosterError(
                f"LightGBM gave {length.value} numbers for {len(X)} rows, not {answers.size}.",
                remedy="Install the LightGBM that constraints.txt names.",
            )


def _parameters(threads: int) -> bytes:
    return f"num_threads={threads} verbosity=-1".encode()


def _free(c: Library, booster: c_void_p, fast: c_void_p) -> None:
    if fast:
        c.call("LGBM_FastConfigFree", fast)
    if booster:
        c.call("LGBM_BoosterFree", booster)
