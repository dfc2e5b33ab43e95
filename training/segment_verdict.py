"""Whether new segments replace the present ones, or none are published at all."""

from __future__ import annotations

from typing import Literal

from models.bootstrap import paired_bootstrap
from models.bundle import Bundle
from models.clusters import Clusters
from models.gate import Decision
from training.dataset import Dataset
from training.segmenting import Segmented, sample, silhouettes


def judge_segments(
    segmented: Segmented, data: Dataset, champion: Bundle | None, random_state: int = 0
) -> Decision:
    """Return whether new segments replace the present ones.

    Where there is no good segmentation, nothing is published. The first good ones are. Later ones
    must, on the same customers, lie further apart than the present ones; otherwise people keep the
    segments they know.
    """
    choice = segmented.choice
    numbers = {
        "stability": choice.at(choice.stability),
        "stability_low": choice.at(choice.low),
        "stability_high": choice.at(choice.high),
        "silhouette": float(segmented.silhouette.value or 0.0),
        "silhouette_over_no_groups": choice.at(choice.excess),
        "stable": float(choice.stable and not segmented.moved),
    }
    if segmented.migration is not None:
        numbers["kept_since_last_time"] = segmented.migration.kept
    if not choice.good:
        stays = "Nothing is published." if champion is None else "The present ones stay."
        publish: Literal["nothing", "champion"] = "nothing" if champion is None else "champion"
        return _decision(False, publish, f"Not promoted: {choice.reason} {stays}", numbers)
    if champion is None or not isinstance(champion.engine, Clusters):
        reason = f"Promoted: there are no segments yet that could be judged. {choice.reason}"
        return _decision(True, "challenger", reason, numbers)
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
        reason = f"Promoted: the new segments lie further apart ({words}). {choice.reason}"
        return _decision(True, "challenger", reason, numbers)
    reason = (
        f"Not promoted: the new segments lie no further apart ({words}). The present ones stay."
    )
    return _decision(False, "champion", reason, numbers)


def _decision(
    promote: bool,
    publish: Literal["challenger", "champion", "nothing"],
    reason: str,
    numbers: dict[str, float],
) -> Decision:
    return Decision(promote, publish, "", reason, numbers)
