"""Numbers that were made from the answers themselves: means of the answer by level."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.finding import Finding, severity
from training.leaks.columns import Floats, Integers, Rows, Seen
from training.leaks.telling import rank_auc, spread

CHANCE = 1e-6
"""Of means that come so close to the answers without having been made from them."""
LEAST = 5
LEAST_OWN = 20
COVERED = 0.3
MOST_LEVELS = 5_000
WITHIN = 0.98
NOISE = 0.05
SCREENED = 2_000
FALL, SURE = 0.15, 5.0


def target_encoded(rows: Rows, later: Rows | None = None) -> Iterator[Finding]:
    """Yield numbers that agree with the mean answer of their level better than chance allows.

    Additive smoothing is seen through. Where later rows are given, a number that ranks the
    training rows much better than those is one too.

    Parameters
    ----------
    later : Rows, optional
        Rows that came after; with the same columns.
    """
    levels = [c for c in rows.columns if c.texts and 2 <= len(c.texts) <= MOST_LEVELS]
    drawn = np.random.default_rng(0).permutation(len(rows.y))[:SCREENED]
    for place, column in enumerate(rows.columns):
        if not column.stated or column.texts or not _is_rate(column.values):
            continue
        alike = (by for by in levels if _could_be(column, by, rows, drawn))
        said = _own(column, rows) or next(
            (found for by in alike if (found := _by_level(column, by, rows))), ""
        )
        if not said and later is not None:
            said = _falls(column, rows, later.columns[place], later)
        if said:
            yield Finding(
                column.name,
                "target-encoded",
                severity(1.0, 1.0),
                said,
                "It was made from the answers of the rows it stands in. Make it from earlier "
                "rows alone, or leave the level itself in: the encoder knows what to do with it.",
                rank_auc(column.values, rows.y),
            )


def _is_rate(values: Floats) -> bool:
    """Whether these could be shares or percentages: not whole, and they vary."""
    known = values[np.isfinite(values)]
    if not len(known) or known.min() < 0 or known.max() > 100 or known.min() == known.max():
        return False
    return bool((known != np.floor(known)).any())


def _own(column: Seen, rows: Rows) -> str:
    """Whether rows of one value have that value as their mean answer, again and again."""
    known = column.known
    scale = 100.0 if np.nanmax(column.values) > 1 else 1.0
    values, group = np.unique(column.values[known] / scale, return_inverse=True)
    if values[0] < 0 or values[-1] > 1:
        return ""
    n = np.bincount(group).astype(np.float64)
    yes = np.bincount(group, rows.y[known])
    large = n >= LEAST_OWN
    mixed = large & (yes > 0) & (yes < n)
    wrong = large & ~mixed & (np.abs(yes / n - values) > 1e-9)
    if mixed.sum() < 2 or wrong.any() or n[large].sum() < COVERED * known.sum():
        return ""
    rate = yes[mixed] / n[mixed]
    off = float((n[mixed] * (rate - values[mixed]) ** 2 / (rate * (1 - rate))).sum())
    if _chance(off, int(mixed.sum())) >= CHANCE:
        return ""
    return (
        f"Rows of one value have just that value as their share of yes: over {mixed.sum()} values "
        f"they differ by {off / mixed.sum():.2g} of what chance would do."
    )


def _could_be(column: Seen, by: Seen, rows: Rows, drawn: Integers) -> bool:
    """Whether a few rows leave it open that the number follows from the level."""
    value, code = column.values[drawn], by.values[drawn]
    both = np.isfinite(value) & np.isfinite(code)
    value, y, level = value[both], rows.y[drawn][both], code[both].astype(np.intp)
    n = np.maximum(np.bincount(level), 1)
    away = value - (np.bincount(level, value) / n)[level]
    other = y - (np.bincount(level, y) / n)[level]
    norm = float(np.sqrt((away @ away) * (other @ other)))
    together = abs(float(away @ other)) > norm * WITHIN / 2
    return together or bool(away.var() <= 2 * NOISE * value.var())


def _by_level(column: Seen, by: Seen, rows: Rows) -> str:
    """Whether the number is the smoothed mean answer of another column's level."""
    both = column.known & by.known
    code, value, y = by.values[both].astype(np.intp), column.values[both], rows.y[both]
    n = np.bincount(code, minlength=len(by.texts)).astype(np.float64)
    yes = np.asarray(np.bincount(code, y, len(by.texts)), dtype=np.float64)
    total = np.bincount(code, value, len(by.texts))
    large = n >= LEAST
    if large.sum() < 3 or n[large].sum() < COVERED * len(rows.y):
        return ""
    mean = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    away = value - mean[code]
    if away.var() > NOISE * value.var():
        return _within_levels(away, y - (yes / np.maximum(n, 1))[code], large[code], by)
    return _smoothed_mean(n[large], yes[large], mean[large], float(rows.y.mean()), by)


def _smoothed_mean(n: Floats, yes: Floats, mean: Floats, base: float, by: Seen) -> str:
    # mean = (yes + m p) / (n + m) is a line in the mean: n mean - yes = m p - m mean.
    for scale in (1.0, 100.0):
        target = n * mean / scale - yes
        design = np.column_stack([np.ones_like(mean), mean / scale])
        away = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
        off = float((away**2 / (n * base * (1 - base))).sum())
        if len(n) > 2 and _chance(off, len(n) - 2) < CHANCE:
            return (
                f"It is the mean answer of each value of {by.name!r}: over {len(n)} values it "
                f"differs by {off / (len(n) - 2):.2g} of what chance would do."
            )
    return ""


def _within_levels(away: Floats, y: Floats, kept: np.ndarray, by: Seen) -> str:
    """Whether, inside each level, the number tells the answer: a mean that leaves out one row."""
    one, other = away[kept], y[kept]
    norm = float(np.sqrt((one @ one) * (other @ other)))
    together = abs(float(one @ other)) / norm if norm > 0 else 0.0
    if together < WITHIN:
        return ""
    return (
        f"Among rows of one value of {by.name!r} it tells the answer with a correlation of "
        f"{together:.3f}: a mean of the others' answers, from which the own one follows."
    )


def _falls(column: Seen, rows: Rows, later_column: Seen, later: Rows) -> str:
    then, now = rank_auc(column.values, rows.y), rank_auc(later_column.values, later.y)
    error = float(np.hypot(_error(column, rows), _error(later_column, later)))
    if then - now < max(FALL, SURE * error):
        return ""
    return (
        f"It puts {then:.1%} of the pairs of the training rows in order and {now:.1%} of those of "
        "later rows: it knows what it was made from."
    )


def _error(column: Seen, rows: Rows) -> float:
    y = rows.y[column.known]
    return spread(float(y.sum()), float((1 - y).sum()))


def _chance(off: float, degrees: int) -> float:
    from scipy.stats import chi2

    return float(chi2.cdf(off, degrees))
