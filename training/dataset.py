"""Point-in-time rows: what was known of each at its moment, and what happened after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import clock
from features.errors import NextbestError
from features.feature import Aggregate, Condition, Feature, walk
from features.frame import frame
from features.kernel import NULL
from features.label import matures_at
from features.log import EventLog
from features.spine import Spine, grid
from models import catalog
from models.answer import ANSWER, DECIDED_AT, Answer
from models.spec import ModelSpec

Progress = Callable[[int, int], None]
Order = Literal["as_of", "decided_at", "none"]


class Compute(Protocol):
    """What `features.frame.frame` does, on this machine or on many."""

    def __call__(
        self,
        log: EventLog,
        spine: Spine,
        features: Sequence[Feature],
        *,
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return the features of a spine's rows."""
        ...


class DatasetError(NextbestError):
    """A model for which the log has no rows."""


@dataclass(frozen=True)
class Dataset:
    """Rows of one model, mature and inside its population.

    Attributes
    ----------
    X : DataFrame of shape (n, n_features)
        In the order of the model's features, as they were known at each row's `as_of`.
    y : Series of {0, 1}, shape (n,)
        The label; empty for a model without one.
    rows : DataFrame of shape (n, 4 + n_context)
        row_id, customer_id, as_of and matures_at (int64 microseconds UTC), then the context.
    order : {"as_of", "decided_at", "none"}
        What puts the rows in time: the moments they were judged at, the dates of the answers
        (`matures_at`), or nothing, as in one snapshot of a company's table.
    """

    X: pd.DataFrame
    y: pd.Series
    rows: pd.DataFrame
    order: Order = "as_of"

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: NDArray[np.int64]) -> Dataset:
        """Return the rows at some positions, in the order asked for."""
        y = self.y.iloc[rows] if len(self.y) else self.y
        return Dataset(self.X.iloc[rows], y, self.rows.iloc[rows], self.order)

    def joined(self) -> pd.DataFrame:
        """Return rows, label and features side by side, for a file or a notebook."""
        label = self.y.to_frame() if len(self.y) else pd.DataFrame(index=self.X.index)
        beside = self.rows.drop(columns=[name for name in self.rows if name in self.X])
        return pd.concat([beside, label, self.X], axis=1)


