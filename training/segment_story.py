"""What the card of a segmentation says: who the segments are, and whether they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from models.bootstrap import Estimate
from models.published import PublishedFeature, Segment
from models.spec import ModelSpec
from models.words import value_words
from training import segment_plots
from training.card import Card, Table, percent
from training.details import METRIC_WORDS, cell, feature_table
from training.naming import concept
from training.origins import Origins
from training.plots import picture
from training.segment_axes import Axis
from training.segment_memory import GivenName
from training.segmenting import Segmented
from training.stability import RESAMPLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS_PER_SEGMENT = 3
FEATURES_DRAWN = 14
NONE: Mapping[int, GivenName] = {}
ALT = {
    "number_of_segments": "Stability and silhouette by number of segments; both are in the table "
    "'How many segments?'.",
    "segment_migration": "Which segments the customers of each former segment are in now; the "
    "shares are in the table of moves.",
    "segment_sizes": "The share of each segment; it is in the table 'The segments'.",
    "segment_profile": "How far each segment lies from the average customer, feature by feature; "
    "the means are in the table 'Profile'.",
}


def segment_metrics(segmented: Segmented) -> dict[str, Estimate]:
    """Return silhouette and stability at the number chosen, each with its interval."""
    choice = segmented.choice
    return {
        "silhouette": segmented.silhouette,
        "stability": Estimate(
            choice.at(choice.stability), choice.at(choice.low), choice.at(choice.high)
        ),
    }


def described(
    spec: ModelSpec, segmented: Segmented, currency: str, given: Mapping[int, GivenName] = NONE
) -> tuple[Segment, ...]:
    """Return the segments with their share and what sets them apart, in a sentence.

    Parameters
    ----------
    given : mapping of int to GivenName
        What people call segments; their description, where they gave one, is kept.
    """
    profile = segmented.profile
    segments = []
    for place, (number, name) in enumerate(zip(segmented.ids, segmented.names, strict=True)):
        own = given.get(number)
        said = f"On average: {'; '.join(_set_apart(spec, segmented, place, currency))}."
        description = own.description if own is not None and own.description else said
        share = float(profile["share"].iloc[place])
        segments.append(Segment(number, name, description, share, named=own is not None))
    return tuple(segments)


def _set_apart(spec: ModelSpec, segmented: Segmented, place: int, currency: str) -> list[str]:
    """What lies furthest from all customers, one sentence part a concept or column."""
    profile, row = segmented.profile, segmented.heights.iloc[place].abs()
    weights = profile["customers"].to_numpy(dtype=float)
    by_name = {axis.name: axis for axis in segmented.axes}
    said: list[str] = []
    spoken_of: set[str] = set()
    for column in row.sort_values(ascending=False, kind="stable").index:
        axis = by_name[column]
        about = (concept(axis.feature) or (axis.feature.name, 1))[0]
        if about in spoken_of or len(said) == WORDS_PER_SEGMENT:
            continue
        spoken_of.add(about)
        values = profile[column].to_numpy(dtype=float)
        known = np.isfinite(values)
        everyone = float(np.average(values[known], weights=weights[known]))
        shown = _value_words(axis, currency)
        said.append(f"{axis.words(spec)} {shown(float(values[place]))} (all customers "
                    f"{shown(everyone)})")  # fmt: skip
    return said


def _value_words(axis: Axis, currency: str) -> Callable[[float], str]:
    if axis.level is not None:
        return percent
    feature = axis.feature
    # The mean of an ordinal is a place between its levels, told as the nearest of them.
    if feature.dtype == "ordinal":
        return lambda value: feature.levels[round(value)]
    shape = PublishedFeature(axis.name, "float", feature.unit, (), {})
    return lambda value: value_words(shape, round(value, 2), currency, "en")


def segment_card(
    spec: ModelSpec,
    segmented: Segmented,
    segments: tuple[Segment, ...],
    where: Origins,
    reason: str,
) -> Card:
    """Return the card of a segmentation."""
    customers = int(segmented.profile["customers"].sum())
    counts = segmented.profile["customers"].tolist()
    front = Table(
        "The segments",
        ("id", "segment", "customers", "share", "what sets it apart"),
        [
            (str(s.id), s.name, f"{count:,}", percent(s.share), s.description)
            for s, count in zip(segments, counts, strict=True)
        ],
        "Names by people: " + ", ".join(s.name for s in segments if s.named) + "."
        if any(s.named for s in segments)
        else "",
    )
    migration = segmented.migration
    moved = [] if migration is None else [migration.table()]
    found = "fall into" if segmented.choice.good else "do not fall into kinds; tried were"
    return Card(
        title=f"{spec.name}: {len(segments)} kinds of customers"
        if segmented.choice.good
        else f"{spec.name}: no good segmentation",
        question=spec.question,
        short=[
            f"{customers:,} customers {found} {len(segments)} segments.",
            *stability_words(segmented),
            *([] if migration is None else migration.words()),
            reason,
        ],
        front=[front, *moved],
        statements=[*where.source.statements, *_left_out(spec, segmented)],
        details=[
            _curve(segmented),
            _metrics(spec, segmented),
            profile_table(spec, segmented),
            Table("How it was made", ("fact", "value"), where.facts()),
            feature_table(spec),
        ],
        plots=[
            picture(name, figure, ALT[name])
            for name, figure in segment_figures(spec, segmented).items()
        ],
    )


def _left_out(spec: ModelSpec, segmented: Segmented) -> list[str]:
    names = [spec.feature_words(feature, "en") for feature in segmented.alone]
    if not names:
        return []
    return [f"Left out, because nothing else goes together with them: {', '.join(names)}."]


def stability_words(segmented: Segmented) -> list[str]:
    """Return whether the segments hold, in words and with the interval."""
    choice = segmented.choice
    return [
        choice.reason,
        *([segmented.moved] if segmented.moved else []),
        f"Of 100 customers, {100 * choice.at(choice.stability):.0f} stay in their segment when it "
        f"is learned again from others of the same kind ({100 * choice.at(choice.low):.0f} to "
        f"{100 * choice.at(choice.high):.0f} over {RESAMPLES} repetitions).",
    ]


def segment_figures(spec: ModelSpec, segmented: Segmented) -> dict[str, Figure]:
    """Return the plots of a segmentation by name."""
    choice, heights = segmented.choice, segmented.heights
    spread = heights.max() - heights.min()
    shown = spread.sort_values(ascending=False, kind="stable").index[:FEATURES_DRAWN]
    words = {axis.name: axis.words(spec) for axis in segmented.axes}
    moved = segmented.migration
    migration = {} if moved is None else {"segment_migration": segment_plots.migration(moved)}
    return {
        "number_of_segments": segment_plots.cluster_choice(
            choice.numbers, choice.stability, choice.low, choice.high, choice.silhouette,
            chosen=choice.chosen,
        ),
        "segment_profile": segment_plots.segment_profile(
            segmented.names, [words[name] for name in shown], heights[shown].to_numpy()
        ),
        "segment_sizes": segment_plots.sizes(
            segmented.names, segmented.profile["share"].to_numpy(dtype=float)
        ),
        **migration,
    }  # fmt: skip


def profile_table(spec: ModelSpec, segmented: Segmented) -> Table:
    """Return each feature's mean by segment, in the feature's own unit."""
    words = {
        axis.name: f"{axis.words(spec)} [{axis.feature.unit if axis.level is None else 'share'}]"
        for axis in segmented.axes
    }
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
            _number(choice.excess[i]) if np.isfinite(choice.excess[i]) else "not asked",
        )
        for i, number in enumerate(choice.numbers)
    ]
    header = ("number", "stability", "silhouette", "above customers without groups")
    return Table("How many segments?", header, rows)


def _metrics(spec: ModelSpec, segmented: Segmented) -> Table:
    found = segment_metrics(segmented)
    rows = [(METRIC_WORDS.get(n, n), cell(found[n])) for n in spec.metrics if n in found]
    return Table("Metrics", ("metric", "value, 95 % interval"), rows)


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "not known"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
