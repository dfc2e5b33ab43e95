"""Training rows as the checks see them: numbers and codes, NaN where missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.feature import Aggregate, Feature, walk
from models.encoder import NULL
from models.finding import Leaks
from training.dataset import Dataset

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

FOLDS = 5


@dataclass(frozen=True)
class Seen:
    """One column.

    Attributes
    ----------
    feature : Feature
    values : ndarray of float64, shape (n,)
        Numbers, or the codes of sorted texts; NaN where missing.
    texts : tuple of str
        The texts that codes stand for; empty for numbers.
    """

    feature: Feature
    values: Floats
    texts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.feature.name

    @property
    def stated(self) -> bool:
        """Whether a table states it; what is folded from past events cannot be filled in later."""
        return not any(isinstance(part, Aggregate) for part in walk(self.feature))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where it is not missing."""
        return np.isfinite(self.values)


@dataclass(frozen=True)
class Rows:
    """Some rows of a training period.

    Attributes
    ----------
    columns : tuple of Seen
    y : ndarray of float64, shape (n,)
    customer, fold : ndarray of int64, shape (n,)
        Codes; rows of one customer share a fold.
    as_of, matures_at : ndarray of int64, shape (n,)
        Microseconds UTC.
    decided : bool
        Whether `matures_at` is when the answer was given, and no end of a horizon.
    leaks : Leaks
        What is tolerated.
    """

    columns: tuple[Seen, ...]
    y: Floats
    customer: Integers
    fold: Integers
    as_of: Integers
    matures_at: Integers
    decided: bool
    leaks: Leaks

    @classmethod
    def of(
        cls, features: tuple[Feature, ...], leaks: Leaks, data: Dataset, places: Integers
    ) -> Rows:
        """Return the rows of a dataset at some positions."""
        rows = data.rows.iloc[places]
        customer = pd.factorize(rows["customer_id"].to_numpy().astype(str))[0].astype(np.int64)
        fold = np.random.default_rng(0).permutation(int(customer.max()) + 1)[customer] % FOLDS
        return cls(
            tuple(seen(feature, data.X[feature.name].iloc[places]) for feature in features),
            data.y.to_numpy()[places].astype(np.float64),
            customer,
            fold,
            rows["as_of"].to_numpy(),
            rows["matures_at"].to_numpy(),
            data.order == "decided_at",
            leaks,
        )


def seen(feature: Feature, column: pd.Series) -> Seen:
    """Return a column of a dataset as numbers.

    Examples
    --------
    >>> from features.declare import attribute
    >>> seen(attribute("plan"), pd.Series(["b", None, "a"], dtype=object)).values.tolist()
    [1.0, nan, 0.0]
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        found = column.to_numpy(dtype="datetime64[us]")
        numbers = np.where(np.isnat(found), np.nan, found.astype(np.int64).astype(np.float64))
        return Seen(feature, numbers, ())
    values: Any = column.to_numpy()
    if values.dtype.kind in "iu":
        return Seen(feature, np.where(values == NULL, np.nan, values.astype(np.float64)), ())
    if values.dtype.kind in "fb":
        return Seen(feature, values.astype(np.float64), ())
    if feature.dtype not in ("category", "ordinal"):
        return Seen(feature, pd.to_numeric(column).to_numpy(dtype=np.float64), ())
    codes, levels = pd.factorize(values, sort=True)
    return Seen(feature, np.where(codes < 0, np.nan, codes.astype(np.float64)), tuple(levels))
