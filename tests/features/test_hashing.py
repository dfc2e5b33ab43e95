from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from features import hashing
from features.bucket import bucket_of, buckets_of

WORD = 2**64


def mixed(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB % WORD
    return x ^ x >> 31


def hash_of(text: str) -> int:
    """The hash, one text and one byte at a time."""
    content = text.encode()
    found = len(content) * 0x9E3779B97F4A7C15 % WORD
    for start in range(0, max(len(content), 1), 8):
        word = sum(byte << 8 * place for place, byte in enumerate(content[start : start + 8]))
        found = mixed(((found ^ word) + 0x9E3779B97F4A7C15) % WORD)
    return found


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20), st.integers(0, 5))
def test_a_column_is_hashed_as_text_by_text(texts: list[str], first: int) -> None:
    wanted = [hash_of(text) for text in texts]
    column = pa.array(texts, pa.string())
    assert hashing.texts(column).tolist() == wanted
    assert hashing.texts(column.slice(first)).tolist() == wanted[first:]
    chunks = pa.chunked_array([column, column.slice(first), column.slice(0, 0)])
    assert hashing.texts(chunks).tolist() == wanted + wanted[first:]
    assert [bucket_of(text) for text in texts] == buckets_of(column).tolist()


def test_a_missing_text_is_hashed_as_an_empty_one() -> None:
    assert hashing.texts(pa.array([None, "a", ""])).tolist() == [hash_of(t) for t in ("", "a", "")]
