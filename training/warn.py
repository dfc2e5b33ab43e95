"""What a reader must know before using a model, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.card import percent
from training.evaluate import Judgement
from training.grading import Grading
from training.learn import Learned
from training.report import FULL, findings

FEWEST = 20
"""Fewer yes among the judged rows, and how often it is right is a guess."""


def warnings(
    learned: Learned, shown: Judgement, decision: Mapping[str, Any], graded: Grading
) -> list[str]:
    """Return the warnings of a card, the gravest first; most models have none.

    Parameters
    ----------
    learned : Learned
    shown : Judgement
        The candidate that is published.
    decision : mapping
    graded : Grading
    """
    return [
        *_leaks(learned),
        *_unproven(learned, shown, decision),
        *_uncalibrated(shown, graded),
        *_few(learned),
        *_moved(graded),
    ]


def _leaks(learned: Learned) -> list[str]:
    return [
        f"{finding.column or 'The model'} may know the answer beforehand: {finding.evidence} "
        f"{finding.remedy}"
        for finding in findings(learned)
        if finding.severity == "severe"
    ] + [
        f"{finding.column} would be taken for a leak ({finding.kind}: {finding.value:.3f}) had not "
        f"somebody said: {finding.cleared}"
        for finding in findings(learned)
        if finding.cleared
    ]


def _unproven(learned: Learned, shown: Judgement, decision: Mapping[str, Any]) -> list[str]:
    evaluation, said = learned.evaluation, []
    if not evaluation.beats:
        said.append(
            f"It is not proven better than {evaluation.best_baseline.name}, which is simpler. "
            "There is nothing to praise yet."
        )
    if shown.name != evaluation.model.name:
        said.append(f"What is published is the baseline itself: {shown.name}.")
    if not decision.get("serves"):
        said.append("This version does not serve. Scores come from the champion, if there is one.")
    return said


def _uncalibrated(shown: Judgement, graded: Grading) -> list[str]:
    said = []
    slope = shown.metrics.get("calibration_slope")
    if slope is not None and slope.low is not None and slope.high is not None:
        if slope.high < 1.0:
            said.append(
                "Its percentages are too extreme: high ones are too high, low ones too low. The "
                "order holds better than the numbers."
            )
        elif slope.low > 1.0:
            said.append(
                "Its percentages are too timid: high ones are too low, low ones too high. The "
                "order holds better than the numbers."
            )
    level = shown.metrics.get("calibration_intercept")
    if level is not None and level.low is not None and level.high is not None:
        if level.high < 0.0:
            said.append("On the whole it promised more than came: do not add its percentages up.")
        elif level.low > 0.0:
            said.append("On the whole more came than it promised: do not add its percentages up.")
    said.extend(
        f"Grade {each.grade} was not as said: {percent(each.actual)}, where we said "
        f"{percent(each.low)} to {percent(each.high)}."
        for each in graded.checks
        if not each.kept
    )
    return said


def _few(learned: Learned) -> list[str]:
    said = []
    if learned.mode != FULL:
        said.append(
            f"There is little data, so it is a {learned.mode}: the intervals are wide, and more "
            f"answers will change the numbers ({learned.until_next})."
        )
    y = learned.evaluation.y
    fewest = min(int(y.sum()), len(y) - int(y.sum()))
    if fewest < FEWEST:
        said.append(
            f"It was judged on {len(y):,} rows with {int(y.sum()):,} yes: too few to be sure of "
            "anything here."
        )
    return said


def _moved(graded: Grading) -> list[str]:
    if not graded.moved:
        return []
    held = ", ".join(f"{check.grade} {percent(check.share)}" for check in graded.moved)
    return [
        f"The grades keep the cut points of version {graded.kept_from}, but no longer their size "
        f"({held} of the rows). Cut them anew with --regrade when nobody minds that grades jump."
    ]
