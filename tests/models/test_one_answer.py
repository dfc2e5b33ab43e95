"""A row alone gets the bits of the row in a batch, whatever engine, curve and table there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from models.bundle import Bundle
from models.calibrator import Calibrator
from models.intervals import Intervals
from models.one_answer import meaning_of
from models.score import Scorer

MARGINS = np.sort(np.random.default_rng(1).normal(scale=3.0, size=40))
CURVES = {
    "identity": Calibrator.identity(),
    "sigmoid": Calibrator.sigmoid(0.7, -0.2),
    "isotonic": Calibrator.isotonic(MARGINS, np.linspace(0.01, 0.98, 40)),
    "venn_abers": Calibrator.venn_abers(MARGINS, np.repeat(np.linspace(0.02, 0.9, 10), 4)),
}
TABLE = Intervals(
    tuple(MARGINS.tolist()),
    tuple(np.linspace(0.0, 0.8, 40).tolist()),
    tuple(np.linspace(0.2, 1.0, 40).tolist()),
)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("table", [None, TABLE], ids=["no intervals", "intervals"])
@pytest.mark.parametrize("cut", [True, False], ids=["cuts", "percentiles"])
def test_tables_looked_up_for_one_say_what_arrays_say(
    made: Any, curve: str, table: Intervals | None, cut: bool
) -> None:
    reference = made.bundle.reference
    reference = reference if cut else replace(reference, cuts=())
    bundle = replace(made.bundle, calibrator=CURVES[curve], intervals=table, reference=reference)
    quantiles = list(reference.margin_quantiles)
    near = [*np.nextafter(quantiles, 9), *np.nextafter(quantiles, -9)]
    margins = np.array([*np.linspace(-40, 40, 3_001), *quantiles, *near, *MARGINS, -0.0, 745.0])
    probability = bundle.calibrator.probability(margins)
    percentile = np.round(reference.percentile(margins), 1)
    meaning = meaning_of(bundle)
    found = [meaning(margin) for margin in margins.tolist()]
    np.testing.assert_array_equal([one.probability for one in found], probability)
    np.testing.assert_array_equal([one.score for one in found], np.round(100 * probability, 1))
    np.testing.assert_array_equal([one.percentile for one in found], percentile)
    assert [one.grade for one in found] == reference.graded(probability, percentile).tolist()
    if table is None:
        assert {one.interval.status for one in found} == {"not_yet"}
    else:
        low, high = table.of(margins)
        lows, highs = np.minimum(low, probability), np.maximum(high, probability)
        np.testing.assert_array_equal([one.interval.low for one in found], lows)
        np.testing.assert_array_equal([one.interval.high for one in found], highs)


def test_a_constant_models_percentile_is_its_middle(made: Any) -> None:
    same = replace(made.bundle.reference, margin_quantiles=(0.5,) * 101)
    meaning = meaning_of(replace(made.bundle, reference=same))
    for margin in (0.4, 0.5, 0.6):
        assert meaning(margin).percentile == same.percentile([margin])[0]


def odd_rows(n: int) -> list[list[Any]]:
    """Raw rows with what a caller may send: missing, unseen, infinite, huge, whole as float."""
    rng = np.random.default_rng(5)
    least = int(np.iinfo(np.int64).min)
    numbers = [None, float("nan"), np.inf, -np.inf, 0, -0.0, 3, 3.5, 2**53 + 1, 10**30, -7, 1e99]
    numbers += [least, np.float64(2.5), np.int64(4), np.float64("nan")]
    texts = [None, "35+", "web", "never seen", "", float("nan"), least]
    flags = [None, True, False, np.bool_(True), 1, 0.0]
    columns = [numbers, numbers, texts, texts, flags]
    return [[column[rng.integers(len(column))] for column in columns] for _ in range(n)]


def test_rows_of_any_kind_say_the_same_alone_and_together(any_bundle: Bundle) -> None:
    rows = odd_rows(400)
    scorer = Scorer(replace(any_bundle, intervals=None), now=lambda: 1_600_000_000_000_001)
    together = scorer.score_many(rows, [7] * len(rows), language="ko")
    alone = [scorer.score(row, 7, language="ko") for row in rows]
    for one, same in zip(alone, together, strict=True):
        assert msgspec.json.encode(one) == msgspec.json.encode(same)


@pytest.mark.parametrize("curve", CURVES)
def test_a_row_alone_is_explained_as_in_a_batch(any_bundle: Bundle, curve: str) -> None:
    rows = odd_rows(80)
    scorer = Scorer(replace(any_bundle, calibrator=CURVES[curve]), now=lambda: 7)
    for top, language in ((2, "en"), (9, "ko")):
        together = scorer.score_many(rows, [7] * len(rows), top, language)
        alone = [scorer.score(row, 7, top, language) for row in rows]
        assert msgspec.json.encode(alone) == msgspec.json.encode(together)


def test_margins_of_odd_rows_are_lightgbms_own(made: Any) -> None:
    rows = odd_rows(300)
    X = np.array([made.bundle.encoder.encode(row) for row in rows])
    scorer = Scorer(made.bundle)
    np.testing.assert_array_equal(
        [scorer.score(row, 0).margin for row in rows],  # type: ignore[union-attr]
        made.oracle.predict(X, raw_score=True),
    )
