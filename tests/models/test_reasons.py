from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from features.errors import BadInputError
from models.calibrator import Calibrator
from models.published import PublishedSpec
from models.reasons import Explainer, effects

CONTRIBUTIONS = np.array([0.5, -1.0, 0.0, 0.2, -0.3, -2.0])
VALUES = [12, None, "35+", "web", False]


def reasons(spec: PublishedSpec, top: int = 10, language: str = "en") -> list[Any]:
    margin = np.array([CONTRIBUTIONS.sum()])
    found = effects(CONTRIBUTIONS[None, :], margin, Calibrator.identity())[0]
    explainer = Explainer(spec)
    return explainer.explain(VALUES, CONTRIBUTIONS[:-1], found, top, language)


def test_an_effect_is_what_the_probability_loses_without_the_contribution() -> None:
    calibrator = Calibrator.isotonic([-3.0, 0.0, 2.0], [0.1, 0.3, 0.9])
    rng = np.random.default_rng(0)
    contributions = rng.normal(size=(50, 4))
    margins = contributions.sum(axis=1)
    found = effects(contributions, margins, calibrator)
    for i in range(50):
        for j in range(3):
            without = margins[i] - contributions[i, j]
            expected = calibrator.probability(margins[i]) - calibrator.probability(without)
            assert found[i, j] == expected


def test_reasons_come_by_size_and_without_those_that_add_nothing(
    published_spec: Callable[..., PublishedSpec],
) -> None:
    found = reasons(published_spec())
    assert [r.code for r in found] == ["spent", "orders", "member", "channel"]
    assert [r.direction for r in found] == ["lowers", "raises", "lowers", "raises"]
    assert [r.value for r in found] == [None, 12, False, "web"]
    assert all((r.effect > 0) == (r.direction == "raises") for r in found)
    sizes = [abs(r.effect) for r in found]
    assert sizes == sorted(sizes, reverse=True)


def test_no_more_reasons_than_asked(published_spec: Callable[..., PublishedSpec]) -> None:
    assert [len(reasons(published_spec(), top)) for top in (-1, 0, 1, 3)] == [0, 0, 1, 3]


def test_words_carry_the_customers_own_value(published_spec: Callable[..., PublishedSpec]) -> None:
    english, korean = reasons(published_spec()), reasons(published_spec(), language="ko")
    assert english[0].words.startswith("amount spent: not known (lowers it by ")
    assert english[1].words.startswith("orders: 12 (raises it by ")
    assert korean[1].words.startswith("주문 수: 12 (확률을 ")
    with pytest.raises(BadInputError, match="Choose en or ko"):
        reasons(published_spec(), language="fr")


def test_where_the_curve_is_flat_the_contribution_decides(
    published_spec: Callable[..., PublishedSpec],
) -> None:
    explainer = Explainer(published_spec())
    found = explainer.explain(VALUES, CONTRIBUTIONS[:-1], np.zeros(5), 2)
    assert [(r.code, r.direction, r.effect) for r in found] == [
        ("spent", "lowers", 0.0),
        ("orders", "raises", 0.0),
    ]


def test_values_of_numpy_and_infinities_become_plain(
    published_spec: Callable[..., PublishedSpec],
) -> None:
    values = [np.int64(3), np.float64("inf"), None, np.str_("web"), np.bool_(True)]
    found = Explainer(published_spec()).explain(values, np.ones(5), np.ones(5), 5)
    plain = {r.code: r.value for r in found}
    assert plain == {"orders": 3, "spent": None, "age": None, "channel": "web", "member": True}
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[type(found[0])]) == found
