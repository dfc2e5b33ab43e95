from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import BadInputError
from models.averaging import weighted_sum
from models.blend import Blend
from models.booster import Booster
from models.bundle import Bundle
from models.linear import Linear
from models.score import Scorer


def two_boosters(made: Any) -> list[Booster]:
    import lightgbm

    y = (np.nan_to_num(made.X[:, 0]) > 3).astype(int)
    data = lightgbm.Dataset(made.X, y, categorical_feature=[3], free_raw_data=False)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 6}
    grown = [lightgbm.train(settings | {"seed": n}, data, 10 + n) for n in range(2)]
    return [Booster(booster.model_to_string()) for booster in grown]


def test_a_blend_is_the_sum_of_its_parts(blend_bundle: Bundle, made: Any) -> None:
    blend = blend_bundle.engine
    assert isinstance(blend, Blend)
    parts = blend.linear.margins(made.X) + blend.booster.margins(made.X)
    np.testing.assert_array_equal(blend.margins(made.X), parts)


def test_one_row_of_a_blend_gives_the_bits_it_gives_among_many(
    blend_bundle: Bundle, made: Any
) -> None:
    blend = blend_bundle.engine
    assert isinstance(blend, Blend)
    rows = made.X[:200]
    assert [blend.margin(row) for row in rows] == blend.margins(rows).tolist()


def test_contributions_of_a_blend_add_up_to_its_margin(blend_bundle: Bundle, made: Any) -> None:
    blend = blend_bundle.engine
    assert isinstance(blend, Blend)
    sums = blend.contributions(made.X).sum(axis=1)
    np.testing.assert_allclose(sums, blend.margins(made.X), rtol=0, atol=1e-9)


def test_reasons_of_a_blend_name_what_either_part_sees(blend_bundle: Bundle, made: Any) -> None:
    rows = [
        list(row) for row in zip(*(values[:50] for values in made.columns.values()), strict=True)
    ]
    named = {
        reason.code
        for score in Scorer(blend_bundle).score_many(rows, [0] * 50, explain=9)
        for reason in score.reasons
    }
    only = Scorer(Bundle.of(
        blend_bundle.spec, blend_bundle.encoder, blend_bundle.engine.linear,
        blend_bundle.calibrator, made.X,
    ))  # fmt: skip
    linear = {r.code for s in only.score_many(rows, [0] * 50, explain=9) for r in s.reasons}
    assert linear < named


def test_a_published_blend_is_two_plain_files(blend_bundle: Bundle, tmp_path: Path) -> None:
    folder = blend_bundle.save(tmp_path / "1")
    engine = Bundle.load(folder).engine
    assert isinstance(engine, Blend)
    assert isinstance(blend_bundle.engine, Blend)
    assert engine.linear == blend_bundle.engine.linear
    assert engine.booster.text == (folder / "booster.txt").read_text()


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.3, 1.7), (-1.0, 1.0)])
def test_boosters_become_one_that_answers_their_weighted_sum(
    weights: tuple[float, float], made: Any
) -> None:
    boosters = two_boosters(made)
    one = Booster(weighted_sum([booster.text for booster in boosters], weights))
    for answer in ("margins", "contributions"):
        expected = sum(
            weight * getattr(booster, answer)(made.X)
            for weight, booster in zip(weights, boosters, strict=True)
        )
        np.testing.assert_allclose(getattr(one, answer)(made.X), expected, rtol=0, atol=1e-12)
    assert one.text.count("\nTree=") == 21


def test_trees_that_found_no_split_are_averaged_too(made: Any) -> None:
    import lightgbm

    data = lightgbm.Dataset(made.X[:40], np.arange(40) % 2)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 30}
    text = lightgbm.train(settings, data, 2).model_to_string()
    assert "num_leaves=1\n" in text
    one = Booster(weighted_sum([text, two_boosters(made)[0].text], [0.5, 0.5]))
    expected = 0.5 * (Booster(text).margins(made.X) + two_boosters(made)[0].margins(made.X))
    np.testing.assert_allclose(one.margins(made.X), expected, rtol=0, atol=1e-12)


def test_one_booster_of_weight_one_keeps_its_bits(made: Any) -> None:
    booster = two_boosters(made)[0]
    one = Booster(weighted_sum([booster.text], [1.0]))
    np.testing.assert_array_equal(one.margins(made.X), booster.margins(made.X))


def test_lightgbm_reads_and_writes_the_averaged_text(made: Any) -> None:
    import lightgbm

    text = weighted_sum([booster.text for booster in two_boosters(made)], [0.5, 0.5])
    again = lightgbm.Booster(model_str=text).model_to_string()
    np.testing.assert_array_equal(Booster(again).margins(made.X), Booster(text).margins(made.X))


@pytest.mark.parametrize(("texts", "weights"), [([], []), (["tree\n"], [0.5, 0.5])])
def test_boosters_without_their_weights_are_refused(texts: list[str], weights: list[float]) -> None:
    with pytest.raises(BadInputError, match="weights"):
        weighted_sum(texts, weights)


def test_a_scaled_linear_gives_scaled_margins() -> None:
    from tests.models.conftest import LINEAR

    X = np.array([[1.0, np.nan, 0.0, 2.0, 5.0], [3.0, 80.0, 1.0, 1.0, np.nan]])
    np.testing.assert_allclose(LINEAR.scaled(0.25).margins(X), 0.25 * LINEAR.margins(X))
    assert Linear(2.0).scaled(0.5) == Linear(1.0)
