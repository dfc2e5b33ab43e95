from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from features.catalog import CATALOG
from features.declare import attribute
from models.clusters import Clusters
from models.score import Scorer
from tests.training.planted import CATEGORIES, NUMBERS, planted, spec_of, structureless
from tests.training.test_segment_identity import champion_of
from training.naming import concept, names_of
from training.segment_axes import NoColumnsError, space_of
from training.segment_groups import MOST_OF_ONE, side_of, weights_of
from training.segment_null import Excess
from training.segment_verdict import judge_segments
from training.segmenting import fit_segments, silhouettes
from training.stability import STABLE, choose_number, decided


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
    assert choice.good
    assert choice.stable
    assert choice.at(choice.stability) > 0.95
    assert (choice.low <= choice.stability).all()


def test_planted_kinds_are_found_whole():
    X, kind = planted(4)
    found = fit_segments(spec_of(*NUMBERS), X)
    pairs = Counter(zip(found.labels.tolist(), kind.tolist(), strict=True))
    assert found.choice.chosen == 4
    assert sum(n for _, n in pairs.most_common(4)) == len(X)


@pytest.mark.parametrize(
    "form", ["one crowd", "one crowd with correlations", "a filled box", "long tails"]
)
def test_where_there_are_no_kinds_that_is_the_answer(form):
    for seed in range(2):
        X = structureless(form, seed=seed)
        found = fit_segments(spec_of(*NUMBERS, clusters=(2, 3, 4, 6)), X)
        assert not found.choice.good, (form, found.choice.reason)
        assert found.choice.reason.startswith("There is no good segmentation: ")


def test_without_good_segments_nothing_is_published_and_the_present_ones_stay():
    spec = spec_of(*NUMBERS, clusters=(2, 3))
    X, _ = planted(3)
    champion = champion_of(fit_segments(spec, X), X).bundle
    nothing = structureless("one crowd")
    found = fit_segments(spec, nothing)
    first = judge_segments(found, dataset(nothing), None)
    later = judge_segments(found, dataset(nothing), champion)
    assert (first.promote, first.publish) == (False, "nothing")
    assert (later.promote, later.publish) == (False, "champion")
    assert "no good segmentation" in first.reason
    assert all(np.isfinite(value) for value in later.numbers.values())


def dataset(X):
    from training.dataset import Dataset

    return Dataset(X, pd.Series(dtype=np.int64), pd.DataFrame(index=X.index))


def test_the_choice_is_the_same_again_and_with_other_threads():
    first, again = (choose_number(groups(4), (2, 3, 4), kmeans, threads=t) for t in (1, 3))
    assert np.array_equal(first.stability, again.stability)
    assert first.chosen == again.chosen


def test_the_present_number_stays_unless_another_is_clearly_better():
    Z = groups(4)
    assert choose_number(Z, (3, 4), kmeans, present=4).chosen == 4
    assert choose_number(Z, (3, 4), kmeans, present=3).chosen == 4


def test_the_present_number_stays_where_chance_would_choose_another():
    kept = np.array([np.full(20, 0.97), np.full(20, 0.85)])
    curve = {0: Excess(0.06, real=True), 1: Excess(0.05, real=True)}
    assert decided((3, 8), kept, curve)[0] == 0
    place, good, reason = decided((3, 8), kept, curve, present=8)
    assert (place, good) == (1, True)
    assert "unstable" in reason
    assert "no other is clearly better" in reason
    lost = np.array([np.full(20, 0.97), np.full(20, 0.6)])
    assert decided((3, 8), lost, curve, present=8)[0] == 0
    assert decided((3, 8), kept, curve | {1: Excess(0.05, real=False)}, present=8)[0] == 0


def test_the_present_number_goes_only_where_hardly_any_retraining_brings_it_back():
    luck = np.array([np.full(20, 0.97), np.r_[np.full(14, 0.6), np.full(6, 0.9)]])
    curve = {0: Excess(0.06, real=True), 1: Excess(0.05, real=True)}
    place, _, reason = decided((4, 8), luck, curve, present=8)
    assert place == 1
    assert "unstable" in reason


