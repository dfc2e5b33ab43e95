"""From a dataset to a judged model: backtest, choice of engine, fit, verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.errors import NextbestError
from models.spec import ModelSpec
from training.backtest import Origin, backtest, better_engine, origin
from training.candidates import TREES, Step, fit_candidates, judge_all
from training.crossfit import engine_out_of_fold, judge_out_of_fold
from training.dataset import Dataset
from training.evaluate import Evaluation, Judgement, compare
from training.fit import Fitting
from training.holdout import in_folds, slicing_of, splits
from training.split import Split, SplitError

__all__ = ["Learned", "TooLittleDataError", "check_minimum", "learn", "slicing_of"]

NO_TIME = "no date puts its rows in order"
TOO_SHORT = "its rows leave no later part with both answers"


class TooLittleDataError(NextbestError):
    """Fewer rows or positives than the model's spec asks for."""


@dataclass(frozen=True)
class Learned:
    """A model, judged on rows it did not learn from: later ones, where time is known.

    Attributes
    ----------
    spec : ModelSpec
    data : Dataset
    split : Split
        The latest one; `split.words()` says how the rows were judged.
    evaluation : Evaluation
        On the judged rows: the chosen engine as the model. Where that is a declared baseline,
        the trees are its rivals and the other baselines what it has to beat.
    origins : tuple of Origin
        In order of time; the last one is the latest slice. With folds there is one: all rows.
    choice : str
        Why this engine, in a sentence.
    """

    spec: ModelSpec
    data: Dataset
    split: Split
    evaluation: Evaluation
    origins: tuple[Origin, ...]
    choice: str

    @property
    def base_rate(self) -> float:
        """Share of positives among the training rows."""
        return float(self.data.y.to_numpy()[self.split.train].mean())

    def candidate(self, name: str) -> Judgement:
        """Return the candidate of a name, model or baseline."""
        return next(judged for judged in self.evaluation.everyone if judged.name == name)


def learn(spec: ModelSpec, data: Dataset, how: Fitting, step: Step) -> Learned:
    """Return the judged model.

    Raises
    ------
    TooLittleDataError
        The training rows or their positives are fewer than `spec.minimum`.
    SplitError
        There is one answer only.
    """
    y = data.y.to_numpy()
    check_minimum(spec, len(data), int(y.sum()))
    latest, *before = _splits(spec, data, how.random_state)
    check_minimum(spec, len(latest.train), int(y[latest.train].sum()))
    fitted = fit_candidates(spec, data, latest, how, step)
    settled = replace(how, trees=fitted[0].notes["trees"])
    customers = data.rows["customer_id"].to_numpy()[latest.test]
    if latest.kind == "folds":
        judged = judge_out_of_fold(spec, data, latest, fitted, settled, step, fit_candidates)
        engine, choice = engine_out_of_fold(y[latest.test], customers, judged)
        origins = []
    else:
        earlier = [split for split in before[::-1] if _enough(spec, y, split)]
        origins = backtest(spec, data, earlier, settled, step)
        # Only what had matured before the verdict's rows begin may choose between the engines.
        matures_at = data.rows["matures_at"].to_numpy()
        known = [matures_at[split.test].max() <= latest.begins for split in earlier]
        engine, choice = better_engine([e for e, k in zip(origins, known, strict=True) if k])
        step("evaluate")
        judged = judge_all(spec, data, latest, fitted, resamples=500, random_state=how.random_state)
    model = next(each for each in judged if each.name == engine)
    baselines = [each for each in judged if each.name not in (engine, TREES)]
    rivals = [each for each in judged if each.name == TREES != engine]
    evaluation = compare(
        y[latest.test], customers, model, baselines, rivals, random_state=how.random_state
    )
    everything = (*origins, origin(data, latest, judged))
    return Learned(spec, data, latest, evaluation, everything, choice)


def _splits(spec: ModelSpec, data: Dataset, random_state: int) -> list[Split]:
    """How the rows are judged, the latest split first; in folds where time does not tell."""
    try:
        found = splits(spec, data)
    except SplitError:
        return [in_folds(data, random_state, TOO_SHORT)]
    return found or [in_folds(data, random_state, NO_TIME)]


def check_minimum(spec: ModelSpec, rows: int, positives: int) -> None:
    """Refuse to learn from fewer rows or positives than the spec asks for.

    Raises
    ------
    TooLittleDataError
    """
    if rows < spec.minimum.rows or positives < spec.minimum.positives:
        raise TooLittleDataError(
            f"{spec.name!r} has {rows:,} mature training rows with {positives:,} positives; it "
            f"asks for {spec.minimum.rows:,} and {spec.minimum.positives:,}.",
            remedy="Ingest a longer history, or train with a later --as-of.",
        )


def _enough(spec: ModelSpec, y: np.ndarray, split: Split) -> bool:
    return (
        len(split.train) >= spec.minimum.rows
        and int(y[split.train].sum()) >= spec.minimum.positives
    )
