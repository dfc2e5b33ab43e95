from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.dictionary import Dictionary
from features.errors import BadInputError

texts = st.lists(st.none() | st.text(max_size=4))


@given(texts, texts)
def test_codes_lead_back_to_their_texts_and_never_move(
    first: list[str | None], second: list[str | None]
) -> None:
    dictionary = Dictionary()
    before = dictionary.codes(first)
    levels = list(dictionary.levels)
    after = dictionary.codes(second)
    assert dictionary.levels[: len(levels)] == levels
    assert np.array_equal(dictionary.codes(first), before)
    assert [dictionary.text(code) for code in before] == first
    assert [dictionary.text(code) for code in after] == second


def test_asking_for_a_code_adds_nothing() -> None:
    dictionary = Dictionary(["a"])
    assert (dictionary.code("b"), len(dictionary)) == (-1, 1)


@settings(deadline=None)  # the disk may be slow
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True))
def test_a_dictionary_survives_being_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, levels: list[str]
) -> None:
    path = tmp_path_factory.mktemp("dictionary") / "words.json"
    Dictionary(levels).save(path)
    assert Dictionary.load(path).levels == levels


@pytest.mark.parametrize("content", ["", "{}", "[1]", "[", '["a", null]'])
def test_a_damaged_dictionary_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "words.json"
    path.write_text(content)
    with pytest.raises(BadInputError, match=r"words\.json is no dictionary"):
        Dictionary.load(path)
