"""Which rows are scored now: everyone, open campaigns' leads, current placements."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.errors import NextbestError
from features.feature import Condition
from features.frame import frame
from features.log import EventLog
from features.spine import Spine, grid
from features.window import Window
from models.answer import Answer
from models.spec import ModelSpec
from training.dataset import Compute, Dataset, Progress, customer_ids, dataset_of

OPEN = "open_"


class ScoringError(NextbestError):
    """Rows that cannot be scored."""


def rows_to_score(
    spec: ModelSpec,
    log: EventLog,
    now: int,
    *,
    progress: Progress | None = None,
    compute: Compute = frame,
) -> Dataset:
    """Return the rows a model is asked about at a moment, with their features; y is empty.

    Customers are those of the model's population; where a table states the answer, those who have
    none yet, or everyone once all have one. A `score_spine` of the log is scored as it is;
    "open_" before the name of the spine trained on (and an s after it) means its rows whose
    campaign runs now, judged as of now, without those whose answer is yes already.

    Parameters
    ----------
    now : int
        Microseconds UTC.
    compute : callable
        `features.frame.frame`, or what computes the same elsewhere.

    Raises
    ------
    ScoringError
        The spec names rows that the log does not hold.
    """
    spine = _spine(spec, log, now)
    conditions = [] if spec.population is None else [spec.population]
    answered = _answered(spec, log)
    if answered is not None:
        conditions.append(answered)
    values = compute(log, spine, [*spec.features, *conditions], progress=progress)
    kept = np.ones(len(spine), dtype=bool)
    if spec.population is not None:
        kept &= values[spec.population.name].to_numpy(dtype=bool)
    if answered is not None:
        kept &= ~values[answered.name].to_numpy(dtype=bool)
    chosen = np.flatnonzero(kept)
    return dataset_of(spec, values.iloc[chosen], spine.take(chosen))


def _spine(spec: ModelSpec, log: EventLog, now: int) -> Spine:
    if spec.spine is None:
        return grid(customer_ids(log), [now])
    if isinstance(spec.label, Answer):
        everyone = customer_ids(log)
        waiting = np.setdiff1d(everyone, log.spine(spec.spine).customer_id)
        return grid(waiting if len(waiting) else everyone, [now])
    name = spec.score_spine or spec.spine
    if name in log.spine_names:
        return log.spine(name)
    if name == f"{OPEN}{spec.spine}s":
        spine = log.spine(spec.spine)
        running = {
            campaign
            for campaign, facts in log.campaigns.items()
            if facts["starts_at"] <= now < facts["ends_at"]
        }
        rows = [campaign in running for campaign in spine.context["campaign_id"]]
        return spine.take(np.flatnonzero(rows)).at(now)
    raise ScoringError(
        f"{spec.name!r} scores {name!r}, which the log does not hold.",
        remedy=f"Choose one of: {', '.join([*log.spine_names, f'{OPEN}{spec.spine}s'])}.",
    )


def _answered(spec: ModelSpec, log: EventLog) -> Condition | None:
    """Whether the label's event has happened already, for rows that wait for one until an end."""
    name = spec.score_spine or ""
    if not isinstance(spec.label, Condition) or not name.startswith(OPEN):
        return None
    if name in log.spine_names:
        return None
    happened = replace(spec.label.count, name=f"{spec.label.count.name}_so_far", window=Window())
    return replace(
        spec.label, name=f"{spec.label.name}_so_far", count=happened, wanted=spec.label.wanted
    )
