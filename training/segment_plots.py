"""Figures of a segmentation: how many segments, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.plots import MODEL, OTHERS, figure_of, finished

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.segment_identity import Migration

Floats = NDArray[np.float64]


def cluster_choice(
    numbers: Sequence[int],
    stability: Floats,
    low: Floats,
    high: Floats,
    silhouette: Floats,
    *,
    chosen: int,
) -> Figure:
    """Return stability (with its interval) and silhouette for each number of clusters."""
    figure, axes = figure_of()
    axes.errorbar(
        numbers,
        stability,
        yerr=np.maximum([stability - low, high - stability], 0.0),
        marker="o",
        capsize=3,
        color=MODEL,
        label="share who keep their segment",
    )
    axes.plot(numbers, silhouette, marker="s", color=OTHERS[1], label="silhouette")
    axes.axvline(chosen, color=OTHERS[0], linestyle=":", label=f"chosen: {chosen}")
    axes.set(xlabel="number of segments", ylabel="share, silhouette", xticks=list(numbers))
    axes.set_ylim(bottom=0)
    return finished(figure, axes, "How many segments?")


def segment_profile(names: Sequence[str], words: Sequence[str], heights: Floats) -> Figure:
    """Return a map of how far each segment lies from the average customer.

    Parameters
    ----------
    names : sequence of str, length k
        Segments.
    words : sequence of str, length f
        Features in words.
    heights : ndarray of float64, shape (k, f)
        Standard deviations from the mean of all customers, on the clustering's own scale.
    """
    k, f = heights.shape
    figure, axes = figure_of(width=3.5 + 1.15 * f, height=2.2 + 0.55 * k)
    picture = axes.imshow(heights, cmap="BrBG", vmin=-2, vmax=2, aspect="auto")
    axes.set_xticks(range(f), [fill(word, 16) for word in words], fontsize=8)
    axes.xaxis.tick_top()
    axes.set_yticks(range(k), [fill(name, 26) for name in names], fontsize=9)
    for (segment, feature), value in np.ndenumerate(heights):
        ink = "white" if abs(value) > 1.3 else "black"
        axes.text(feature, segment, f"{value:+.1f}", ha="center", va="center", color=ink)
    figure.colorbar(picture, ax=axes, label="standard deviations from the average", fraction=0.03)
    return figure


def sizes(names: Sequence[str], shares: Floats) -> Figure:
    """Return how large each segment is, as a share of all customers."""
    figure, axes = figure_of(height=1.2 + 0.5 * len(names))
    places = np.arange(len(names))
    axes.barh(places, shares, color=MODEL, label="share of customers")
    for place, share in zip(places.tolist(), shares.tolist(), strict=True):
        axes.text(share, place, f" {100 * share:.0f} %", va="center")
    axes.set_yticks(places, [fill(name, 26) for name in names], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, min(1.0, float(shares.max()) * 1.2))
    return finished(figure, axes, "How large the segments are")


def migration(moved: Migration) -> Figure:
    """Return where the customers of each old segment are now, as shares of the old segment."""
    shares = moved.counts / np.maximum(moved.counts.sum(axis=1, keepdims=True), 1)
    old, new = shares.shape
    figure, axes = figure_of(width=4.0 + 1.3 * new, height=2.2 + 0.6 * old)
    picture = axes.imshow(shares, cmap="BuGn", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(new), [fill(f"{i} {name}", 18) for i, name in moved.new], fontsize=8)
    axes.xaxis.tick_top()
    axes.set_yticks(range(old), [fill(f"{i} {name}", 26) for i, name in moved.old], fontsize=9)
    for (before, now), share in np.ndenumerate(shares):
        ink = "white" if share > 0.6 else "black"
        axes.text(now, before, f"{100 * share:.0f} %", ha="center", va="center", color=ink)
    figure.colorbar(picture, ax=axes, label=f"share of version {moved.version}", fraction=0.03)
    return figure
