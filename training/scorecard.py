"""A scorecard for few answers: few columns, few groups each, and points a person can add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.binning import LOWEST, Bins
from models.encoder import Encoder
from models.linear import Linear
from training.calibrate import choose
from training.fit import Fitted, Table
from training.folds import stratified

Floats: TypeAlias = NDArray[np.float64]

SCORECARD = "scorecard"
POINT = float(np.log(2.0)) / 10.0
"""Margin of one point: ten points double the odds."""
PARTS = 3
"""Groups of a number: low, middle, high."""
PULL = 20.0
"""Rows of the base rate that each group starts with."""
TERMS = (0, 1, 2, 4, 8)
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
ALIKE = 0.8
"""A column that says what a better one says already (correlation) is left out."""
FOLDS = 5
STEPS = 30


class Line(NamedTuple):
    """What one group of a column's values is worth."""

    column: str
    values: str
    points: int


@dataclass(frozen=True)
class _Group:
    """A column in groups, with the margin above the base of each."""

    bins: Bins
    above: Floats
    gain: float

    def of(self, X: Floats) -> Floats:
        return np.asarray(self.above[self.bins.groups(X[:, self.bins.column])])


def fit_scorecard(table: Table, random_state: int = 0) -> Fitted:
    """Return a scorecard that was fitted to few rows, and calibrated on unseen customers.

    Each column's values fall into at most three groups (a category's into its frequent levels),
    whose log odds are drawn towards those of all. The columns that tell most make the terms of a
    penalised logistic regression; how many they are, and how strong its penalty is, costs
    unseen customers least, and fewer terms are taken where more do not clearly help. What each
    group adds is rounded to whole points.

    Source
    ------
    Siddiqi (2006), Credit risk scorecards: weights of evidence, points to double the odds.
    """
    y = table.y.astype(np.float64)
    random = np.random.default_rng(random_state)
    folds = stratified(table.y, table.groups, FOLDS, random)
    margins = {(0, 0.0): np.empty(len(y))}
    margins |= {(k, C): np.empty(len(y)) for k in TERMS[1:] for C in STRENGTHS}
    for fold in range(FOLDS):
        held = folds == fold
        ranked = _ranked(table.encoder, table.X[~held], y[~held])
        for (k, strength), found in margins.items():
            card = _card(ranked[:k], table.X[~held], y[~held], strength)
            found[held] = card.margins(table.X[held])
    k, strength = _plainest(margins, y)
    ranked = _ranked(table.encoder, table.X, y)
    calibrator, losses = choose(margins[k, strength], table.y, folds)
    notes = {
        "terms": k,
        "penalty": strength,
        "calibrator": calibrator.method,
        "calibration_losses": losses,
    }
    card = _card(ranked[:k], table.X, y, strength)
    return Fitted(SCORECARD, table.encoder, card, calibrator, notes, margins[k, strength], folds)


def lines(card: Linear, encoder: Encoder) -> tuple[Line, ...]:
    """Return a scorecard's points, group by group, in the order of its columns.

    Examples
    --------
    >>> from models.encoder import Column
    >>> bins = Bins(0, False, np.array([LOWEST, 3.0]))
    >>> card = Linear(-1.0, bins.terms(np.array([0.0, 4.0, 0.0, -1.0]) * POINT, 0.0))
    >>> for line in lines(card, Encoder([Column("orders", "int")])):
    ...     print(*line, sep=": ")
    orders: below 3: 0
    orders: 3 or more: 4
    orders: not known: -1
    """
    found: list[Line] = []
    for place in dict.fromkeys(term.column for term in card.terms):
        column = encoder.columns[place]
        terms = [term for term in card.terms if term.column == place]
        named: Iterable[tuple[str, float]]
        if terms[0].kind == "level":
            named = ((column.levels[int(t.level)], t.coefficient) for t in terms)
        else:
            named = _steps([t.level for t in terms], np.cumsum([t.coefficient for t in terms]))
        missing = sum(term.missing_coefficient for term in terms)
        everything = (*named, ("not known", missing))
        found += [Line(column.name, words, round(m / POINT)) for words, m in everything]
    return tuple(found)


