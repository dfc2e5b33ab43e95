"""A booster whose single rows pylignum answers, where it answers as LightGBM does.

pylignum (alpha) walks the same trees faster and gives the same bits, but not for +inf, of which
0.3 takes another way at some splits: such rows go to LightGBM. Nothing but single margins is asked
of it; tables and reasons stay where they are.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import NextbestError
from models.blend import Blend
from models.booster import Booster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.bundle import Bundle

    Floats = NDArray[np.float64]

OFF = "Unset NEXTBEST_TREE_ENGINE; LightGBM answers meanwhile."


class QuickTreesError(NextbestError):
    """pylignum is missing, refuses a model, or does not answer as LightGBM does."""


class QuickTrees(Booster):
    """A booster that asks pylignum for the margin of one row.

    Parameters
    ----------
    text : str
        As of `Booster`.
    load : callable, optional
        Returns a model with pylignum's `predict` for a file in LightGBM's text format.

    Raises
    ------
    QuickTreesError
        It is not installed, or refuses the model.
    """

    def __init__(self, text: str, load: Callable[[str], Any] | None = None) -> None:
        super().__init__(text)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "booster.txt"
            path.write_text(text, encoding="utf-8")
            self._predict = _loaded(str(path), load or _load).predict
        self._places = _Rows(self.n_features)

    def margin(self, row: Sequence[float] | Floats) -> float:
        """Return the raw margin of one encoded row; bit-equal to `margins`."""
        values = row if isinstance(row, list) else np.asarray(row).tolist()
        if len(values) != self.n_features or inf in values:
            return super().margin(row)
        held = self._places
        held.write(held.octets, 0, *values)
        return float(self._predict(held.row, raw_score=True, n_jobs=1, strategy="serial")[0])


class _Rows(threading.local):
    """A row for each thread."""

    def __init__(self, n_features: int) -> None:
        self.row = np.empty((1, n_features))
        self.octets = self.row.data.cast("B")
        self.write = Struct(f"{n_features}d").pack_into


def quickened(bundle: Bundle, load: Callable[[str], Any] | None = None) -> Bundle:
    """Return a bundle whose trees pylignum answers; one without trees is left as it is.

    Parameters
    ----------
    bundle : Bundle
        Verified: its engine gives the golden answers.
    load : callable, optional
        As of `QuickTrees`.

    Raises
    ------
    QuickTreesError
        One golden row differs in its last bit, or pylignum cannot be used.
    """
    engine: Booster | Blend
    if isinstance(bundle.engine, Booster):
        engine = QuickTrees(bundle.engine.text, load)
    elif isinstance(bundle.engine, Blend):
        engine = replace(bundle.engine, booster=QuickTrees(bundle.engine.booster.text, load))
    else:
        return bundle
    for place, values in enumerate(bundle.golden.rows):
        row = bundle.encoder.numbers(values)
        if engine.margin(row) != bundle.engine.margin(row):
            raise QuickTreesError(
                f"pylignum gives golden row {place} of {bundle.spec.name!r} another margin.",
                remedy=OFF,
            )
    return replace(bundle, engine=engine)


def _loaded(path: str, load: Callable[[str], Any]) -> Any:
    try:
        return load(path)
    except ImportError as error:
        raise QuickTreesError(
            "pylignum is not installed.", remedy=f"pip install 'nextbest[lignum]'. {OFF}"
        ) from error
    except (ValueError, RuntimeError, OSError) as error:
        raise QuickTreesError(
            f"pylignum refuses the model ({type(error).__name__}).", remedy=OFF
        ) from error


def _load(path: str) -> Any:
    import lignum

    return lignum.load(path, format="lightgbm")
