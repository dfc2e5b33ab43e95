from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import id_index
from features.keys import Keys

words = st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1), st.just(2**64 - 1))
pairs = st.lists(st.lists(st.tuples(words, words), max_size=12), min_size=1, max_size=4)


def keys_of(found: list[tuple[int, int]]) -> Keys:
    ids, contents = (np.array([pair[n] for pair in found], dtype=np.uint64) for n in (0, 1))
    return Keys(ids, contents)


@settings(deadline=None)
@given(pairs, st.integers(1, 40))
def test_merged_indexes_hold_every_key_sorted_and_find_it(
    tmp_path_factory: pytest.TempPathFactory, found: list[list[tuple[int, int]]], at_once: int
) -> None:
    folder = tmp_path_factory.mktemp("index")
    segments = []
    for number, held in enumerate(found):
        id_index.write(folder / f"{number}.u64", [keys_of(held)])
        segments.append(id_index.load(folder / f"{number}.u64"))
    id_index.merge(folder / "all.u64", segments, at_once)
    whole = id_index.load(folder / "all.u64")
    every = [pair for held in found for pair in held]
    assert whole.ids.tolist() == sorted(one for one, _ in every)
    assert sorted(zip(whole.ids.tolist(), whole.contents.tolist(), strict=True)) == sorted(every)
    asked = np.unique(np.array([1, 7, *(one for one, _ in every)], dtype=np.uint64))
    times = Counter(one for one, _ in every)
    for index in (segments, [whole]):
        told = id_index.find(index, asked)
        assert told.times.tolist() == [times[one] for one in asked.tolist()]
        for one, said in zip(asked.tolist(), told.contents.tolist(), strict=True):
            assert (one, said) in every or not times[one]


@settings(deadline=None)
@given(st.lists(words, max_size=30), st.integers(1, 9))
def test_every_id_lies_within_one_range(ids: list[int], at_once: int) -> None:
    column = np.array(ids, dtype=np.uint64)
    rows = [id_index.within(column, b) for b in id_index.ranges(len(ids), at_once)]
    assert sorted(np.concatenate(rows).tolist()) == list(range(len(ids)))
    held = [column[part].tolist() for part in rows]
    assert [one for part in held for one in sorted(part)] == sorted(ids)


def test_an_empty_index_is_an_empty_file(tmp_path: Path) -> None:
    id_index.write(tmp_path / "none.u64", [])
    assert id_index.load(tmp_path / "none.u64").ids.tolist() == []
