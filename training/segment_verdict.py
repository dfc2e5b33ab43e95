"""Whether new segments replace the present ones."""

from __future__ import annotations

from models.bootstrap import paired_bootstrap
from models.bundle import Bundle
from models.clusters import Clusters
from models.gate import Decision
from training.dataset import Dataset
from training.segmenting import Segmented, sample, silhouettes

LEAST_STABLE = 0.6
"""Mean adjusted Rand index below which segments are not published: they would not come back."""


def judge_segments(
    segmented: Segmented, data: Dataset, champion: Bundle | None, random_state: int = 0
) -> Decision:
    """Return whether new segments replace the present ones.

    The first ones must come back under resampling. Later ones must, on the same customers, lie
    further apart than the present ones; otherwise people keep the segments they know.
    """
    choice = segmented.choice
    stability = choice.at(choice.stability)
    numbers = {"stability": stability, "silhouette": float(segmented.silhouette.value or 0.0)}
    if stability < LEAST_STABLE:
        reason = (
            f"Not promoted: the segments do not come back under resampling (adjusted Rand index "
            f"{stability:.2f}, at least {LEAST_STABLE} is asked for)."
        )
        return Decision(False, "nothing" if champion is None else "champion", "", reason, numbers)
    if champion is None or not isinstance(champion.engine, Clusters):
        reason = (
            f"Promoted: {len(segmented.names)} segments come back under resampling (adjusted Rand "
            f"index {stability:.2f}), and there are none yet."
        )
        return Decision(True, "challenger", "", reason, numbers)
    encoded = segmented.encoder.transform(data.X)
    rows = sample(len(encoded), random_state)
    Z = segmented.clusters.scaled(encoded)[rows]
    new = silhouettes(Z, segmented.labels[rows])
    theirs = champion.engine.assign(champion.encoder.transform(data.X))
    old = silhouettes(Z, theirs[rows])
    gap = paired_bootstrap(old, new, rows, 2_000, random_state)
    numbers |= {"difference": gap.mean, "difference_low": gap.low, "difference_high": gap.high}
    words = f"silhouette {new.mean():.3f} against {old.mean():.3f} of the present ones"
    if gap.high < 0:
        return Decision(
            True, "challenger", "", f"Promoted: the new segments lie further apart ({words}).",
            numbers,
        )  # fmt: skip
    reason = (
        f"Not promoted: the new segments lie no further apart ({words}). The present ones stay."
    )
    return Decision(False, "champion", "", reason, numbers)
