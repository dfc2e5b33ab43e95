"""From a dataset to a judged model: backtest, choice of engine, fit, verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.finding import Finding
from models.ranking import auc
from models.spec import ModelSpec
from training.backtest import Origin, backtest, better_engine, origin
from training.candidates import TREES, Step, fit_candidates, judge_all
from training.crossfit import engine_out_of_fold, judge_out_of_fold
from training.dataset import Dataset
from training.evaluate import Evaluation, Judgement, compare
from training.fit import Fitting
from training.holdout import in_folds, slicing_of, splits
from training.leaks.scan import scan, too_good
from training.scorecard import SCORECARD
from training.small_data import TooLittleDataError, check_grade, fit_few, grade_of
from training.split import Split, SplitError

__all__ = ["Learned", "TooLittleDataError", "learn", "slicing_of"]

NO_TIME = "no date puts its rows in order"
TOO_SHORT = "its rows leave no later part with both answers"
TOO_FEW = "a part held back would leave too few answers to learn from"


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
    mode : {"full", "scorecard"}
        What the answers were enough for.
    until_next : str
        "640 more answers until the full model, 40 of them positive"; empty for the full model.
    findings : tuple of Finding
        What looks like a leak; severe ones stop promotion.
    """

    spec: ModelSpec
    data: Dataset
    split: Split
    evaluation: Evaluation
    origins: tuple[Origin, ...]
    choice: str
    mode: Literal["full", "scorecard"] = "full"
    until_next: str = ""
    findings: tuple[Finding, ...] = ()

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
        There are fewer answers than a scorecard asks for.
    SplitError
        There is one answer only.
    """
    y = data.y.to_numpy()
    check_grade(spec, y)
    latest, *before = _splits(spec, data, how.random_state)
    step("leaks")
    later = None if latest.kind == "folds" else latest.test
    findings = scan(spec, data, latest.train, later, random_state=how.random_state)
    grade = grade_of(spec, y[latest.train])
    full = grade.mode == "full"
    fit = fit_candidates if full else fit_few
    fitted = fit(spec, data, latest, how, step)
    settled = how.after(fitted[0])
    customers = data.rows["customer_id"].to_numpy()[latest.test]
    origins: list[Origin] = []
    if latest.kind == "folds":
        judged = judge_out_of_fold(spec, data, latest, fitted, settled, step, fit)
        engine, choice = engine_out_of_fold(y[latest.test], customers, judged)
    else:
        earlier = [s for s in before[::-1] if grade_of(spec, y[s.train]).mode == grade.mode]
        origins = backtest(spec, data, earlier, settled, step, fit)
        # Only what had matured before the verdict's rows begin may choose between the engines.
        matures_at = data.rows["matures_at"].to_numpy()
        known = [matures_at[split.test].max() <= latest.begins for split in earlier]
        engine, choice = better_engine([e for e, k in zip(origins, known, strict=True) if k])
        step("evaluate")
        judged = judge_all(spec, data, latest, fitted, resamples=500, random_state=how.random_state)
    if not full:
        engine, choice = SCORECARD, f"There are few answers, hence a scorecard: {grade.until_next}."
    model = next(each for each in judged if each.name == engine)
    baselines = [each for each in judged if each.name not in (engine, TREES)]
    rivals = [each for each in judged if each.name == TREES != engine]
    evaluation = compare(
        y[latest.test], customers, model, baselines, rivals, random_state=how.random_state
    )
    everything = (*origins, origin(data, latest, judged))
    mode: Literal["full", "scorecard"] = "full" if full else "scorecard"
    found = (*findings, *too_good(spec, auc(evaluation.y, model.p)))
    return Learned(
        spec, data, latest, evaluation, everything, choice, mode, grade.until_next, found
    )


def _splits(spec: ModelSpec, data: Dataset, random_state: int) -> list[Split]:
    """How the rows are judged, the latest split first; in folds where time does not tell."""
    try:
        found = splits(spec, data)
    except SplitError:
        return [in_folds(data, random_state, TOO_SHORT)]
    if not found:
        return [in_folds(data, random_state, NO_TIME)]
    if grade_of(spec, data.y.to_numpy()[found[0].train]).mode == "insufficient":
        return [in_folds(data, random_state, TOO_FEW)]
    return found
