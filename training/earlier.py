"""What a batch is compared with: the batch before it, and what the present version makes of it.

A version that is new to the stored scores is asked about the moment they were judged at: its
features are computed as of then, which the log of two clocks allows. What it says otherwise than
the version before is the model's doing, and the rest is the customers'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.spine import Spine
from models.score_rows import Standing, about
from models.trend import Earlier, trend_of

if TYPE_CHECKING:
    from features.log import EventLog
    from models.bundle import Bundle
    from models.spec import ModelSpec
    from training.batch import Answering
    from training.dataset import Compute, Dataset

OF_A_ROW = ("row_id", "customer_id", "as_of", "matures_at")


def earlier_of(
    spec: ModelSpec,
    bundle: Bundle,
    data: Dataset,
    log: EventLog,
    standing: Mapping[str, Standing],
    compute: Compute,
    engine: Answering,
) -> list[Earlier | None]:
    """Return the earlier score of each row; None where there is none.

    That is the stored one, if it was judged before or by another version; else, when a batch is
    repeated, the one that the stored score was compared with.

    Parameters
    ----------
    spec : ModelSpec
    bundle : Bundle
        The present version.
    data : Dataset
        The rows to score.
    log : EventLog
    standing : mapping of str to Standing
        As `models.scores.SqlScoreStore.standing` returns it.
    compute : callable
        As `features.frame.frame`.
    engine : Answering
    """
    version = bundle.spec.version
    found: list[Earlier | None] = []
    asked: list[int] = []
    for place, (key, as_of) in enumerate(
        zip(keys_of(spec, data), data.rows["as_of"].tolist(), strict=True)
    ):
        held = standing.get(key)
        if held is None or held.as_of > as_of:
            found.append(None)
        elif held.version == version:
            is_repeated = held.as_of == as_of
            found.append(held.earlier if is_repeated else _from(held, held.probability))
        else:
            found.append(_from(held, held.probability))
            asked.append(place)
    if asked:
        then = np.array([found[place].as_of for place in asked], dtype=np.int64)  # type: ignore[union-attr]
        values = compute(log, spine_of(spec, data, asked, then), spec.features)
        again = engine.answers(bundle, values[list(spec.feature_names)])["probability"].tolist()
        for place, probability in zip(asked, again, strict=True):
            earlier = found[place]
            assert earlier is not None
            found[place] = Earlier(earlier.probability, earlier.version, earlier.as_of, probability)
    return found


def keys_of(spec: ModelSpec, data: Dataset) -> list[str]:
    """Return what each row is about, as `models.score_rows.about` writes it."""
    names = [name for name in spec.context if name in data.rows]
    columns = [data.rows[name].tolist() for name in names]
    customers = data.rows["customer_id"].tolist()
    values = zip(*columns, strict=True) if columns else [()] * len(customers)
    return [
        about(customer, dict(zip(names, row, strict=True)))
        for customer, row in zip(customers, values, strict=True)
    ]


def spine_of(spec: ModelSpec, data: Dataset, places: Sequence[int], as_of: np.ndarray) -> Spine:
    """Return some of a dataset's rows as a spine judged at other moments."""
    rows = data.rows.iloc[list(places)]
    context = {str(name): _values(rows[name]) for name in rows if name not in OF_A_ROW}
    return Spine(spec.entity, _values(rows["row_id"]), _values(rows["customer_id"]), as_of, context)


def columns_of(
    version: str, answers: pd.DataFrame, earlier: Sequence[Earlier | None]
) -> dict[str, Any]:
    """Return the trend of each row as columns of a file; missing where there is none."""
    trends = [
        None if before is None else trend_of(probability, version, before)
        for probability, before in zip(answers["probability"].tolist(), earlier, strict=True)
    ]
    since = [None if before is None else before.as_of for before in earlier]
    columns: dict[str, Any] = {"earlier_as_of": pd.array(since, dtype="Int64")}
    for name in ("earlier_version", "change", "by_customer", "by_model", "direction"):
        values = [None if trend is None else getattr(trend, name) for trend in trends]
        is_text = name in ("earlier_version", "direction")
        columns[name] = pd.array(values, dtype="string" if is_text else "Float64")
    return columns


def _from(held: Standing, again: float) -> Earlier:
    return Earlier(held.probability, held.version, held.as_of, again)


def _values(column: pd.Series) -> np.ndarray:
    if column.dtype.kind in "iuf":
        return column.to_numpy()
    return np.array(
        [None if missing else value for value, missing in zip(column, column.isna(), strict=True)],
        dtype=object,
    )
