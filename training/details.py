"""The tables of a card for those who want to know how: metrics, backtest, gate, findings, facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.bootstrap import Estimate
from models.spec import ModelSpec
from training.backtest import MOST_ROWS
from training.card import Table, percent
from training.evaluate import Judgement
from training.grading import Grading
from training.learn import Learned
from training.origins import Origins, from_to
from training.report import findings

METRIC_WORDS = {
    "log_loss": "log loss (lower is better)",
    "auc": "AUC",
    "average_precision": "average precision",
    "brier": "Brier score (lower is better)",
    "calibration_slope": "calibration slope (1 is ideal)",
    "calibration_intercept": "calibration intercept (0 is ideal)",
    "ece": "expected calibration error",
    "lift_at_10": "lift in the top 10 %",
    "silhouette": "silhouette",
    "stability": "share of customers who keep their segment",
}
MOVERS = 10
ROWS_EXPLAINED = 2_000


def movers(learned: Learned, shown: Judgement) -> Table:
    """Return the features that move the scores most, in words, with their share of the moving."""
    X = shown.fitted.encoder.transform(
        learned.data.X.iloc[learned.split.test].iloc[:ROWS_EXPLAINED]
    )
    weights = np.abs(shown.fitted.engine.contributions(X)[:, :-1]).mean(axis=0)
    total = float(weights.sum())
    order = [i for i in np.argsort(-weights, kind="stable")[:MOVERS] if weights[i] > 0]
    rows = [
        (learned.spec.feature_words(learned.spec.features[i], "en"), percent(weights[i] / total))
        for i in order
    ]
    note = "" if rows else "Nothing: everyone gets the same probability."
    return Table("What moves the score", ("feature", "share"), rows, note)


def metric_table(learned: Learned) -> Table:
    """Return model and baselines on the latest slice, every metric with its 95 % interval."""
    judged = learned.evaluation.everyone
    header = ("metric", *(each.name for each in judged))
    rows = [
        (METRIC_WORDS.get(name, name), *(cell(each.metrics[name]) for each in judged))
        for name in learned.spec.metrics
    ]
    note = (
        f"{learned.evaluation.verdict()} {' '.join(learned.evaluation.calibration())} "
        f"{len(learned.evaluation.y):,} rows with {int(learned.evaluation.y.sum()):,} positives, "
        f"judged as of {from_to(learned.split.begins, learned.split.ends)}; 95 % intervals from "
        "resampling customers."
    )
    return Table("On the judged rows", header, rows, note)


def backtest_table(learned: Learned) -> Table:
    """Return the candidates at every origin, the latest slice last."""
    names = list(learned.origins[0].losses)
    header = ("judged as of", "rows", "positives", *(f"log loss: {n}" for n in names), "AUC")
    rows = []
    for origin in learned.origins:
        aucs = {each.name: each.metrics.get("auc") for each in origin.judged}
        found = aucs[learned.evaluation.model.name]
        rows.append(
            (
                from_to(origin.begins, origin.ends),
                f"{origin.rows:,}",
                f"{origin.positives:,}",
                *(f"{origin.losses[name] / origin.rows:.4f}" for name in names),
                "" if found is None else cell(found),
            )
        )
    note = (
        f"{learned.choice} Earlier slices learn from at most {MOST_ROWS:,} rows, with the number "
        "of trees of the latest."
    )
    return Table("Rolling-origin backtest", header, rows, note)


def feature_table(spec: ModelSpec) -> Table:
    """Return the features by name, with their words and unit."""
    rows = [(f.name, spec.feature_words(f, "en"), f.unit) for f in spec.features]
    return Table("Features", ("name", "in words", "unit"), rows)


def cell(estimate: Estimate) -> str:
    """Return an estimate for a table; a metric that is not defined is a dash."""
    return "-" if estimate.value is None else str(estimate)


def gate_table(decision: Mapping[str, Any]) -> Table:
    """Return the guard rails of promotion one by one, and what decided."""
    rows = [
        (rail["name"], "held" if rail["passed"] else "broken", rail["words"])
        for rail in decision.get("rails", ())
    ]
    return Table("The gate", ("guard rail", "result", "what was seen"), rows, decision["reason"])


def finding_table(learned: Learned) -> Table:
    """Return what looked wrong with the columns; severe findings stop promotion."""
    found = findings(learned)
    rows = [
        (
            each.column or "the model",
            each.kind,
            "cleared" if each.cleared else each.severity,
            each.evidence,
            f"Nothing; cleared: {each.cleared}" if each.cleared else each.remedy,
        )
        for each in found
    ]
    header = ("column", "what was looked for", "how bad", "what was seen", "what to do")
    note = "" if rows else "Nothing was found."
    return Table("Leaks looked for", header, rows, note)


def grade_table(graded: Grading) -> Table:
    """Return promise and outcome by grade."""
    rows = [
        (
            each.grade,
            percent(each.least) if each.least else "all others",
            f"{each.rows:,} ({percent(each.share)})",
            f"{percent(each.expected)} ({percent(each.low)} to {percent(each.high)})",
            f"{percent(each.actual)} ({each.positives:,})",
            "as said" if each.kept else "not as said",
        )
        for each in graded.checks
    ]
    header = ("grade", "from", "rows", "we said", "it was (yes)", "so it was")
    return Table("Promise and outcome by grade", header, rows, cut_words(graded))


def cut_words(graded: Grading) -> str:
    """Return where the grades' cut points come from."""
    if graded.kept_from:
        return (
            f"The cut points are those of version {graded.kept_from}, so that no grade changes "
            "because a model was trained again."
        )
    return (
        "The grades were cut on the judged rows: A is the top tenth, B the next fifth, C the next "
        "three tenths, as closely as equal probabilities allow. Later versions keep these cut "
        "points."
    )


def fact_table(learned: Learned, where: Origins, shown: Judgement) -> Table:
    """Return how the model was made."""
    data, train = learned.data, learned.split.train
    rows = data.rows.iloc[train]
    facts = [
        ("training rows", f"{len(train):,} with {int(data.y.to_numpy()[train].sum()):,} positives"),
        ("training customers", f"{rows['customer_id'].nunique():,}"),
        ("trained as of", from_to(int(rows["as_of"].min()), int(rows["as_of"].max()))),
        ("how it was judged", learned.split.words()),
        ("mode", learned.mode),
        ("engine", engine_words(shown)),
        *((key.replace("_", " "), _said(value)) for key, value in shown.fitted.notes.items()),
        *where.facts(),
    ]
    return Table("How it was made", ("fact", "value"), facts)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:.4f}" for name, number in value.items())
    return str(value)


def engine_words(shown: Judgement) -> str:
    """Return what computes the score: "LightGBM, 120 trees", or the baseline's name."""
    notes = shown.fitted.notes
    if "trees" not in notes:
        return shown.name
    share = notes.get("linear_share", 0.0)
    beside = f", {share:.0%} logistic" if share else ""
    return f"LightGBM, {notes['trees']} trees{beside}"