def test_segments_that_few_retrainings_lose_are_unstable_though_most_are_kept_on_average():
    kept = np.r_[np.full(18, 0.97), 0.7, 0.7][None]
    good, reason = decided((4,), kept, {0: Excess(0.2, real=True)})[1:]
    assert good
    assert "unstable" in reason
    assert "70 % or fewer in one of 20" in reason


def test_what_is_hardly_stable_must_lie_clearly_apart():
    def answer(share, value):
        return decided((3,), np.full((1, 20), share), {0: Excess(value, real=True)})[1:]

    assert answer(0.95, 0.05)[0]
    good, reason = answer(0.85, 0.15)
    assert good
    assert "unstable" in reason
    for share, value in ((0.85, 0.05), (0.7, 0.3)):
        good, reason = answer(share, value)
        assert not good
        assert "no number of segments comes back" in reason


COINS = (
    attribute("coin"),
    attribute("gender"),
    attribute("flag", number=True),
    attribute("drawn", number=True),
)


def with_coins(X, seed):
    """Beside other columns those that say nothing: two of them whole sides of a customer."""
    random, n = np.random.default_rng(seed), len(X)
    return X.assign(
        coin=random.choice(np.array(["heads", "tails"], dtype=object), n),
        gender=random.choice(np.array(["f", "m"], dtype=object), n),
        flag=(random.random(n) < 0.3).astype(float),
        drawn=random.random(n),
    )


@pytest.mark.parametrize("kinds", [3, 4])
def test_columns_that_nothing_goes_together_with_split_no_kind(kinds):
    X, kind = planted(kinds, n=600)
    spec = spec_of(*NUMBERS, *COINS)
    found = fit_segments(spec, with_coins(X, 100))
    pairs = Counter(zip(found.labels.tolist(), kind.tolist(), strict=True))
    assert found.choice.chosen == kinds
    assert sum(n for _, n in pairs.most_common(kinds)) == len(X)
    assert {axis.feature for axis in found.axes} == set(NUMBERS)
    assert found.alone == COINS


def test_coins_alone_are_no_segmentation():
    X = with_coins(pd.DataFrame(index=range(600)), 1)
    found = fit_segments(spec_of(*COINS, clusters=(2, 3, 4)), X)
    assert not found.choice.good
    assert found.alone == ()


def kinds_of_a_table(n=600, seed=0):
    """Three kinds told by categories and numbers together, with gaps and a useless id."""
    random = np.random.default_rng(seed)
    kind = random.integers(3, size=n)
    region = np.array(["north", "south", "west"], dtype=object)[kind]
    contract = np.array(["monthly", "yearly", "yearly"], dtype=object)[kind]
    noisy = random.random(n) < 0.05
    region[noisy] = random.choice(["north", "south", "west"], noisy.sum())
    contract[random.random(n) < 0.2] = None
    X = pd.DataFrame({"home_region": region, "contract": contract})
    X[NUMBERS[0].name] = random.normal(np.array([5.0, 30.0, 50.0])[kind], 4.0)
    X[NUMBERS[1].name] = np.where(random.random(n) < 0.1, np.nan, random.normal(20, 5, n))
    X["badge"] = [f"b{i}" for i in range(n)]
    X["constant"] = "same"
    return X, kind


TABLE = spec_of(
    *CATEGORIES, *NUMBERS[:2], attribute("badge"), attribute("constant"), clusters=(2, 3, 4)
)


@pytest.fixture(scope="module")
def table():
    X, kind = kinds_of_a_table()
    return X, kind, fit_segments(TABLE, X)


def test_kinds_told_by_categories_are_found_and_described(table):
    X, kind, found = table
    pairs = Counter(zip(found.labels.tolist(), kind.tolist(), strict=True))
    assert found.choice.chosen == 3
    assert sum(n for _, n in pairs.most_common(3)) > 0.95 * len(X)
    assert {axis.feature.name for axis in found.axes} == {
        "home_region", "contract", NUMBERS[0].name,
    }  # fmt: skip
    assert [feature.name for feature in found.alone] == [NUMBERS[1].name]
    assert "contract = not known" in found.heights.columns
    assert found.profile["home_region = north"].between(0, 1).all()


