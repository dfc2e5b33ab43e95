from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.catalog import CATALOG
from training.naming import concept, names_of
from training.segment_verdict import judge_segments
from training.segmenting import fit_segments, silhouettes
from training.stability import choose_number


def kmeans(number):
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=3, random_state=0)


def groups(n_groups, n=200, seed=0):
    """Clear groups on a circle."""
    random = np.random.default_rng(seed)
    angles = 2 * np.pi * random.integers(0, n_groups, n) / n_groups
    return 6 * np.stack([np.cos(angles), np.sin(angles)], axis=1) + random.normal(size=(n, 2))


@pytest.mark.parametrize("true", [3, 4, 5])
def test_the_number_of_clear_groups_is_found(true):
    choice = choose_number(groups(true), (2, 3, 4, 5, 6), kmeans)
    assert choice.chosen == true
    assert choice.at(choice.stability) > 0.95
    assert (choice.low <= choice.stability).all()


def test_without_groups_the_most_stable_number_is_taken_and_said():
    noise = np.random.default_rng(0).normal(size=(120, 8))
    choice = choose_number(noise, (3, 4, 5, 6), kmeans)
    assert "No number of segments came back" in choice.reason
    assert choice.at(choice.stability) == choice.stability.max()


def test_the_choice_is_the_same_again_and_with_other_threads():
    first, again = (choose_number(groups(4), (2, 3, 4), kmeans, threads=t) for t in (1, 3))
    assert np.array_equal(first.stability, again.stability)
    assert first.chosen == again.chosen


def test_names_are_all_different_even_for_equal_segments():
    names = names_of([{"spend": 1.0, "frequency": 1.0}] * 4)
    assert len(set(names)) == 4


def test_the_vocabulary_knows_the_features_segments_are_made_of(quick):
    assert all(concept(feature) is not None for feature in quick("segments").features)
    assert any(concept(feature) is None for feature in CATALOG)


def test_segments_of_a_company_are_published_once_and_then_kept(log, quick):
    from training.dataset import build, moment

    spec = quick("segments")
    data = build(spec, log, moment(log, None))
    segmented = fit_segments(spec, data.X)
    assert segmented.profile["share"].sum() == pytest.approx(1.0)
    assert np.array_equal(np.bincount(segmented.labels), segmented.profile["customers"])
    decision = judge_segments(segmented, data, None)
    assert decision.publish == "challenger"
    assert decision.promote


def test_rows_without_a_known_value_still_have_a_segment(quick):
    spec = quick("segments")
    random = np.random.default_rng(0)
    X = pd.DataFrame({name: random.gamma(2.0, size=100) for name in spec.feature_names})
    X.iloc[::10, :3] = np.nan
    segmented = fit_segments(spec, X)
    assert len(segmented.labels) == 100


def test_one_segment_alone_has_no_silhouette():
    assert silhouettes(groups(2), np.zeros(200, dtype=np.int64)).tolist() == [0.0] * 200
