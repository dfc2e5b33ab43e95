import numpy as np
import pytest

from features.large_pages import LARGE_PAGE, spacious


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (2, 7), (1, LARGE_PAGE // 8), (47, 30_011)])
def test_a_matrix_is_as_asked_for_and_can_be_written(shape):
    matrix = spacious(*shape)
    assert matrix.shape == shape
    assert matrix.dtype == np.int64
    assert matrix.flags["C_CONTIGUOUS"]
    matrix[...] = 7
    assert (matrix == 7).all()


def test_only_what_fills_a_large_page_starts_at_one():
    assert spacious(1, LARGE_PAGE // 8).ctypes.data % LARGE_PAGE == 0
    small = spacious(1, LARGE_PAGE // 8 - 1)
    assert small.base is None
