"""Scores of a file of rows, by the champion: for people whom the log may never have seen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.company import Company, TableAttribute
from features.errors import BadInputError, NextbestError
from features.feature import Attribute, DaysSince
from features.frame import frame
from features.kernel import NULL
from features.kernel.finalise import DAY
from features.log import EventLog
from features.progress import Report, silent
from features.sources.company_tables.rows import Rows, read_rows
from features.spine import Spine
from models.bundle import Bundle
from models.clusters import Clusters
from models.score import Scorer
from models.sheet import to_csv
from models.spec import ModelSpec
from training.dataset import Compute

PROBABILITY = ("key", "probability", "score", "grade", "percentile", "low", "high")
SEGMENT = ("key", "segment")


class PredictError(NextbestError):
    """Rows of a file that a model cannot be asked about."""


class Predicted(NamedTuple):
    """The answers for a file, row by row as it lists them."""

    header: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def predict(
    spec: ModelSpec,
    champion: Bundle,
    log: EventLog,
    file: Path,
    now: int,
    *,
    report: Report = silent,
    compute: Compute = frame,
) -> Predicted:
    """Return a model's answers for the rows of a file.

    Attributes come from the file, read as the company's table was. Events are those that the log
    holds of a row's key; a row that nothing is known of has none. A row is judged when the rows
    that were learned from were: just after it became known if the model learned from a column's
    answers and the file says when that was, else now.

    Parameters
    ----------
    spec : ModelSpec
        Of the log's company.
    champion : Bundle
    log : EventLog
    file : Path
        .csv, .csv.gz or .parquet.
    now : int
        Microseconds UTC.

    Raises
    ------
    PredictError
        The log was not made from a company's own tables.
    BadInputError
        The file lacks a column, or a value is not of its column's type.
    """
    company = log.company
    if company is None:
        raise PredictError(
            f"{log.source.name!r} has no table of customers whose columns a file could have.",
            remedy="Ingest a company's own tables (docs/your-own-data.md), or score everyone: "
            "python -m training score",
        )
    read = {each.feature.name: each for each in company.attributes}
    wanted = [read[feature.name] for feature in spec.features if feature.name in read]
    judged = _judged_at(spec, company)
    rows = read_rows(file, company, log.source.timezone, wanted, judged, report)
    X = _features(spec, log, rows, wanted, _as_of(rows, judged, now), compute)
    keys = [str(n + 1) for n in range(len(X))] if rows.keys is None else rows.keys.tolist()
    return _answers(champion, X, keys)


def write(out: Path, found: Predicted) -> None:
    """Write answers as CSV; no text in it can become a formula.

    Raises
    ------
    BadInputError
        The file cannot be written.
    """
    try:
        out.write_text(to_csv(found.header, found.rows), encoding="utf-8", newline="")
    except OSError as error:
        raise BadInputError(
            f"{out} cannot be written: {error.strerror}.", remedy="Choose another --out."
        ) from error


def _judged_at(spec: ModelSpec, company: Company) -> list[str]:
    """Return the column whose moments rows are judged at; none where that is now."""
    answer = company.answer(spec.name)
    return [] if answer is None else [answer.judged_at or company.known_at]


def _as_of(rows: Rows, judged: Iterable[str], now: int) -> NDArray[np.int64]:
    as_of = np.full(rows.number, now, dtype=np.int64)
    for column in judged:
        if column in rows.moments:
            told = rows.moments[column]
            as_of = np.where(told == NULL, as_of, told + 1)
    return as_of


def _features(
    spec: ModelSpec,
    log: EventLog,
    rows: Rows,
    wanted: Iterable[TableAttribute],
    as_of: NDArray[np.int64],
    compute: Compute,
) -> pd.DataFrame:
    numbered = np.array([f"row {n + 1}" for n in range(rows.number)], dtype=object)
    who = numbered if rows.keys is None else np.where(rows.keys == None, numbered, rows.keys)  # noqa: E711
    # The log's own attributes of a known customer may be older than the file's.
    folded = [f for f in spec.features if not isinstance(f, Attribute | DaysSince)]
    columns: dict[str, Any] = {}
    if folded:
        values = compute(log, Spine("customer", numbered, who, as_of), folded)
        columns = {str(name): values[name].to_numpy() for name in values}
    for each in wanted:
        given = rows.attributes[each.name]
        since = each.kind == "datetime"
        columns[each.feature.name] = (as_of - given) / DAY if since else given
    held = {
        name: pd.Series(columns[name], dtype=columns[name].dtype) for name in spec.feature_names
    }
    return pd.DataFrame(held)


def _answers(champion: Bundle, X: pd.DataFrame, keys: list[Any]) -> Predicted:
    encoded = champion.encoder.transform(X)
    if isinstance(champion.engine, Clusters):
        names = [segment.name for segment in champion.spec.segments]
        labels = champion.engine.assign(encoded)
        return Predicted(SEGMENT, [(key, names[n]) for key, n in zip(keys, labels, strict=True)])
    found = Scorer(champion).answers(encoded)
    columns: list[list[Any]] = [
        keys,
        np.round(found.probability, 6).tolist(),
        found.score.tolist(),
        found.grade.tolist(),
        found.percentile.tolist(),
    ]
    table = champion.intervals  # what was published earlier has none
    if table is None:
        columns += [[None] * len(keys)] * 2
    else:
        columns += [np.round(end, 6).tolist() for end in table.of(found.margin)]
    return Predicted(PROBABILITY, list(zip(*columns, strict=True)))
