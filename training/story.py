"""Page one of a probability model's card: what a marketer needs to know before using a grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.card import Card, Section, Table, percent
from training.details import (
    backtest_table,
    fact_table,
    feature_table,
    finding_table,
    gate_table,
    grade_table,
    metric_table,
    movers,
)
from training.evaluate import Judgement
from training.grading import GradeCheck, Grading
from training.learn import Learned
from training.origins import Origins, within_words
from training.pictures import detail_pictures, gain_picture, grade_picture, reached
from training.warn import warnings

PLURALS = {
    "customer": "customers",
    "lead": "leads",
    "impression": "impressions",
    "opportunity": "opportunities",
}
ADVICE = {
    True: {
        "A": "Contact them first: nobody is likelier.",
        "B": "Contact them next, while budget and patience last.",
        "C": "Contact them only where a contact costs next to nothing.",
        "D": "Leave them out: most of what is spent here is spent for nothing.",
    },
    False: {
        "A": "Look at them first: they are the likeliest to be lost. An offer pays where the "
        "customer is worth more than it costs.",
        "B": "Watch them, and put right what they complain of; keep costly offers for grade A.",
        "C": "Treat them as usual.",
        "D": "Leave them alone: hardly any is about to go, and a discount would be given away.",
    },
}


def probability_card(
    learned: Learned, where: Origins, published: str, decision: Mapping[str, Any], graded: Grading
) -> Card:
    """Return the card of a probability model.

    Parameters
    ----------
    learned : Learned
    where : Origins
    published : str
        Name of the candidate in the bundle: the engine chosen, or a baseline in its place.
    decision : mapping
        The gate's, as plain values.
    graded : Grading
    """
    shown = learned.candidate(published)
    did = did_words(learned)
    return Card(
        title=f"Model card: {learned.spec.name}",
        question=learned.spec.question,
        short=_short(learned, shown, decision),
        warnings=warnings(learned, shown, decision, graded),
        front=[
            Section(
                "How often it is right",
                grade_sentences(graded.checks, PLURALS[learned.spec.entity], did),
                [grade_picture(graded, did), gain_picture(learned, shown, did)],
            ),
            _advice(learned, graded),
            Section("When not to use it", _not_for(learned, shown)),
            movers(learned, shown),
        ],
        statements=[*where.source.statements, *_limits(learned), *_drawn(where)],
        plots=detail_pictures(learned, shown, graded),
        details=[
            grade_table(graded),
            metric_table(learned),
            gate_table(decision),
            backtest_table(learned),
            finding_table(learned),
            fact_table(learned, where, shown),
            feature_table(learned.spec),
        ],
    )


def did_words(learned: Learned) -> str:
    """Return what those did for whom the answer was yes."""
    return learned.spec.did or "did so"


def grade_sentences(checks: Sequence[GradeCheck], plural: str, did: str) -> list[str]:
    """Return one sentence a grade, in counts of a hundred, or of more where it happens rarely.

    Examples
    --------
    >>> check = GradeCheck("A", 0.2, 500, 155, 0.1, 0.314, 0.281, 0.349, 0.31)
    >>> grade_sentences([check], "customers", "bought")
    ['Of 100 customers graded A, 31 bought; we said 28 to 35.']
    """
    rates = [rate for each in checks for rate in (each.expected, each.actual) if rate > 0]
    of = next((n for n in (100, 1_000) if min(rates, default=1.0) * n >= 1), 10_000)
    return [_grade_sentence(each, of, plural, did) for each in checks]


def _grade_sentence(check: GradeCheck, of: int, plural: str, did: str) -> str:
    low, high = round(of * check.low), round(of * check.high)
    range_ = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    said = (
        f"Of {of:,} {plural} graded {check.grade}, {round(of * check.actual):,} {did}; we said "
        f"{range_}"
    )
    if check.rows < of:
        said += f" (there were {check.rows:,}, of whom {check.positives:,})"
    if check.kept:
        return f"{said}."
    return f"{said}. That is {'more' if check.actual > check.high else 'fewer'} than we said."


def _short(learned: Learned, shown: Judgement, decision: Mapping[str, Any]) -> list[str]:
    spec, evaluation = learned.spec, learned.evaluation
    sentences = [
        f"It gives each {spec.entity} the probability that the customer {spec.act} "
        f"({within_words(spec.label)}), and a grade from A, the likeliest, to D. On average that "
        f"is true for {percent(float(evaluation.y.mean()))}.",
        f"Contact the best fifth, and you reach {percent(reached(evaluation.y, shown.p, 0.2))} of "
        f"those who {did_words(learned)}.",
    ]
    lift = shown.metrics.get("lift_at_10")
    if lift is not None and lift.value is not None:
        sentences.append(
            f"Among the tenth with the highest scores it is {lift.value:.1f} times as frequent as "
            f"on average (95 % interval {lift.low:.1f} to {lift.high:.1f})."
        )
    if evaluation.beats:
        sentences.append(
            f"It comes closer to what happened than {evaluation.best_baseline.name}, the best of "
            f"{len(evaluation.baselines)} simpler ways, on the same rows."
        )
    sentences.append(learned.split.words())
    if decision.get("serves"):
        sentences.append("It serves: the gate let it pass.")
    return sentences


def _advice(learned: Learned, graded: Grading) -> Table:
    words = ADVICE[learned.spec.positive_is_good]
    rows = [
        (
            each.grade,
            f"from {percent(each.least)}" if each.least else "all others",
            percent(each.share),
            words[each.grade],
        )
        for each in graded.checks
    ]
    note = (
        "A grade says how likely it is, not whether a contact changes it. Where value, cost and "
        "consent are known, the prospect list weighs them; do not weigh them twice."
    )
    header = ("grade", "probability", "of all", "what to do")
    return Table("What to do with a grade", header, rows, note)


def _not_for(learned: Learned, shown: Judgement) -> list[str]:
    spec, y = learned.spec, learned.evaluation.y
    best = reached(y, shown.p, 0.1) * float(y.sum()) / max(1, round(0.1 * len(y)))
    within = within_words(spec.label)
    whom = "whom it was not asked about in training"
    if spec.population is not None:
        whom = f"outside its population ({spec.population.words('en')})"
    return [
        f"Not for customers {whom}: it has learned nothing of them.",
        f"Not for another question than this one: {spec.act}, {within}.",
        f"Not to decide about one person in what matters to them, such as credit, price or work: "
        f"even of the best tenth {percent(1 - best)} were a no.",
        "Not as proof that a contact works: it saw who did what, not what would have happened "
        "otherwise. Hold some of them out by chance to learn that.",
        "Not after a great change of prices, range or channels, until it is trained again; "
        f"python -m training monitor {spec.name} says whether it still holds.",
    ]


def _drawn(where: Origins) -> list[str]:
    if where.sample is None or where.sample.whole:
        return []
    return [f"It saw a sample: {where.sample.words()} --rows all takes every row."]


def _limits(learned: Learned) -> list[str]:
    said = [
        f"It learned from {len(learned.split.train):,} rows; of customers who resemble none of "
        "them it says little.",
    ]
    if learned.data.order == "none":
        said.append(
            "Nothing dates these rows, so whether the model holds for later ones is untested."
        )
    return said
