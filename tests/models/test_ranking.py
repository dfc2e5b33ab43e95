import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from models.outcomes import MetricError
from models.ranking import Ranked, auc, average_precision, lift_at

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 5).map(lambda i: i / 5), st.integers(0, 3)),
    min_size=2,
    max_size=30,
).filter(lambda rows: len({y for y, _, w in rows if w}) == 2)


def columns(rows):
    y, p, w = zip(*rows, strict=True)
    return np.array(y, int), np.array(p), np.array(w, float)


@given(ROWS)
def test_auc_and_average_precision_agree_with_scikit_learn(rows):
    y, p, w = columns(rows)
    assert auc(y, p, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w))
    kept = w > 0  # scikit-learn 1.9 divides zero by zero where a block weighs nothing
    expected = average_precision_score(y[kept], p[kept], sample_weight=w[kept])
    assert average_precision(y, p, w) == pytest.approx(expected)


@given(ROWS, st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_a_weight_is_as_good_as_repeating_the_row(rows, share):
    y, p, w = columns(rows)
    many = np.repeat(np.arange(len(y)), w.astype(int))
    for metric in (auc, average_precision, lambda *a: lift_at(*a, share=share)):
        assert metric(y, p, w) == pytest.approx(metric(y[many], p[many], None))


@given(ROWS, st.sampled_from([0.1, 0.3, 0.5, 1.0]))
def test_lift_is_the_mean_over_orders_of_tied_rows(rows, share):
    y, p, w = columns(rows)
    cut, taken, found = share * w.sum(), 0.0, 0.0
    for value in sorted(set(p), reverse=True):
        block = p == value
        part = min(w[block].sum(), cut - taken)
        if w[block].sum() > 0:
            found += part * (w * y)[block].sum() / w[block].sum()
        taken += part
    assert lift_at(y, p, w, share) == pytest.approx(found / cut / np.average(y, weights=w))


@given(ROWS, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    for metric in (auc, average_precision, lift_at):
        assert metric(*columns(rows)) == pytest.approx(metric(*columns(shuffled)))


def test_one_answer_alone_defines_no_order():
    with pytest.raises(MetricError, match="same answer"):
        auc([1, 1], [0.2, 0.4])
    with pytest.raises(MetricError, match="same answer"):
        Ranked([0, 1], [0.1, 0.2]).auc(np.array([1.0, 0.0]))


def test_lift_of_everything_is_one():
    assert lift_at([0, 1, 1, 0], [0.1, 0.2, 0.3, 0.4], share=1.0) == pytest.approx(1.0)
