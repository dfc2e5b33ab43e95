"""Batch scores: Parquet for analysts, the score store for serving and lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import pandas as pd

from features.clock import to_iso
from features.frame import frame
from features.log import EventLog
from models.bundle import Bundle
from models.clusters import Clusters
from models.score import Scorer
from models.scores import ScoreRow, ScoreStore
from models.spec import ModelSpec
from models.trend import Earlier
from training.dataset import Compute, Dataset
from training.earlier import columns_of, earlier_of

ROWS_AT_ONCE = 20_000
REASONS = 3
BEST_OF_EACH = 10
"""Rows a customer in the store, where a customer has very many; the Parquet file has all."""


class Answering(Protocol):
    """Where a model's answers come from: this process, or many."""

    def answers(self, bundle: Bundle, X: pd.DataFrame) -> pd.DataFrame:
        """Return what `answers_of` returns."""
        ...

    def reasons(self, bundle: Bundle, X: pd.DataFrame) -> Iterator[list[dict[str, Any]]]:
        """Yield what `reasons_of` yields."""
        ...


@dataclass(frozen=True)
class Scored:
    """What batch scoring of one model wrote."""

    model: str
    version: str
    rows: int
    stored: int
    file: Path


def score(
    spec: ModelSpec,
    bundle: Bundle,
    data: Dataset,
    log: EventLog,
    store: ScoreStore,
    folder: Path,
    *,
    scored_at: int,
    engine: Answering | None = None,
    compute: Compute = frame,
) -> Scored:
    """Score rows, write them to `folder/MODEL.parquet` and replace the model's stored scores.

    Parameters
    ----------
    spec : ModelSpec
    bundle : Bundle
        The champion.
    data : Dataset
        As `training.scoring.rows_to_score` returns it.
    store : ScoreStore
    folder : Path
    scored_at : int
        Microseconds UTC.
    engine : Answering, optional
        By default this process.
    compute : callable
        `features.frame.frame`, or what computes the same elsewhere.

    Returns
    -------
    Scored
    """
    engine = engine or Here()
    answers = engine.answers(bundle, data.X)
    kept = stored_positions(spec, data, answers)
    reasons = dict(zip(kept.tolist(), engine.reasons(bundle, data.X.iloc[kept]), strict=True))
    version = bundle.spec.version
    context = [name for name in data.rows if name in spec.context]
    table = pd.concat([data.rows[["row_id", "customer_id", "as_of", *context]], answers], axis=1)
    table.insert(0, "model", spec.name)
    table.insert(1, "version", version)
    table["reasons"] = [
        json.dumps(reasons.get(i, []), ensure_ascii=False) for i in range(len(data))
    ]
    table["scored_at"], table["sequence"] = scored_at, log.sequence
    earlier: list[Earlier | None] = [None] * len(data)
    if spec.output == "probability":
        standing = store.standing(spec.name)
        earlier = earlier_of(spec, bundle, data, log, standing, compute, engine)
        table = table.assign(**columns_of(version, answers, earlier))
    file = folder / f"{spec.name}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    table.to_parquet(fresh, index=False)
    fresh.replace(file)
    rows = _rows(spec, version, data, answers, reasons, earlier, scored_at, log.sequence)
    stored = store.replace(spec.name, rows)
    return Scored(spec.name, version, len(data), stored, file)


def answers_of(bundle: Bundle, rows: pd.DataFrame) -> pd.DataFrame:
    """Return probability, margin, percentile, grade and abstention of each row, or its segment."""
    scorer = Scorer(bundle)
    parts: list[pd.DataFrame] = []
    for begin in range(0, max(len(rows), 1), ROWS_AT_ONCE):
        X = bundle.encoder.transform(rows.iloc[begin : begin + ROWS_AT_ONCE])
        if isinstance(bundle.engine, Clusters):
            names = np.array([segment.name for segment in bundle.spec.segments], dtype=object)
            parts.append(pd.DataFrame({"segment": names[bundle.engine.assign(X)]}))
        else:
            found = scorer.answers(X)
            parts.append(
                pd.DataFrame(
                    {
                        "probability": found.probability,
                        "margin": found.margin,
                        "percentile": found.percentile,
                        "grade": found.grade.astype(object),
                        "abstained": np.array(scorer.judge.rules(X), dtype=object),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def stored_positions(spec: ModelSpec, data: Dataset, answers: pd.DataFrame) -> np.ndarray:
    """Return the rows that go to the store: all, or the best few of each customer.

    Rows of a campaign are all kept, because a list is made for every campaign.
    """
    if "campaign_id" in spec.context or "margin" not in answers:
        return np.arange(len(data))
    order = np.lexsort((data.rows["row_id"].to_numpy(dtype=str), -answers["margin"].to_numpy()))
    ranks = data.rows["customer_id"].iloc[order].groupby(data.rows["customer_id"]).cumcount()
    best: np.ndarray = np.sort(order[ranks.to_numpy() < BEST_OF_EACH])
    return best


def reasons_of(bundle: Bundle, rows: pd.DataFrame) -> Iterator[list[dict[str, Any]]]:
    """Yield the most important reasons of each row; of a segment there are none."""
    if isinstance(bundle.engine, Clusters):
        yield from ([] for _ in range(len(rows)))
        return
    scorer = Scorer(bundle)
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        part = rows.iloc[begin : begin + ROWS_AT_ONCE]
        raw = list(zip(*(part[name].tolist() for name in part), strict=True))
        for reasons in scorer.reasons(raw, bundle.encoder.transform(part), REASONS):
            yield msgspec.to_builtins(reasons)


class Here:
    """Answers of this process."""

    def answers(self, bundle: Bundle, X: pd.DataFrame) -> pd.DataFrame:
        """Return what `answers_of` returns."""
        return answers_of(bundle, X)

    def reasons(self, bundle: Bundle, X: pd.DataFrame) -> Iterator[list[dict[str, Any]]]:
        """Yield what `reasons_of` yields."""
        return reasons_of(bundle, X)


def _rows(
    spec: ModelSpec,
    version: str,
    data: Dataset,
    answers: pd.DataFrame,
    reasons: dict[int, list[dict[str, Any]]],
    earlier: list[Earlier | None],
    scored_at: int,
    sequence: int,
) -> Iterator[ScoreRow]:
    columns = {str(name): answers[name].tolist() for name in answers}
    context = {name: data.rows[name].tolist() for name in spec.context if name in data.rows}
    customers, ids = data.rows["customer_id"].tolist(), data.rows["row_id"].tolist()
    as_of = data.rows["as_of"].tolist()
    for i, why in reasons.items():
        yield ScoreRow(
            model=spec.name,
            version=version,
            customer_id=customers[i],
            row_id=ids[i],
            as_of=as_of[i],
            scored_at=scored_at,
            sequence=sequence,
            context={name: values[i] for name, values in context.items()},
            reasons=why,
            earlier=earlier[i],
            **{name: values[i] for name, values in columns.items()},
        )


def summary(scored: Scored, now: int) -> str:
    """Return what was scored in a line."""
    return (
        f"{scored.model} v{scored.version}: {scored.rows:,} rows as of {to_iso(now)}, "
        f"{scored.stored:,} of them stored for serving; {scored.file}"
    )
