"""Whether what was learned should serve: against the champion, on the same later rows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.catalog import feature_hash
from features.clock import to_iso
from models.bundle import Bundle, BundleError
from models.clusters import Clusters
from models.gate import Decision, decide
from models.rails import cleared_words
from models.registry import Registry
from models.spec import ModelSpec
from training import latency as latencies
from training.declared_segments import declared_segments
from training.learn import Learned

Floats: TypeAlias = NDArray[np.float64]


def champion_of(spec: ModelSpec, registry: Registry) -> tuple[Bundle | None, str]:
    """Return the champion's bundle, or None and, if there is one that cannot be judged, why.

    A champion that was made from other features, or whose files are damaged, cannot answer the
    rows at hand; the challenger is then judged against the best baseline.
    """
    version = registry.resolve(spec.name)
    if version is None:
        return None, ""
    with tempfile.TemporaryDirectory() as scratch:
        folder = registry.download(spec.name, version, Path(scratch) / version)
        try:
            champion = Bundle.load(folder, version)
            champion.verify(feature_hash(spec.features))
        except BundleError as error:
            return None, f"The champion, version {version}, cannot be judged: {error}"
    return champion, ""


def judge_challenger(
    learned: Learned, champion: Bundle | None, clock: Callable[[], int] = time.perf_counter_ns
) -> tuple[Decision, list[str]]:
    """Return the gate's decision on the latest slice, and what must be said beside it.

    Parameters
    ----------
    learned : Learned
    champion : Bundle or None
    clock : callable
        Nanoseconds, for the time that single scores take.
    """
    evaluation, said = learned.evaluation, []
    gate, fitted = learned.spec.gate, learned.evaluation.model.fitted
    judged = learned.data.X.iloc[learned.split.test]
    theirs: Floats | None = None
    latency: tuple[Floats, Floats] | None = None
    if champion is not None and not isinstance(champion.engine, Clusters):
        X = champion.encoder.transform(judged)
        theirs = champion.calibrator.probability(champion.engine.margins(X))
        ours = fitted.encoder.transform(judged.iloc[: latencies.ROWS])
        latency = latencies.in_turns((fitted.engine, ours), (champion.engine, X), clock)
        seen = champion.spec.decision.get("learned_until")
        if seen is not None and seen > learned.split.begins:
            said.append(
                f"The champion had learned from rows until {to_iso(seen)}, so it has seen some of "
                "the rows both are judged on, which favours it."
            )
    decision = decide(
        gate,
        evaluation.y,
        evaluation.customers,
        evaluation.model.p,
        {each.name: each.p for each in evaluation.baselines},
        champion=theirs,
        findings=learned.findings,
        segments=declared_segments(gate.segments, judged, gate.segment_rows),
        latency=latency,
        feature_hash_ok=tuple(judged.columns) == learned.spec.feature_names,
        only_shown=[each.name for each in evaluation.baselines if not each.fitted.publishable],
    )
    if cleared := cleared_words(learned.findings):
        said.append(f"What looks like a leak was {cleared}.")
    missing = [each.name for each in gate.segments if each.name not in judged]
    if missing:
        said.append(f"The data has no {' or '.join(missing)}, so its segments were not watched.")
    return decision, said


def as_plain(decision: Decision, said: list[str], *, asked: bool, **facts: Any) -> dict[str, Any]:
    """Return the decision for `decision.json`, the bundle and the run.

    Parameters
    ----------
    said : list of str
        What must be said beside it.
    asked : bool
        Whether promotion was asked for; without it nothing is promoted, whatever the gate says.
    """
    serves = decision.publish in ("challenger", "baseline")
    reason = " ".join([decision.reason, *said])
    if serves and not asked:
        reason += " Promotion was not asked for (--promote), so nothing changed."
    return {
        **asdict(decision),
        "reason": reason,
        "asked": asked,
        "serves": serves and asked,
        **facts,
    }
