"""From a dataset to a judged model: backtest, choice of engine, fit, verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.clock import parse_duration
from features.errors import NextbestError
from models.spec import ModelSpec
from training.backtest import Origin, backtest, better_engine, origin
from training.candidates import TREES, Step, fit_candidates, judge_all
from training.dataset import Dataset
from training.evaluate import Evaluation, Judgement, compare
from training.fit import Fitting
from training.split import Slicing, Split, rolling


class TooLittleDataError(NextbestError):
    """Fewer rows or positives than the model's spec asks for."""


@dataclass(frozen=True)
class Learned:
    """A model, judged on rows later than any it learned from.

    Attributes
    ----------
    spec : ModelSpec
    data : Dataset
    split : Split
        The latest one.
    evaluation : Evaluation
        On the latest slice: the chosen engine as the model. Where that is a declared baseline,
        the trees are its rivals and the other baselines what it has to beat.
    origins : tuple of Origin
        In order of time; the last one is the latest slice.
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


def slicing_of(spec: ModelSpec) -> Slicing:
    """Return how a model's evaluation slices are cut: `spec.slice` wide, one behind the other.

    Rows with moments of their own reach further back until there are enough positives. A customer
    may have several rows in a slice; intervals are over customers.
    """
    width = parse_duration(spec.slice)
    positives = 0 if spec.spine is None else spec.minimum.positives
    return Slicing(width=width, every=width, positives=positives)


def learn(spec: ModelSpec, data: Dataset, how: Fitting, step: Step) -> Learned:
    """Return the judged model.

    Raises
    ------
    TooLittleDataError
        The training rows or their positives are fewer than `spec.minimum`.
    SplitError
        No moment leaves both answers before and after it.
    """
    check_minimum(spec, len(data), int(data.y.sum()))
    as_of, matures_at = (data.rows[name].to_numpy() for name in ("as_of", "matures_at"))
    y = data.y.to_numpy()
    splits = rolling(as_of, matures_at, y, slicing_of(spec), slices=1 + spec.backtests)
    latest = splits[0]
    check_minimum(spec, len(latest.train), int(y[latest.train].sum()))
    fitted = fit_candidates(spec, data, latest, how, step)
    earlier = [s for s in splits[1:] if _enough(spec, y, s)]
    settled = replace(how, trees=fitted[0].notes["trees"])
    origins = backtest(spec, data, earlier[::-1], settled, step)
    # Only what had matured before the verdict's rows begin may choose between the engines.
    known = [matures_at[split.test].max() <= latest.begins for split in earlier[::-1]]
    engine, choice = better_engine([each for each, k in zip(origins, known, strict=True) if k])
    step("evaluate")
    judged = judge_all(spec, data, latest, fitted, resamples=500, random_state=how.random_state)
    customers = data.rows["customer_id"].to_numpy()[latest.test]
    model = next(each for each in judged if each.name == engine)
    baselines = [each for each in judged if each.name not in (engine, TREES)]
    rivals = [each for each in judged if each.name == TREES != engine]
    evaluation = compare(
        y[latest.test], customers, model, baselines, rivals, random_state=how.random_state
    )
    everything = (*origins, origin(data, latest, judged))
    return Learned(spec, data, latest, evaluation, everything, choice)


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
