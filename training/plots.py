"""Figures for the run and the card; drawn without a display and without global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.card import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.grading import GradeCheck

Floats = NDArray[np.float64]

DPI = 144
INK = "#1f2937"
MODEL = "#0f766e"
RANGE = "#99d5cd"
OUTSIDE = "outside lower center"
OTHERS = ("#9ca3af", "#d97706", "#6366f1", "#be185d")


def grades(checks: Sequence[GradeCheck], *, did: str) -> Figure:
    """Return for each grade the range that was promised and the rate that came.

    Parameters
    ----------
    checks : sequence of GradeCheck
    did : str
        What a positive did: "stopped buying".
    """
    figure, axes = figure_of(height=1.4 + 0.5 * len(checks))
    places = np.arange(len(checks))[::-1]
    low, high, actual = (
        100 * np.array([getattr(check, name) for check in checks])
        for name in ("low", "high", "actual")
    )
    top = float(max(high.max(), actual.max()))
    # Where a range is narrower than its mark, it is still to be seen.
    width = np.maximum(high - low, 0.006 * top)
    axes.barh(places, width, left=low, height=0.5, color=RANGE, label="we said")
    axes.plot(actual, places, "o", color=MODEL, markersize=8, label="it was")
    for place, value, end in zip(places, actual, high, strict=True):
        text = f"{value:.0f} %" if value >= 10 else f"{value:.1f} %"
        axes.text(max(value, end) + 0.025 * top, place, text, va="center", color=INK)
    axes.set_yticks(places, [f"Grade {check.grade}" for check in checks])
    axes.set(xlim=(0, top * 1.15), ylim=(-0.6, len(checks) - 0.4))
    axes.set_xlabel(f"of 100 in the grade, how many {did}")
    return finished(figure, axes, "Promise and outcome by grade", legend="lower right")


def scores(y: NDArray[np.int64], p: Floats, cuts: Sequence[tuple[str, float]]) -> Figure:
    """Return how the probabilities are spread, of all rows and of those that said yes."""
    figure, axes = figure_of()
    edges = np.linspace(0, float(p.max()) * 1.001 or 1.0, 41)
    axes.hist(p, bins=edges, color=RANGE, label="all judged rows")
    axes.hist(p[y == 1], bins=edges, color=MODEL, label="of these: yes")
    for _, least in cuts:
        if 0 < least < edges[-1]:
            axes.axvline(least, color=INK, linewidth=0.8, linestyle=":")
    reached = [least for _, least in cuts if least < edges[-1]]
    for (grade, least), until in zip(
        cuts[len(cuts) - len(reached) :], [edges[-1], *reached], strict=False
    ):
        axes.text(
            (least + until) / 2, 1.0, grade, ha="center", va="bottom", color=INK, fontsize=9,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set(xlabel="promised probability", ylabel="rows", yscale="symlog")
    axes.set_ylim(bottom=0)
    return finished(figure, axes, "Probabilities and grades", pad=18)


def gain(y: NDArray[np.int64], p: Floats, *, did: str) -> Figure:
    """Return the share of all positives reached when the best-scored share is contacted.

    Parameters
    ----------
    y : ndarray of {0, 1}, shape (n,)
    p : ndarray of float64, shape (n,)
        Probabilities; only their order counts.
    did : str
        What a positive did: "redeemed a coupon".
    """
    depth, reached = _gains(y, p)
    figure, axes = figure_of()
    axes.plot(depth, reached, color=MODEL, label="by score")
    axes.plot([0, 1], [0, 1], color=OTHERS[0], linestyle="--", label="at random")
    at = int(np.argmin(np.abs(depth - 0.2)))
    axes.plot(depth[at], reached[at], "o", color=MODEL)
    axes.annotate(
        f"the best {depth[at]:.0%}: {reached[at]:.0%} of them",
        (depth[at], reached[at]), (10, -14), textcoords="offset points", color=INK,
    )  # fmt: skip
    axes.set(xlabel="share contacted, best first", ylabel="share reached", ylim=(0, 1.02))
    return finished(figure, axes, f"How many are reached of those who {did}")


def lift(y: NDArray[np.int64], p: Floats) -> Figure:
    """Return how many times the average rate the best-scored share holds."""
    depth, reached = _gains(y, p)
    from_5 = depth >= min(0.05, depth[-1])
    figure, axes = figure_of()
    axes.plot(depth[from_5], reached[from_5] / depth[from_5], color=MODEL, label="by score")
    axes.axhline(1.0, color=OTHERS[0], linestyle="--", label="at random")
    axes.set(xlabel="share contacted, best first", ylabel="times the average rate")
    axes.set_ylim(bottom=0)
    return finished(figure, axes, "Lift: how much denser among the best scored")


def calibration(y: NDArray[np.int64], p: Floats, *, bins: int = 10) -> Figure:
    """Return observed rates over promised ones, in bins of equal size with 95 % intervals.

    Source
    ------
    Wilson (1927), Probable inference, JASA 22: the interval of a proportion.
    """
    figure, axes = figure_of()
    groups = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    promised = np.array([p[rows].mean() for rows in groups])
    observed = np.array([y[rows].mean() for rows in groups])
    low, high = _wilson(observed, np.array([len(rows) for rows in groups]))
    axes.errorbar(
        promised,
        observed,
        yerr=np.maximum([observed - low, high - observed], 0.0),
        fmt="o",
        color=MODEL,
        capsize=3,
        label="a tenth of the rows",
    )
    top = float(max(promised.max(), high.max())) * 1.05
    axes.plot([0, top], [0, top], color=OTHERS[0], linestyle="--", label="as promised")
    axes.set(xlabel="promised probability", ylabel="observed rate")
    axes.set(xlim=(0, top), ylim=(0, None))
    return finished(figure, axes, "Calibration: promised and observed")


def backtest(
    dates: Sequence[str],
    losses: Mapping[str, Sequence[float]],
    intervals: Sequence[tuple[float, float]] = (),
    *,
    model: str,
) -> Figure:
    """Return the log loss at each origin, model and baselines side by side.

    Parameters
    ----------
    dates : sequence of str
        First day of each evaluation slice, in order of time.
    losses : mapping of str to sequence of float
        Name -> log loss at each date; `model` is one of the names.
    intervals : sequence of (float, float)
        Of the model's log loss at each date.
    """
    figure, axes = figure_of(height=4.2)
    others = iter(OTHERS * len(losses))
    for name, values in losses.items():
        mine = name == model
        axes.plot(
            dates,
            values,
            marker="o",
            color=MODEL if mine else next(others),
            linewidth=2.2 if mine else 1.2,
            label=name,
        )
    if intervals:
        low, high = np.array(intervals).T
        axes.fill_between(dates, low, high, color=MODEL, alpha=0.15, label="95 % interval")
    axes.set(xlabel="evaluated from", ylabel="log loss (lower is better)")
    axes.tick_params(axis="x", labelrotation=20)
    return finished(figure, axes, "Backtest: the same procedure earlier", legend=OUTSIDE)


def png(figure: Figure) -> bytes:
    """Return the figure as PNG; the same figure gives the same bytes."""
    page = BytesIO()
    figure.savefig(page, format="png", dpi=DPI, metadata={"Software": None})
    return page.getvalue()


def _gains(y: NDArray[np.int64], p: Floats) -> tuple[Floats, Floats]:
    """Depth in (0, 1] and the share of positives within it, at most 200 points."""
    ordered = np.asarray(y, dtype=np.float64)[np.argsort(-p, kind="stable")]
    at = np.unique(np.linspace(1, len(y), min(200, len(y))).astype(np.int64))
    return at / len(y), np.cumsum(ordered)[at - 1] / max(ordered.sum(), 1.0)


def _wilson(rate: Floats, n: NDArray[np.int64], z: float = 1.96) -> tuple[Floats, Floats]:
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return centre - half, centre + half


def figure_of(width: float = 5.2, height: float = 3.5) -> tuple[Figure, Any]:
    """Return an empty figure and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def finished(
    figure: Figure, axes: Any, title: str, *, pad: float = 6, legend: str = "best"
) -> Figure:
    """Return the figure with title and legend."""
    axes.set_title(title, loc="left", color=INK, fontsize=11, pad=pad)
    axes.spines[["top", "right"]].set_visible(False)
    owner, columns = (figure, 2) if legend == OUTSIDE else (axes, 1)
    owner.legend(frameon=False, fontsize=9, loc=legend, ncols=columns)
    return figure


def picture(name: str, figure: Figure, alt: str) -> Picture:
    """Return a figure as a picture of a card, with the words for those who do not see it."""
    return Picture(name, png(figure), alt, width=round(92 * float(figure.get_figwidth())))