def test_a_row_alone_gets_the_segment_it_had_in_training(table):
    X, _, found = table
    page = io.BytesIO()
    found.clusters.save(page)
    loaded = Clusters.load(io.BytesIO(page.getvalue()))
    rows = X.astype(object).where(X.notna(), None).to_numpy().tolist()
    alone = [loaded.assign(found.encoder.encode(row)[None])[0] for row in rows]
    assert alone == found.labels.tolist()


def test_serving_gives_the_lasting_id(table):
    X, _, found = table
    bundle = champion_of(found, X, declared=TABLE).bundle
    rows = X.astype(object).where(X.notna(), None).to_numpy().tolist()[:50]
    served = [score.segment.id for score in Scorer(bundle).score_many(rows, [0] * 50)]
    assert served == [found.ids[label] for label in found.labels[:50]]


def test_every_side_of_a_customer_weighs_the_same():
    sides = ["behavioural"] * 30 + ["demographic"] * 5 + ["geographic"] * 4
    weights = weights_of(sides)
    totals = {side: sum(w for w, s in zip(weights, sides, strict=True) if s == side)
              for side in set(sides)}  # fmt: skip
    assert list(totals.values()) == pytest.approx([13.0] * 3)
    lonely = weights_of(["behavioural"] * 30 + ["geographic"])
    assert lonely[-1] / lonely.sum() == pytest.approx(MOST_OF_ONE)


def test_an_axis_has_the_variance_of_its_columns_weight(table):
    X, _, found = table
    encoded = found.encoder.transform(X)
    space = space_of(TABLE, found.encoder, encoded)
    variances = space.average.scaled(encoded).var(axis=0)
    names = [axis.feature.name for axis in space.axes]
    chosen = list(dict.fromkeys(names))
    sides = {axis.feature.name: side_of(axis.feature) for axis in space.axes}
    weights = weights_of([sides[name] for name in chosen])
    assert len(chosen) == 3
    for name, weight in zip(chosen, weights, strict=True):
        total = sum(v for v, n in zip(variances, names, strict=True) if n == name)
        # Of a number with gaps, those with gaps stand at the mean.
        assert total == pytest.approx(weight, rel=0.15)


@pytest.mark.parametrize(
    ("values", "words"), [(["same"] * 50, "one value"), (["a", "b", None] * 20, "too few")]
)
def test_customers_that_cannot_be_told_apart_are_an_error(values, words):
    with pytest.raises(NoColumnsError, match=words):
        fit_segments(spec_of(attribute("plan"), clusters=(2, 3)), pd.DataFrame({"plan": values}))


def test_names_are_all_different_even_for_equal_segments():
    names = names_of([{"spend": 1.0, "frequency": 1.0}] * 4)
    assert len(set(names)) == 4


def test_the_vocabulary_knows_the_features_segments_are_made_of(quick):
    assert all(concept(feature) is not None for feature in quick("segments").features)
    assert any(concept(feature) is None for feature in CATALOG)


def test_segments_of_a_company_are_stable_and_published(log, quick):
    from training.dataset import build, moment

    spec = quick("segments")
    data = build(spec, log, moment(log, None))
    segmented = fit_segments(spec, data.X)
    assert segmented.profile["share"].sum() == pytest.approx(1.0)
    assert np.array_equal(np.bincount(segmented.labels), segmented.profile["customers"])
    decision = judge_segments(segmented, data, None)
    assert decision.publish == "challenger"
    assert decision.promote
    assert decision.numbers["stability"] >= STABLE


def test_one_segment_alone_has_no_silhouette():
    assert silhouettes(groups(2), np.zeros(200, dtype=np.int64)).tolist() == [0.0] * 200
