"""What the card of a segmentation says: who the segments are, and whether they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.bootstrap import Estimate
from models.published import PublishedFeature, Segment
from models.spec import ModelSpec
from models.words import value_words
from training import segment_plots
from training.card import Card, Table, percent
from training.naming import concept
from training.plots import png
from training.segmenting import Segmented
from training.story import METRIC_WORDS, Origins, cell, feature_table, source_facts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS_PER_SEGMENT = 3
FEATURES_DRAWN = 14


def segment_metrics(segmented: Segmented) -> dict[str, Estimate]:
    """Return silhouette and stability at the number chosen, each with its interval."""
    choice = segmented.choice
    return {
        "silhouette": segmented.silhouette,
        "stability": Estimate(
            choice.at(choice.stability), choice.at(choice.low), choice.at(choice.high)
        ),
    }


def described(spec: ModelSpec, segmented: Segmented, currency: str) -> tuple[Segment, ...]:
    """Return the segments with their share and what sets them apart, in a sentence."""
    profile, heights = segmented.profile, segmented.heights
    weights = profile["customers"].to_numpy(dtype=float)
    by_name = {feature.name: feature for feature in spec.features}
    segments = []
    for number, name in enumerate(segmented.names):
        said: list[str] = []
        spoken_of: set[str] = set()
        row = heights.iloc[number]
        for column in row.abs().sort_values(ascending=False, kind="stable").index:
            feature = by_name[column]
            about = (concept(feature) or (column, 1))[0]
            if about in spoken_of or len(said) == WORDS_PER_SEGMENT:
                continue
            spoken_of.add(about)
            values = profile[column].to_numpy(dtype=float)
            known = np.isfinite(values)
            everyone = float(np.average(values[known], weights=weights[known]))
            shape = PublishedFeature(column, feature.dtype, feature.unit, (), {})
            own, average = (
                value_words(shape, round(value, 2), currency, "en")
                for value in (float(values[number]), everyone)
            )
            said.append(f"{spec.feature_words(feature, 'en')} {own} (all customers {average})")
        share = float(profile["share"].iloc[number])
        segments.append(Segment(number, name, f"On average: {'; '.join(said)}.", share))
    return tuple(segments)


def segment_card(
    spec: ModelSpec,
    segmented: Segmented,
    segments: tuple[Segment, ...],
    where: Origins,
    reason: str,
) -> Card:
    """Return the card of a segmentation."""
    choice = segmented.choice
    customers = int(segmented.profile["customers"].sum())
    front = Table(
        "The segments",
        ("segment", "share", "what sets it apart"),
        [(s.name, percent(s.share), s.description) for s in segments],
    )
    return Card(
        title=f"{spec.name}: {len(segments)} kinds of customers",
        question=spec.question,
        short=[
            f"{customers:,} customers fall into {len(segments)} segments.",
            choice.reason,
            reason,
        ],
        front=[front],
        statements=where.source.statements,
        details=[
            _curve(segmented),
            _metrics(spec, segmented),
            profile_table(spec, segmented),
            Table("How it was made", ("fact", "value"), source_facts(where)),
            feature_table(spec),
        ],
        plots=[(name, png(figure)) for name, figure in segment_figures(spec, segmented).items()],
    )


def segment_figures(spec: ModelSpec, segmented: Segmented) -> dict[str, Figure]:
    """Return the plots of a segmentation by name."""
    choice, heights = segmented.choice, segmented.heights
    spread = heights.max() - heights.min()
    shown = spread.sort_values(ascending=False, kind="stable").index[:FEATURES_DRAWN]
    words = {f.name: spec.feature_words(f, "en") for f in spec.features}
    return {
        "number_of_segments": segment_plots.cluster_choice(
            choice.numbers, choice.stability, choice.low, choice.high, choice.silhouette,
            chosen=choice.chosen,
        ),
        "segment_profile": segment_plots.segment_profile(
            segmented.names, [words[name] for name in shown], heights[shown].to_numpy()
        ),
    }  # fmt: skip


def profile_table(spec: ModelSpec, segmented: Segmented) -> Table:
    """Return each feature's mean by segment, in the feature's own unit."""
    words = {f.name: f"{spec.feature_words(f, 'en')} [{f.unit}]" for f in spec.features}
    rows = [
        (words.get(str(name), str(name)), *(_number(value) for value in values))
        for name, values in segmented.profile.items()
    ]
    return Table("Profile", ("mean of", *segmented.names), rows)


def _curve(segmented: Segmented) -> Table:
    choice = segmented.choice
    rows = [
        (
            f"{number} (chosen)" if number == choice.chosen else str(number),
            str(Estimate(choice.stability[i], choice.low[i], choice.high[i])),
            f"{choice.silhouette[i]:.3f}",
        )
        for i, number in enumerate(choice.numbers)
    ]
    return Table("How many segments?", ("number", "stability", "silhouette"), rows)


def _metrics(spec: ModelSpec, segmented: Segmented) -> Table:
    found = segment_metrics(segmented)
    rows = [(METRIC_WORDS.get(n, n), cell(found[n])) for n in spec.metrics if n in found]
    return Table("Metrics", ("metric", "value, 95 % interval"), rows)


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
