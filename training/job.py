"""One training job, from the log to a version in the registry."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.clock import to_iso
from features.log import EventLog
from features.progress import Report, silent
from models.bundle import Bundle
from models.grades import Cuts
from models.registry import Registry
from models.spec import ModelSpec
from training.bound import bounded_spine
from training.card import Card
from training.dataset import Dataset, build, moment
from training.fit import Fitting
from training.grading import grading, last_cuts
from training.learn import Learned, learn
from training.origins import Origins
from training.publish import probability_bundle, segment_bundle
from training.report import report as report_of
from training.report import segment_report
from training.segment_memory import NOTHING, Remembered, note_ids, remembered
from training.segment_story import described, segment_card, segment_metrics
from training.segment_verdict import judge_segments
from training.segmenting import Segmented, fit_segments
from training.settings import TrainingSettings
from training.small_data import check_minimum
from training.story import probability_card
from training.track import Run, code_version, run, slug
from training.uncertainty import intervals_of
from training.verdict import as_plain, champion_of, judge_challenger


@dataclass(frozen=True)
class Outcome:
    """What a training job did.

    Attributes
    ----------
    model, version, run_id : str
    decision : dict
        As in `decision.json`; `serves` says whether this version is the champion now.
    bundle : Bundle
        What was published.
    report : dict
        Every figure with its interval, as in `report.json`.
    """

    model: str
    version: str
    run_id: str
    decision: dict[str, Any]
    bundle: Bundle
    report: dict[str, Any]


@dataclass(frozen=True)
class _Task:
    """What there is to learn from, and against whom it will be judged."""

    spec: ModelSpec
    data: Dataset
    champion: Bundle | None
    why_not: str
    kept: tuple[Cuts, str]
    where: Origins
    threads: int
    asked: bool
    budget: float
    step: Callable[[str], None]
    before: Remembered = NOTHING


@dataclass(frozen=True)
class _Made:
    """What a run writes down."""

    bundle: Bundle
    card: Card
    decision: dict[str, Any]
    report: dict[str, Any]
    write: Callable[[Run], None]


def train(
    spec: ModelSpec,
    log: EventLog,
    registry: Registry,
    settings: TrainingSettings,
    *,
    as_of: str | int | None = None,
    promote: bool = False,
    regrade: bool = False,
    random_state: int = 0,
    budget: float = 0.0,
    most_rows: int | None = None,
    report: Report = silent,
    wall: Callable[[], int] = time.time_ns,
) -> Outcome:
    """Return what came of training a model: a version in the registry, champion or not.

    Parameters
    ----------
    spec : ModelSpec
    log : EventLog
    registry : Registry
    settings : TrainingSettings
    as_of : str or int, optional
        The present moment of the data; by default the clock's.
    promote : bool
        Whether a version that passes the gate becomes the champion.
    budget : float
        Seconds to search for better settings; 0 takes the model's own.
    most_rows : int, optional
        With more rows than this, some are drawn; 0 takes all, None as many as the spec says.
    regrade : bool
        Whether grades are cut anew, instead of keeping the champion's cut points.
    report : callable
        Told how far the job has come.

    Raises
    ------
    NextbestError
        No rows, too few, one answer only, or a date that is none.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    now = moment(log, as_of, clock_name=settings.clock)
    most = spec.most_rows if most_rows is None else most_rows
    spine, mature, sample = bounded_spine(spec, log, now, most, random_state)
    where = Origins(
        log.source, log.fingerprint, now, wall() // 1_000, code_version(), random_state, sample
    )

    def step(what: str) -> None:
        report(f"{spec.name}: {what}", 0, None)

    data = build(
        spec,
        log,
        now,
        progress=lambda done, of: report(f"{spec.name}: rows", done, of),
        rows=(spine, mature),
    )
    del spine, mature
    champion, why_not = champion_of(spec, registry)
    before = remembered(spec.name, registry) if spec.output == "segment" else NOTHING
    kept: tuple[Cuts, str] = ((), "") if regrade else last_cuts(spec.name, registry)
    task = _Task(
        spec, data, champion, why_not, kept, where, settings.threads, promote, budget, step, before
    )
    # Small matrices: more threads of BLAS cost three times the processor for the same seconds.
    with threadpool_limits(1, "blas"):
        made = _segments(task) if spec.label is None else _probability(task)
    tags = {"model": spec.name, "as_of": to_iso(now), "mlflow.source.git.commit": where.commit}
    with run(registry, spec.name, tags) as written, tempfile.TemporaryDirectory() as scratch:
        step("publish")
        written.parameters(_parameters(spec, data, where) | {"most_rows": most})
        made.write(written)
        written.files(_files(spec, made))
        folder = made.bundle.save(Path(scratch) / "bundle")
        reason = made.decision["reason"]
        version = registry.publish(spec.name, folder, written.run_id, description=reason)
        if spec.output == "segment":
            note_ids(spec.name, registry, [each.id for each in made.bundle.spec.segments])
        if made.decision["serves"]:
            registry.promote(spec.name, version)
    step("done")
    return Outcome(spec.name, version, written.run_id, made.decision, made.bundle, made.report)