def _steps(edges: Sequence[float], margins: Floats) -> Iterator[tuple[str, float]]:
    for at, margin in enumerate(margins.tolist()):
        low = "" if edges[at] == LOWEST else f"{edges[at]:g}"
        high = f"{edges[at + 1]:g}" if at + 1 < len(edges) else ""
        if low and high:
            yield f"{low} to below {high}", margin
        else:
            yield f"{low} or more" if low else f"below {high}" if high else "any", margin


def _ranked(encoder: Encoder, X: Floats, y: Floats) -> list[_Group]:
    """The columns that tell most, the most telling first, none like a better one."""
    base = _logit(y.mean())
    made = []
    for place, column in enumerate(encoder.columns):
        bins = Bins.of(place, column, X[:, place], parts=PARTS)
        group = bins.groups(X[:, place])
        rows = np.bincount(group, minlength=bins.missing + 1)
        yes = np.bincount(group, y, bins.missing + 1)
        rate = (yes + PULL * y.mean()) / (rows + PULL)
        above: Floats = _logit(rate) - base
        above[bins.other] = 0.0  # rare levels are taken to be like all
        gain = float((yes * np.log(rate / y.mean())).sum())
        gain += float(((rows - yes) * np.log((1 - rate) / (1 - y.mean()))).sum())
        made.append(_Group(bins, above, gain))
    chosen: list[_Group] = []
    seen: list[Floats] = []
    for each in sorted(made, key=lambda group: -group.gain):
        values = each.of(X)
        if values.std() == 0.0 or len(chosen) == max(TERMS):
            continue
        if all(abs(np.corrcoef(values, other)[0, 1]) < ALIKE for other in seen):
            chosen.append(each)
            seen.append(values)
    return chosen


def _card(groups: Sequence[_Group], X: Floats, y: Floats, strength: float) -> Linear:
    if not groups:
        return Linear(float(_logit(y.mean())))
    Z = np.column_stack([group.of(X) for group in groups])
    intercept, *weights = ridge(Z, y, strength).tolist()
    kept = [at for at, weight in enumerate(weights) if weight > 0.0]
    if len(kept) < len(groups):
        # A negative weight would turn what the column says on its own into its opposite.
        return _card([groups[at] for at in kept], X, y, strength)
    terms = [
        term
        for group, weight in zip(groups, weights, strict=True)
        for term in group.bins.terms(np.round(weight * group.above / POINT) * POINT, 0.0)
    ]
    return Linear(intercept, tuple(terms))


def ridge(Z: Floats, y: Floats, strength: float) -> Floats:
    """Return intercept and weights of a penalised logistic regression of few columns.

    A card tries hundreds of them, and calling scikit-learn would take most of the time.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
    y : ndarray of {0.0, 1.0}, shape (n,)
        Both answers.
    strength : float
        Inverse of the penalty, scikit-learn's `C`.

    Examples
    --------
    >>> Z, y = np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0.0, 0.0, 1.0, 0.0])
    >>> ridge(Z, y, strength=1.0).round(2).tolist()
    [-1.18, 0.58]
    """
    columns = np.column_stack([np.ones(len(Z)), Z])
    penalty = np.full(columns.shape[1], 1.0 / strength)
    penalty[0] = 0.0
    weights = np.zeros(columns.shape[1])
    weights[0] = _logit(y.mean())
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(columns @ weights, -30.0, 30.0)))
        slope = columns.T @ (y - p) - penalty * weights
        curve = (columns * (p * (1.0 - p))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def _plainest(margins: dict[tuple[int, float], Floats], y: Floats) -> tuple[int, float]:
    """Fewest terms whose loss is within one standard error of the lowest; then the lowest."""
    losses = {key: np.logaddexp(0.0, m) - y * m for key, m in margins.items()}
    best = min(losses, key=lambda key: float(losses[key].mean()))
    for terms in TERMS:
        of_these = [key for key in losses if key[0] == terms]
        lowest = min(of_these, key=lambda key: float(losses[key].mean()))
        gap = losses[lowest] - losses[best]
        if terms == best[0] or gap.mean() < gap.std(ddof=1) / np.sqrt(len(y)):
            return lowest
    return best


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-p)
