"""What the card of a probability model says, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from features.clock import to_iso
from features.feature import Condition
from features.source import Source
from models.answer import Answer
from models.bootstrap import Estimate
from models.spec import ModelSpec
from training import plots
from training.backtest import MOST_ROWS
from training.candidates import TREES
from training.card import Card, Table, percent
from training.evaluate import Judgement
from training.learn import Learned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


@dataclass(frozen=True)
class Origins:
    """Where a run comes from: the same for every model of one log.

    Attributes
    ----------
    source : Source
    fingerprint : str
        Of the log.
    now, trained_at : int
        The present moment of the data and of the machine, microseconds UTC.
    commit : str
        Of the code.
    random_state : int
    """

    source: Source
    fingerprint: str
    now: int
    trained_at: int
    commit: str
    random_state: int = 0


def horizon_words(label: Condition | Answer | None) -> str:
    """Return within what time the answer comes true.

    Examples
    --------
    >>> from features.declare import campaign, events
    >>> horizon_words(events("order").none(next="28d"))
    '28d'
    >>> horizon_words(events("redemption").any(until=campaign("ends_at")))
    'until the campaign ends'
    """
    if label is None:
        return ""
    if isinstance(label, Answer):
        return "when it is decided"
    window = label.count.window
    if window.next is not None:
        return window.next
    subject, _, moment = (window.until or "").partition(".")
    words = {"ends_at": "ends", "starts_at": "starts"}.get(moment, moment)
    return f"until the {subject} {words}".strip()


def probability_card(learned: Learned, where: Origins, published: str, reason: str) -> Card:
    """Return the card of a probability model.

    Parameters
    ----------
    learned : Learned
    where : Origins
    published : str
        Name of the candidate in the bundle: the engine chosen, or a baseline in its place.
    reason : str
        The gate's.
    """
    spec = learned.spec
    shown = learned.candidate(published)
    return Card(
        title=f"{spec.name}: {published}",
        question=spec.question,
        short=_short(learned, shown, reason),
        front=[movers(learned, shown)],
        statements=where.source.statements,
        details=[
            metric_table(learned),
            backtest_table(learned),
            _facts(learned, where, shown),
            feature_table(spec),
        ],
        plots=[(name, plots.png(figure)) for name, figure in figures(learned, shown).items()],
    )


def figures(learned: Learned, shown: Judgement) -> dict[str, Figure]:
    """Return the plots of a run by name."""
    y, p = learned.evaluation.y, shown.p
    names = list(learned.origins[0].losses)
    losses = {
        name: [origin.losses[name] / origin.rows for origin in learned.origins] for name in names
    }
    dates = [to_iso(origin.begins)[:10] for origin in learned.origins]
    return {
        "gain": plots.gain(y, p, act=learned.spec.act),
        "lift": plots.lift(y, p),
        "calibration": plots.calibration(y, p),
        "backtest": plots.backtest(dates, losses, model=shown.name),
    }


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
        f"{len(learned.evaluation.y):,} rows with {int(learned.evaluation.y.sum()):,} positives, "
        f"judged as of {_from_to(learned.split.begins, learned.split.ends)}; 95 % intervals from "
        "resampling customers."
    )
    return Table("On the latest slice", header, rows, note)


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
                _from_to(origin.begins, origin.ends),
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


def source_facts(where: Origins) -> list[tuple[str, str]]:
    """Return where a run comes from, for the table of facts."""
    return [
        ("data known until", to_iso(where.now)),
        ("trained at", to_iso(where.trained_at)),
        ("source", where.source.name),
        ("data fingerprint", where.fingerprint),
        ("code", where.commit),
        ("random state", str(where.random_state)),
    ]


def cell(estimate: Estimate) -> str:
    """Return an estimate for a table; a metric that is not defined is a dash."""
    return "-" if estimate.value is None else str(estimate)


def _short(learned: Learned, shown: Judgement, reason: str) -> Sequence[str]:
    spec, evaluation = learned.spec, learned.evaluation
    rate = percent(float(evaluation.y.mean()))
    horizon = horizon_words(spec.label)
    within = f"within {horizon}" if horizon.endswith("d") else horizon
    sentences = [
        f"It gives each {spec.entity} the probability that the customer {spec.act} ({within}). On "
        f"average that is true for {rate}.",
        *([] if evaluation.model.name == TREES else [learned.choice]),
        evaluation.verdict(),
    ]
    if shown.name != evaluation.model.name:
        sentences.append(f"Therefore the baseline itself is what is published: {shown.name}.")
    lift = shown.metrics.get("lift_at_10")
    if lift is not None and lift.value is not None:
        sentences.append(
            f"Among the tenth with the highest scores it is {lift.value:.1f} times as frequent as "
            f"on average (95 % interval {lift.low:.1f} to {lift.high:.1f})."
        )
    return [*sentences, *_calibration(learned, shown), reason]


def _calibration(learned: Learned, shown: Judgement) -> list[str]:
    if shown.name == learned.evaluation.model.name:
        return learned.evaluation.calibration()
    return [
        f"{METRIC_WORDS[name]}: {cell(shown.metrics[name])}."
        for name in ("calibration_slope", "calibration_intercept")
        if name in shown.metrics
    ]


def _facts(learned: Learned, where: Origins, shown: Judgement) -> Table:
    data, train = learned.data, learned.split.train
    rows = data.rows.iloc[train]
    facts = [
        ("training rows", f"{len(train):,} with {int(data.y.to_numpy()[train].sum()):,} positives"),
        ("training customers", f"{rows['customer_id'].nunique():,}"),
        ("trained as of", _from_to(int(rows["as_of"].min()), int(rows["as_of"].max()))),
        ("engine", engine_words(shown)),
        *((key.replace("_", " "), _said(value)) for key, value in shown.fitted.notes.items()),
        *source_facts(where),
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
    beside = f", and logistic regression with {share:.0%} of the say" if share else ""
    return f"LightGBM, {notes['trees']} trees{beside}"


def _from_to(begins: int, ends: int) -> str:
    first, last = to_iso(begins)[:10], to_iso(ends)[:10]
    return first if first == last else f"{first} to {last}"
