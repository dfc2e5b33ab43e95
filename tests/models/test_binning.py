import numpy as np
import pytest

from models.binning import Bins
from models.encoder import Column
from models.linear import Linear

RANDOM = np.random.default_rng(0)
NUMBER = np.where(RANDOM.random(500) < 0.2, np.nan, RANDOM.poisson(3, 500).astype(float))
CATEGORY = np.where(RANDOM.random(500) < 0.2, np.nan, RANDOM.integers(0, 4, 500).astype(float))


@pytest.mark.parametrize(("dtype", "values"), [("int", NUMBER), ("category", CATEGORY)])
def test_terms_add_up_to_the_margin_of_each_values_group(dtype, values):
    bins = Bins.of(0, Column("x", dtype), values)
    margins = RANDOM.normal(size=bins.missing + 1)
    margins[bins.other] = -1.5  # rare levels take the base
    fitted = Linear(-1.5, bins.terms(margins, -1.5))
    asked = np.append(values, [-99.0, 99.0])
    expected = margins[bins.groups(asked)]
    np.testing.assert_allclose(fitted.margins(asked[:, None]), expected, atol=1e-12)


def test_a_numbers_groups_are_of_about_one_size_and_in_order():
    values = RANDOM.normal(size=1_000)
    bins = Bins.of(0, Column("x", "float"), values)
    group = bins.groups(values)
    assert set(np.bincount(group)) <= {99, 100, 101}
    assert (np.diff(group[np.argsort(values)]) >= 0).all()


def test_equal_numbers_are_never_parted():
    values = np.repeat([0.0, 1.0, 7.0], [900, 60, 40])
    bins = Bins.of(0, Column("x", "int"), values)
    assert {len(set(bins.groups(values[values == v]))) for v in (0.0, 1.0, 7.0)} == {1}


def test_what_is_more_than_the_commonest_lowest_value_is_parted_by_itself():
    values = np.concatenate([np.zeros(970), np.arange(1.0, 31.0)])
    assert len(Bins.of(0, Column("x", "int"), values).edges) == 10
    assert Bins.of(0, Column("x", "bool"), (values > 0) * 1.0).edges[1:].tolist() == [1.0]


def test_rare_and_unseen_levels_share_a_group_that_is_not_the_missing_ones():
    values = np.repeat([0.0, 1.0, np.nan], [50, 3, 5])
    bins = Bins.of(0, Column("x", "category"), values)
    assert bins.groups(np.array([0.0, 1.0, 2.0, np.nan])).tolist() == [0, 1, 1, 2]


def test_an_empty_column_has_no_terms():
    bins = Bins.of(0, Column("x", "float"), np.full(9, np.nan))
    assert bins.terms(np.zeros(2), 0.0) == ()
    assert set(bins.groups(np.full(9, np.nan))) == {bins.missing}
