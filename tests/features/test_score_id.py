from __future__ import annotations

import random

import pytest

from features.score_id import ScoreIdError, ScoreIds, parts_of_id


def test_later_ids_sort_later_whatever_the_clock_does() -> None:
    rng = random.Random(0)
    moments = [10**18 + rng.randrange(-(10**6), 10**6) for _ in range(2_000)]
    ids = ScoreIds(wall=iter(moments).__next__)
    given = [ids.next() for _ in moments]
    assert given == sorted(set(given))
    assert {parts_of_id(each)[1] for each in given} == {ids.process}


def test_an_id_says_when_it_was_given() -> None:
    ids = ScoreIds(wall=lambda: 1_700_000_000_123_456_789)
    assert parts_of_id(ids.next()) == (1_700_000_000_123_456, ids.process)


def test_processes_have_ids_of_their_own() -> None:
    assert len({ScoreIds(wall=lambda: 5_000).next() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("text", ["", "jane", "g" * 26, "0" * 25, "0" * 27, "A" * 26])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ScoreIdError, match="no score's id"):
        parts_of_id(text)
