"""Arrow columns of feature values as encoded rows, by the rules that hold for rows of JSON.

A null is missing, and so is NaN, by which data frames say it. Whatever JSON could not send for a
feature is refused here too, naming column and type and never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from features.errors import UnknownFeatureError
from features.names import MOST_NAMED, nearest, one_of, shown
from models.encoder import TEXTS
from serving.errors import RequestError
from serving.scores.inputs import TYPES, check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.feature import Feature
    from models.encoder import Encoder

    Floats = NDArray[np.float64]

BEYOND = 2.0**63


def check_columns(schema: pa.Schema, features: Sequence[Feature], id_column: str) -> None:
    """Refuse a table whose columns are not features of their declared types.

    Raises
    ------
    UnknownFeatureError, RequestError
        Naming the columns.
    """
    declared = {feature.name: feature for feature in features}
    sent = [name for name in schema.names if name != id_column or name in declared]
    unknown = [name for name in sent if name not in declared]
    if unknown:
        raise UnknownFeatureError(
            f"{len(unknown)} of the columns are not among this model's {len(declared)} features.",
            remedy=" ".join(nearest(name, declared) for name in unknown[:MOST_NAMED])
            + " To pass a column through, name it: ?id=.",
        )
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise RequestError(
            f"The column {shown(twice[0])} is there more than once.",
            remedy="Send each column once.",
            fields=[(f"columns.{shown(name)}", "is there more than once") for name in twice],
        )
    if not sent:
        raise RequestError(
            "The table has no column of a feature.",
            remedy=f"Send at least one. {one_of(list(declared))}",
        )
    wrong = [
        (f"columns.{name}", f"must hold {TYPES[declared[name].dtype]}, got {_said(kind)}")
        for name, kind in zip(schema.names, schema.types, strict=True)
        if name in declared and not _fits(declared[name].dtype, kind)
    ]
    if wrong:
        raise RequestError(
            "; ".join(f"{field} {what}" for field, what in wrong[:3]) + ".",
            remedy="Cast the columns; /v1/models/{model} lists each feature's type.",
            fields=wrong,
        )


def encoded(
    batch: pa.RecordBatch, features: Sequence[Feature], encoder: Encoder, first: int = 0
) -> Floats:
    """Return the encoded rows of a batch, float64[n, n_columns].

    Each row has the bits that `Encoder.encode` gives of it. A feature without a column is
    missing in every row.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        Checked by `check_columns`.
    features : sequence of Feature
        In the encoder's order.
    encoder : Encoder
    first : int
        Number of the batch's first row, for what is said of a value.

    Raises
    ------
    RequestError
        A value is none that its feature takes.
    """
    X = np.full((batch.num_rows, len(features)), np.nan)
    names = set(batch.schema.names)
    for place, (feature, column) in enumerate(zip(features, encoder.columns, strict=True)):
        if feature.name not in names:
            continue
        values = batch.column(feature.name)
        if pa.types.is_null(values.type):
            continue
        if feature.dtype in TEXTS:
            X[:, place] = _codes(values, feature, column.levels)
        else:
            X[:, place] = _numbers(values, feature, first)
    return X


def _numbers(values: Any, feature: Feature, first: int) -> Floats:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    numbers: Floats = values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    fits = (np.abs(numbers) < BEYOND) | np.isnan(numbers)
    if feature.dtype == "int" and pa.types.is_floating(values.type):
        fits &= (numbers == np.trunc(numbers)) | np.isnan(numbers)
    if not fits.all():
        expected = TYPES[feature.dtype]
        raise RequestError(
            f"columns.{feature.name} must hold {expected} in row {first + int(np.argmin(fits))}.",
            remedy="Correct the value, or send null if it is not known.",
            fields=[(f"columns.{feature.name}", f"must hold {expected}")],
        )
    return numbers


def _codes(values: Any, feature: Feature, levels: Sequence[str]) -> Floats:
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
    words = values.dictionary.to_pylist()
    places = values.indices.cast(pa.int64()).fill_null(len(words)).to_numpy()
    is_used = np.zeros(len(words) + 1, dtype=bool)
    is_used[places] = True
    code_of = {level: float(code) for code, level in enumerate(levels)}
    codes: Floats = np.full(len(words) + 1, np.nan)
    for place in np.flatnonzero(is_used[:-1]):
        word = check(f"columns.{feature.name}", feature.dtype, feature.levels, words[place])
        codes[place] = np.nan if word is None else code_of.get(str(word), np.nan)
    found: Floats = codes[places]
    return found


def _fits(dtype: str, kind: Any) -> bool:
    if pa.types.is_null(kind):
        return True
    if dtype in TEXTS:
        return _is_text(kind.value_type if pa.types.is_dictionary(kind) else kind)
    if dtype == "bool":
        return bool(pa.types.is_boolean(kind))
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _said(kind: Any) -> str:
    # The type of a nested column, or of a moment, may hold words of the caller's.
    is_plain = pa.types.is_primitive(kind) and not pa.types.is_temporal(kind)
    return str(kind) if is_plain or _is_text(kind) else "another type"