def dataset(
    model: str | ModelSpec,
    home: str | Path = ".nextbest",
    *,
    as_of: str | int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Return a model's point-in-time rows from the log under `home`.

    Parameters
    ----------
    model : str or ModelSpec
        A name of the catalogue: "churn".
    home : str or Path
        NEXTBEST_HOME: the folder that holds the log.
    as_of : str or int, optional
        The present moment; by default where a frozen source ends, else now.
    progress : callable, optional
        Called with (buckets done, buckets in all).

    Raises
    ------
    UnknownModelError, NoLogError, BadInputError, DatasetError
    """
    log = EventLog.open(Path(home))
    spec = catalog.spec(model, log.company) if isinstance(model, str) else model
    return build(spec, log, moment(log, as_of), progress=progress)


def moment(log: EventLog, as_of: str | int | None, *, clock_name: str = "auto") -> int:
    """Return the present moment, microseconds UTC: the one asked for, or the clock's.

    Raises
    ------
    BadInputError
        `as_of` is no date.
    """
    if as_of is None:
        return clock.now(clock_name, log.source, last_instant=log.last_instant)
    return clock.parse_instant(as_of, log.source.timezone)


def build(
    spec: ModelSpec,
    log: EventLog,
    now: int,
    *,
    progress: Progress | None = None,
    compute: Compute = frame,
    rows: tuple[Spine, NDArray[np.int64]] | None = None,
) -> Dataset:
    """Return the rows whose label had matured at `now` (for a model without label: those of now).

    `rows` are some of those that `training_spine` returns: see `training.bound`.

    Raises
    ------
    DatasetError
        Nothing is mature, or nobody belongs to the population.
    """
    spine, mature = training_spine(spec, log, now) if rows is None else rows
    conditions = [c for c in (spec.population, spec.label) if isinstance(c, Condition)]
    asked = [*spec.features, *(c for c in conditions if c.name not in spec.feature_names)]
    values = compute(log, spine, asked, progress=progress)
    kept = np.arange(len(spine))
    if spec.population is not None:
        kept = np.flatnonzero(values[spec.population.name].to_numpy())
    if len(kept) == 0:
        raise DatasetError(
            f"None of {len(spine)} rows belongs to the population of {spec.name!r}.",
            remedy="Compare the model's population with what the log holds: python -m features log",
        )
    return dataset_of(spec, values.iloc[kept], spine.take(kept), mature[kept])


def training_spine(spec: ModelSpec, log: EventLog, now: int) -> tuple[Spine, NDArray[np.int64]]:
    """Return the rows that are mature at `now`, whatever their population, and when they matured.

    Customers are judged on a grid of dates: the last one is the latest whose label has matured,
    and from there back by `spec.step` as far as `spec.history` after the log begins. Other rows
    have their own moments, from when the log begins.

    Raises
    ------
    DatasetError
        `now` lies before the first row could have matured.
    """
    if spec.label is None:
        customers = grid(customer_ids(log), [now])
        return customers, customers.as_of
    if isinstance(spec.label, Answer):
        return _answered(spec.label, log, now)
    first = log_begins(spec, log)
    if spec.spine is None:
        spine = grid(customer_ids(log), grid_moments(spec, spec.label, log, now).tolist())
    else:
        spine = log.spine(spec.spine)
    matured = matures_at(spec.label, spine, log.campaigns)
    # A row's own moment has to lie in the past too, when a label matures at once.
    mature = np.flatnonzero((matured <= now) & (spine.as_of < now) & (spine.as_of >= first))
    if len(mature) == 0:
        raise DatasetError(
            f"No row of {spec.name!r} had matured at {clock.to_iso(now)}; its log begins at "
            f"{clock.to_iso(first)}.",
            remedy="Choose a later --as-of, or ingest a longer history.",
        )
    return spine.take(mature), matured[mature]


def _answered(label: Answer, log: EventLog, now: int) -> tuple[Spine, NDArray[np.int64]]:
    """Return the rows of a table whose answer was known at `now`, and since when it was."""
    if label.name not in log.spine_names:
        raise DatasetError(
            f"The log holds no answers {label.name!r}.",
            remedy=f"Declare [labels.{label.name}] and ingest: python -m features ingest FILE.toml",
        )
    spine = log.spine(label.name)
    decided = spine.context[DECIDED_AT]
    matured = np.where(decided == NULL, spine.as_of, decided)
    mature = np.flatnonzero((matured <= now) & (spine.as_of < now))
    if len(mature) == 0:
        raise DatasetError(
            f"None of {len(spine):,} answers {label.name!r} was known at {clock.to_iso(now)}.",
            remedy="Choose a later --as-of, or ingest rows that have been answered.",
        )
    return spine.take(mature), matured[mature]


def order_of(spec: ModelSpec, spine: Spine) -> Order:
    """Return what puts rows in time; nothing does where a table's rows share one moment."""
    if not isinstance(spec.label, Answer):
        return "as_of"
    if (spine.context[DECIDED_AT] != NULL).any():
        return "decided_at"
    return "as_of" if len(np.unique(spine.as_of)) > 1 else "none"


def log_begins(spec: ModelSpec, log: EventLog) -> int:
    """Return when the log begins for a model, microseconds UTC: no row lies before.

    That is with the first event of the kind that most of its features fold. A source may know of
    a campaign that was sent before it knew of any purchase; of that time a customer who buys
    often looks like one who never came.
    """
    kinds = Counter(
        part.kind
        for feature in spec.features
        for part in walk(feature)
        if isinstance(part, Aggregate) and part.kind in log.kinds
    )
    if not kinds:
        raise DatasetError(
            f"The log holds no event that {spec.name!r} makes features of.",
            remedy="Compare the model's features with what there is: python -m features log",
        )
    [(kind, _)] = kinds.most_common(1)
    return log.kinds[kind].first


def grid_moments(spec: ModelSpec, label: Condition, log: EventLog, now: int) -> NDArray[np.int64]:
    """Return the moments at which every customer is judged, ascending; see `training_spine`."""
    wait = int(matures_at(label, grid(["any"], [0]), log.campaigns)[0])
    first = log_begins(spec, log) + clock.parse_duration(spec.history)
    moments = np.arange(now - wait, first - 1, -clock.parse_duration(spec.step))
    if len(moments) == 0:
        raise DatasetError(
            f"At {clock.to_iso(now)} no row of {spec.name!r} had matured: the first one has its "
            f"{spec.history} of history at {clock.to_iso(first)} and matures at "
            f"{clock.to_iso(first + wait)}.",
            remedy=f"Choose --as-of {clock.to_iso(first + wait)} or later.",
        )
    return moments[::-1]


def customer_ids(log: EventLog) -> NDArray[Any]:
    """Return every customer of the log once, sorted."""
    return np.array(sorted(set(log.customers.column("customer_id").to_pylist())), dtype=object)


def dataset_of(
    spec: ModelSpec,
    values: pd.DataFrame,
    spine: Spine,
    mature: NDArray[np.int64] | None = None,
) -> Dataset:
    """Return values that were computed for a spine as a dataset.

    Parameters
    ----------
    mature : ndarray of int64, optional
        When each label matured; None for rows without label, whose y is empty.
    """
    values = values.reset_index(drop=True)
    answered = isinstance(spec.label, Answer)
    context = {} if answered else spine.context
    rows = pd.DataFrame(
        {
            "row_id": spine.row_id,
            "customer_id": spine.customer_id,
            "as_of": spine.as_of,
            **({} if mature is None else {"matures_at": mature}),
            **context,
        }
    )
    X = values[list(spec.feature_names)]
    if spec.label is None or mature is None:
        return Dataset(X, pd.Series(dtype=np.int64, name="label"), rows)
    said = spine.context[ANSWER] if answered else values[spec.label.name].to_numpy()
    y = pd.Series(said.astype(np.int64), name=spec.label.name)
    return Dataset(X, y, rows, order_of(spec, spine))
