"""The report of a run for programs: every figure with its interval, as plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from features.clock import to_iso
from features.errors import BadInputError
from models.bootstrap import Estimate, evaluate
from models.finding import Finding
from training.evaluate import Judgement
from training.grading import Grading
from training.learn import Learned
from training.origins import Origins, horizon_words

METRICS = {
    "auc": "auc",
    "average_precision": "average_precision",
    "log_loss": "log_loss",
    "brier": "brier",
    "ece": "ece",
    "calibration_slope": "calibration_slope",
    "calibration_intercept": "calibration_intercept",
    "lift_at_10pct": "lift_at_10",
}
"""Key of the report -> name in :data:`models.metrics.METRICS`."""

FULL = "full"
RESAMPLES = 500


def report(
    learned: Learned,
    decision: Mapping[str, Any],
    graded: Grading,
    published: str,
    where: Origins,
) -> dict[str, Any]:
    """Return what a run measured, as documented in docs/models.md.

    The metrics are those of the model that was trained, on rows it did not learn from; grades are
    those of what is published, which may be a baseline in its place.

    Parameters
    ----------
    learned : Learned
    decision : mapping
        The gate's, as plain values.
    graded : Grading
    published : str
        Name of the candidate in the bundle.
    where : Origins
    """
    spec, evaluation = learned.spec, learned.evaluation
    return {
        "model": spec.name,
        "question": spec.question,
        "horizon": horizon_words(spec.label),
        "mode": learned.mode,
        "until_next": learned.until_next,
        "engine": evaluation.model.name,
        "published": published,
        **figures(learned, evaluation.model),
        "n_train": len(learned.split.train),
        "n_test": len(learned.split.test),
        "n_test_customers": len(set(evaluation.customers.tolist())),
        "n_test_positives": int(evaluation.y.sum()),
        "base_rate": learned.base_rate,
        "split": learned.split.words(),
        "baselines": {each.name: figures(learned, each) for each in evaluation.baselines},
        "rivals": {each.name: figures(learned, each) for each in evaluation.rivals},
        "best_baseline": evaluation.best_baseline.name,
        "log_loss_over_best_baseline": _plain(
            Estimate(
                evaluation.difference.mean, evaluation.difference.low, evaluation.difference.high
            )
        ),
        "beats_best_baseline": evaluation.beats,
        "findings": [finding.to_json() for finding in findings(learned)],
        "grades": [asdict(check) | {"kept": check.kept} for check in graded.checks],
        "grades_kept_from": graded.kept_from,
        "backtest": [
            {
                "begins": to_iso(origin.begins),
                "ends": to_iso(origin.ends),
                "rows": origin.rows,
                "positives": origin.positives,
                "log_loss": {name: loss / origin.rows for name, loss in origin.losses.items()},
            }
            for origin in learned.origins
        ],
        "decision": dict(decision),
        "features": list(spec.feature_names),
        **where.plain(),
    }


def figures(learned: Learned, judged: Judgement) -> dict[str, dict[str, float | None]]:
    """Return a candidate's metrics by the report's keys; those its spec leaves out are computed."""
    evaluation = learned.evaluation
    missing = [name for name in METRICS.values() if name not in judged.metrics]
    found = judged.metrics | evaluate(
        missing, evaluation.y, judged.p, evaluation.customers, RESAMPLES, 0
    )
    return {key: _plain(found[name]) for key, name in METRICS.items()}


def segment_report(
    model: str, metrics: Mapping[str, Estimate], decision: Mapping[str, Any], where: Origins
) -> dict[str, Any]:
    """Return the shorter report of a segmentation, which predicts nothing."""
    return {
        "model": model,
        **{name: _plain(estimate) for name, estimate in metrics.items()},
        "decision": dict(decision),
        **where.plain(),
    }


def findings(learned: Learned) -> tuple[Finding, ...]:
    """Return what looked wrong with the columns, the severe ones first."""
    return tuple(sorted(learned.findings, key=lambda finding: finding.severity != "severe"))


def check_report_path(path: Path) -> None:
    """Say before the work that a report could not be written after it.

    Raises
    ------
    BadInputError
        The ending is not .json, or the folder does not exist.
    """
    if path.suffix != ".json":
        raise BadInputError(f"{path} is no .json file.", remedy="Give --report this ending.")
    if not path.parent.is_dir() or path.is_dir():
        raise BadInputError(
            f"{path} cannot be written: {path.parent} is no folder."
            if not path.is_dir()
            else f"{path} is a folder.",
            remedy="Choose another --report, or make the folder first.",
        )


def write_report(path: Path, reports: Mapping[str, Mapping[str, Any]]) -> None:
    """Write reports by model as JSON, or one alone as it is; the file is never half-written.

    Raises
    ------
    BadInputError
        The file cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "out.json"
    ...     write_report(path, {"churn": {"n_test": 3}})
    ...     json.loads(path.read_text())
    {'n_test': 3}
    """
    check_report_path(path)
    content = next(iter(reports.values())) if len(reports) == 1 else reports
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2)
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(f"{text}\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BadInputError(
            f"{path} cannot be written: {error.strerror or error}.",
            remedy="Choose another --report.",
        ) from error


def _plain(estimate: Estimate) -> dict[str, float | None]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
