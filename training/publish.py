"""Bundles of what was learned, ready for the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from features.errors import NextbestError
from models.bootstrap import Estimate
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.grades import Cuts
from models.intervals import Intervals
from models.naive_bayes import NaiveBayes
from models.published import PublishedSpec, Segment
from models.spec import ModelSpec
from training.card import Card
from training.dataset import Dataset
from training.details import engine_words
from training.evaluate import Judgement
from training.evidence import count
from training.learn import Learned
from training.origins import Origins, horizon_words
from training.segment_story import segment_metrics
from training.segmenting import Segmented


class PublishError(NextbestError):
    """A candidate that has no form in which it could serve."""


def plain(metrics: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    """Return metrics as JSON knows them: name -> value, low, high (and why there is none)."""
    return {name: asdict(estimate) for name, estimate in metrics.items()}


def probability_bundle(
    learned: Learned,
    shown: Judgement,
    where: Origins,
    decision: Mapping[str, Any],
    card: Card,
    cuts: Cuts,
    intervals: Intervals | None = None,
) -> Bundle:
    """Return the bundle of a probability model.

    Parameters
    ----------
    learned : Learned
    shown : Judgement
        Which of its candidates is published.
    where : Origins
    decision : mapping
        The gate's, as plain values.
    card : Card
    intervals : Intervals, optional
        Of the candidate that is published.
    cuts : tuple of (str, float)
        Of the grades.
    """
    others = [each for each in learned.evaluation.baselines if each.name != shown.name]
    spec = PublishedSpec.of(
        learned.spec,
        horizon=horizon_words(learned.spec.label),
        base_rate=learned.base_rate,
        engine=engine_words(shown),
        metrics=plain(shown.metrics),
        baselines={each.name: plain(each.metrics) for each in others},
        **_shared(where, decision),
    )
    data, train = learned.data, learned.split.train
    # What a score is compared with: the latest rows the model was judged on.
    latest = data.X.iloc[learned.split.test]
    fitted = shown.fitted
    if isinstance(fitted.engine, NaiveBayes):
        raise PublishError(
            f"{fitted.name} is a baseline that is shown, not one that can serve.",
            remedy="Publish the model, or a baseline whose `publishable` is true.",
        )
    return Bundle.of(
        spec,
        fitted.encoder,
        fitted.engine,
        fitted.calibrator,
        fitted.encoder.transform(latest),
        card_markdown=card.markdown(),
        card_html=card.html(),
        intervals=intervals,
        evidence=count(
            learned.spec,
            fitted.encoder,
            fitted.encoder.transform(data.X.iloc[train]),
            data.y.to_numpy()[train],
            data.rows["customer_id"].to_numpy()[train],
        ),
        cuts=cuts,
    )


def segment_bundle(
    spec: ModelSpec,
    data: Dataset,
    segmented: Segmented,
    segments: tuple[Segment, ...],
    where: Origins,
    decision: Mapping[str, Any],
    card: Card,
) -> Bundle:
    """Return the bundle of a segmentation."""
    published = PublishedSpec.of(
        spec,
        horizon="",
        base_rate=None,
        engine=f"k-means, {len(segments)} segments",
        metrics=plain(segment_metrics(segmented)),
        segments=segments,
        **_shared(where, decision),
    )
    return Bundle.of(
        published,
        segmented.encoder,
        segmented.clusters,
        Calibrator.identity(),
        segmented.encoder.transform(data.X),
        card_markdown=card.markdown(),
        card_html=card.html(),
    )


def _shared(where: Origins, decision: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "currency": where.source.currency,
        "as_of": where.now,
        "trained_at": where.trained_at,
        "code_version": where.commit,
        "statements": tuple(where.source.statements),
        "decision": dict(decision),
    }
