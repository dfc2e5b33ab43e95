from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.curve import Curve

FINITE = st.floats(-1e6, 1e6, width=64)


@given(
    points=st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=30, unique_by=lambda p: p[0]),
    asked=st.lists(FINITE, max_size=20),
)
def test_one_number_gets_the_bits_of_numpys_interpolation(
    points: list[tuple[float, float]], asked: list[float]
) -> None:
    x, y = zip(*sorted(points), strict=True)
    curve = Curve(x, y)
    at = [*asked, *x, x[0] - 1.0, x[-1] + 1.0, *(np.nextafter(x, np.inf)).tolist()]
    np.testing.assert_array_equal([curve(one) for one in at], np.interp(at, x, y))