def _probability(task: _Task) -> _Made:
    where = task.where
    how = Fitting(where.random_state, task.threads, budget=task.budget)
    learned = learn(task.spec, task.data, how, task.step)
    found, said = judge_challenger(learned, task.champion)
    decision = as_plain(
        found,
        [task.why_not, *said] if task.why_not else said,
        asked=task.asked,
        learned_until=learned.split.learned_until,
        beats_best_baseline=learned.evaluation.beats,
        verdict=learned.evaluation.verdict(),
        choice=learned.choice,
    )
    name = found.baseline if found.publish == "baseline" else learned.evaluation.model.name
    task.step("intervals")
    intervals = intervals_of(
        task.spec, task.data, learned.split.train, learned.candidate(name).fitted, how
    )
    shown, judged = learned.candidate(name), learned.evaluation
    graded = grading(judged.y, shown.p, judged.customers, task.kept, where.random_state)
    card = probability_card(learned, where, name, decision, graded)
    return _Made(
        probability_bundle(learned, shown, where, decision, card, graded.cuts, intervals),
        card,
        decision,
        report_of(learned, decision, graded, name, where),
        lambda written: _write_probability(written, learned),
    )


def _segments(task: _Task) -> _Made:
    spec, data, where = task.spec, task.data, task.where
    check_minimum(spec, len(data))
    task.step("clusters")
    segmented = fit_segments(
        spec, data.X, remembered=task.before, random_state=where.random_state, threads=task.threads
    )
    found = judge_segments(segmented, data, task.champion, where.random_state)
    decision = as_plain(found, [task.why_not] if task.why_not else [], asked=task.asked)
    segments = described(spec, segmented, where.source.currency, task.before.given)
    card = segment_card(spec, segmented, segments, where, decision["reason"])
    return _Made(
        segment_bundle(spec, data, segmented, segments, where, decision, card),
        card,
        decision,
        segment_report(spec.name, segment_metrics(segmented), decision, where),
        lambda written: _write_segments(written, segmented),
    )


def _write_segments(written: Run, segmented: Segmented) -> None:
    written.metrics(segment_metrics(segmented))
    moved = segmented.migration
    if moved is not None:
        written.numbers({"kept_since_last_time": moved.kept})
        written.files({"migration.csv": moved.csv(), "migration.txt": moved.text()})


def _write_probability(written: Run, learned: Learned) -> None:
    written.metrics(learned.evaluation.model.metrics)
    for kind in ("baseline", "rival"):
        for judged in getattr(learned.evaluation, f"{kind}s"):
            written.metrics(judged.metrics, prefix=f"{kind}.{slug(judged.name)}.")
    gap = learned.evaluation.difference
    written.numbers(
        {
            "log_loss_over_best_baseline": gap.mean,
            "log_loss_over_best_baseline_low": gap.low,
            "log_loss_over_best_baseline_high": gap.high,
        }
    )
    for step, origin in enumerate(learned.origins):
        losses = {
            f"backtest.{slug(name)}.log_loss": loss / origin.rows
            for name, loss in origin.losses.items()
        }
        written.numbers(losses, step)
    written.parameters(
        {
            **learned.evaluation.model.fitted.notes,
            "engine": learned.evaluation.model.name,
            "train_rows": len(learned.split.train),
            "split": learned.split.words(),
            "mode": learned.mode,
            "evaluated_from": to_iso(learned.split.begins),
            "evaluated_to": to_iso(learned.split.ends),
        }
    )


def _parameters(spec: ModelSpec, data: Dataset, where: Origins) -> dict[str, Any]:
    return {
        "rows": len(data),
        "rows_drawn": "" if where.sample is None else where.sample.words(),
        "as_of": to_iso(where.now),
        "random_state": where.random_state,
        "data_fingerprint": where.fingerprint,
        "source": where.source.name,
        "code_version": where.commit,
        "features": len(spec.features),
        "step": spec.step,
        "slice": spec.slice,
        "estimator": spec.estimator(where.random_state, 1),
    }


def _files(spec: ModelSpec, made: _Made) -> dict[str, bytes | str | Mapping[str, Any]]:
    features = {f.name: spec.feature_words(f, "en") for f in spec.features}
    return {
        "card.md": made.card.markdown(),
        "card.html": made.card.html(),
        "decision.json": made.decision,
        "features.json": features,
        "report.json": made.report,
        **{f"plots/{picture.name}.png": picture.png for picture in made.card.pictures},
    }
