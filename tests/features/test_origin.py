"""The same source again is known before it is read, and only then."""

from __future__ import annotations

from pathlib import Path

from features.merge import merge
from features.origin import again, origin
from tests.features.ingests import FIRST, LATER, load, state_of


def test_an_ingest_of_the_same_origin_is_known_to_change_nothing(tmp_path: Path) -> None:
    assert again(tmp_path, "one") is None
    first = load(tmp_path, FIRST, origin="one")
    before = state_of(tmp_path)
    known, found = again(tmp_path, "one"), load(tmp_path, FIRST, origin="one")
    assert known is not None
    for done in (known, found):
        assert (done.added, done.repeated, done.rejected, done.changed) == (0, 3, 0, False)
        assert done.log.fingerprint == first.log.fingerprint
    assert state_of(tmp_path) == before
    assert again(tmp_path, "two") is None


def test_after_any_other_change_the_origin_is_read_again(tmp_path: Path) -> None:
    load(tmp_path, FIRST, origin="one")
    merge(tmp_path)
    assert again(tmp_path, "one") is not None
    load(tmp_path, LATER)
    assert again(tmp_path, "one") is None
    done = load(tmp_path, FIRST, origin="one")
    assert (done.changed, done.log.sequence) == (False, 2)
    known = again(tmp_path, "one")
    assert known is not None
    assert (known.repeated, known.log.sequence) == (3, 2)


def test_an_origin_whose_rows_were_rejected_is_read_again(tmp_path: Path) -> None:
    done = load(tmp_path, FIRST, [{**FIRST[0], "amount": 9}], origin="one")
    assert done.rejected == 1
    assert again(tmp_path, "one") is None


def test_an_origin_is_its_files_and_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    paths = [tmp_path / "a", tmp_path / "missing"]
    first = origin(paths, {"seed": 1})
    assert origin(paths, {"seed": 1}) == first
    assert origin(paths, {"seed": 2}) != first
    (tmp_path / "missing").write_text("")
    second = origin(paths, {"seed": 1})
    (tmp_path / "a").write_text("y")
    assert len({first, second, origin(paths, {"seed": 1})}) == 3
