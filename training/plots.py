"""Figures for the run and the card; drawn without a display and without global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_INK = "#1f2937"
MODEL = "#0f766e"
OTHERS = ("#9ca3af", "#d97706", "#6366f1", "#be185d")


def gain(y: NDArray[np.int64], p: Floats, *, act: str) -> Figure:
    """Return the share of all positives reached when the best-scored share is contacted.

    Parameters
    ----------
    y : ndarray of {0, 1}, shape (n,)
    p : ndarray of float64, shape (n,)
        Probabilities; only their order counts.
    act : str
        What a positive is called: "redeems".
    """
    depth, reached = _gains(y, p)
    figure, axes = figure_of()
    axes.plot(depth, reached, color=MODEL, label="by score")
    axes.plot([0, 1], [0, 1], color=OTHERS[0], linestyle="--", label="at random")
    axes.set(xlabel="share contacted, best first", ylabel=f"share reached of those for whom: {act}")
    return finished(figure, axes, "Gain")


def lift(y: NDArray[np.int64], p: Floats) -> Figure:
    """Return how many times the average rate the best-scored share holds."""
    depth, reached = _gains(y, p)
    from_5 = depth >= min(0.05, depth[-1])
    figure, axes = figure_of()
    axes.plot(depth[from_5], reached[from_5] / depth[from_5], color=MODEL, label="by score")
    axes.axhline(1.0, color=OTHERS[0], linestyle="--", label="at random")
    axes.set(xlabel="share contacted, best first", ylabel="times the average rate")
    axes.set_ylim(bottom=0)
    return finished(figure, axes, "Lift")


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
    return finished(figure, axes, "Calibration")


def backtest(dates: Sequence[str], losses: Mapping[str, Sequence[float]], *, model: str) -> Figure:
    """Return the log loss at each origin, model and baselines side by side.

    Parameters
    ----------
    dates : sequence of str
        First day of each evaluation slice, in order of time.
    losses : mapping of str to sequence of float
        Name -> log loss at each date; `model` is one of the names.
    """
    figure, axes = figure_of()
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
    axes.set(xlabel="evaluated from", ylabel="log loss (lower is better)")
    axes.tick_params(axis="x", labelrotation=20)
    return finished(figure, axes, "Rolling-origin backtest")


def png(figure: Figure) -> bytes:
    """Return the figure as PNG; the same figure gives the same bytes."""
    page = BytesIO()
    figure.savefig(page, format="png", dpi=100, metadata={"Software": None})
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


def figure_of(width: float = 6.4, height: float = 4.0) -> tuple[Figure, Any]:
    """Return an empty figure and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def finished(figure: Figure, axes: Any, title: str) -> Figure:
    """Return the figure with title and legend."""
    axes.set_title(title, loc="left", color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
