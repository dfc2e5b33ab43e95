from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from models.bundle import Bundle
from models.calibrator import Calibrator
from models.published import PublishedSpec, Segment
from tests.training.planted import NUMBERS, planted, spec_of
from training.segment_identity import Migration, ids_of, matches, overlap, share_kept
from training.segment_memory import GivenName, Remembered
from training.segment_story import described, stability_words
from training.segmenting import Segmented, fit_segments

SPEC = spec_of(*NUMBERS)


def champion_of(
    segmented: Segmented, X: pd.DataFrame, given=None, next_id: int = 0, declared=SPEC
) -> Remembered:
    """What the registry would remember, had this been promoted."""
    spec = PublishedSpec.of(
        declared, horizon="", base_rate=None, currency="EUR", as_of=0, trained_at=0,
        code_version="", segments=described(declared, segmented, "EUR", given or {}), version="1",
    )  # fmt: skip
    encoded = segmented.encoder.transform(X)
    bundle = Bundle.of(spec, segmented.encoder, segmented.clusters, Calibrator.identity(), encoded)
    bundle.verify(spec.feature_hash)
    return Remembered(bundle, given or {}, max([next_id, *(i + 1 for i in segmented.ids)]))


@pytest.fixture(scope="module")
def four():
    X, kind = planted(4)
    return X, kind, fit_segments(SPEC, X)


def test_the_best_assignment_is_found_among_all():
    random = np.random.default_rng(3)
    for _ in range(20):
        old, new = random.integers(4, size=(2, 30))
        new = np.where(random.random(30) < 0.7, (old + 1) % 4, new)
        counts = overlap(old, new, 4, 4)
        either = counts.sum(axis=1)[:, None] + counts.sum(axis=0) - counts
        jaccard = counts / np.maximum(either, 1)
        best = max(permutations(range(4)), key=lambda p: sum(jaccard[o, p[o]] for o in range(4)))
        assert matches(counts) == {best[o]: o for o in range(4) if jaccard[o, best[o]] >= 0.5}


def test_other_numbers_for_the_same_clusters_move_nobody():
    labels = np.random.default_rng(0).integers(5, size=200)
    for order in ([1, 2, 3, 4, 0], [4, 3, 2, 1, 0]):
        assert share_kept(labels, np.array(order)[labels], 5) == 1.0


def test_labels_that_have_nothing_in_common_keep_nobody():
    random = np.random.default_rng(0)
    assert share_kept(random.integers(5, size=500), random.integers(5, size=500), 5) == 0.0


def test_an_id_is_never_given_twice():
    old = (Segment(0, "a", "", 0.5), Segment(2, "b", "", 0.5))
    assert ids_of({}, old, 2, next_id=7) == [7, 8]
    assert ids_of({1: 0}, old, 3, next_id=3) == [3, 0, 4]


@pytest.mark.parametrize("seed", range(5))
def test_retraining_on_a_bootstrap_keeps_ids_and_names(four, seed):
    X, _, first = four
    rows = np.random.default_rng(seed).integers(len(X), size=len(X))
    again = fit_segments(
        SPEC, X.iloc[rows], remembered=champion_of(first, X), random_state=seed + 1
    )
    assert (again.ids, again.names) == (first.ids, first.names)
    now = np.array(again.ids)[again.clusters.assign(again.encoder.transform(X))]
    assert (now == np.array(first.ids)[first.labels]).mean() >= 0.9
    assert again.migration is not None
    assert again.migration.kept >= 0.9


def test_a_vanished_kind_is_said_and_its_id_stays_unused(four):
    X, kind, first = four
    left = X[kind != 2]
    second = fit_segments(SPEC, left, remembered=champion_of(first, X))
    gone = set(first.ids) - set(second.ids)
    assert len(gone) == 1
    assert second.migration is not None
    assert any("No longer found" in said for said in second.migration.words())
    back = fit_segments(SPEC, X, remembered=champion_of(second, left, next_id=4))
    assert set(second.ids) < set(back.ids)
    assert not gone & set(back.ids)
    assert max(back.ids) == 4
    assert any(said.startswith("New: ") for said in back.migration.words())


def test_segments_that_most_customers_would_lose_are_called_unstable(four):
    X, _, first = four
    again = fit_segments(SPEC, X, remembered=champion_of(first, X))
    assert again.moved == ""
    moved = Migration("1", ((0, "a"), (1, "b")), ((0, "a"), (5, "c")), np.array([[89, 0], [0, 11]]))
    lost = replace(again, migration=moved)
    assert "only 89 %" in lost.moved
    assert lost.moved in stability_words(lost)


def test_a_name_by_a_person_survives_retraining(four):
    X, _, first = four
    given = {first.ids[1]: GivenName("Sunday families", "They come on Sundays.")}
    again = fit_segments(SPEC, X, remembered=champion_of(first, X, given), random_state=5)
    segment = described(SPEC, again, "EUR", given)[1]
    assert (segment.name, segment.description) == ("Sunday families", "They come on Sundays.")
    assert segment.named
    assert not described(SPEC, again, "EUR", given)[0].named


def test_without_the_champions_columns_all_segments_are_new(four):
    X, _, first = four
    before = champion_of(first, X)
    other = spec_of(*NUMBERS[1:])
    found = fit_segments(other, X.drop(columns=NUMBERS[0].name), remembered=before)
    assert min(found.ids) == before.next_id
    assert found.migration is None


def test_a_migration_counts_the_same_customers_in_both():
    counts = np.array([[90, 10], [0, 50], [5, 0]])
    moved = Migration("3", ((0, "a"), (1, "b"), (4, "c")), ((0, "a"), (5, "d")), counts)
    assert moved.kept == 90 / 155
    assert "'b' (1), 'c' (4)" in " ".join(moved.words())
    assert moved.table().rows[0] == ("0 a", "90 (90 %)", "10 (10 %)")
    lines = moved.csv().splitlines()
    assert lines[2] == "0,a,5,d,10,0.100000"
    assert len(lines) == 1 + counts.size
    assert moved.text().splitlines()[2].split() == ["1", "b", "-", "50", "(100", "%)"]
