from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from models.abstention import ANSWERED, NOTHING_KNOWN, OUTSIDE_TRAINING, Abstain, Judge
from models.bundle import Bundle
from models.encoder import TEXTS
from models.published import PublishedSpec
from models.score import Scorer
from models.sufficiency import missing_of
from tests.models.conftest import customers

FAR = 1e15


def oracle(bundle: Bundle, row: list[float], abstain: Abstain) -> str:
    """The rule by definition, one feature after the other."""
    outside = 0
    for column, number in zip(bundle.encoder.columns, row, strict=True):
        held = bundle.reference.features[column.name]
        if math.isnan(number):
            outside += held.shares[-1] <= 0.001
        elif column.dtype not in TEXTS:
            low, high = held.quantiles[0], held.quantiles[-1]
            distance = max(low - number, number - high)
            outside += high > low and distance > abstain.far * (high - low)
    if all(map(math.isnan, row)):
        return NOTHING_KNOWN
    return OUTSIDE_TRAINING if outside >= abstain.share * len(row) else ""


@pytest.mark.parametrize("abstain", [Abstain(), Abstain(0.2, 1.0), Abstain(0.4, 0.5)])
def test_one_row_and_many_are_judged_by_the_same_rule(made: Any, abstain: Abstain) -> None:
    judge = Judge(made.bundle.encoder, made.bundle.reference, abstain)
    rng = np.random.default_rng(3)
    values = np.array([math.nan, 0.0, 1.0, 3.0, 600.0, -600.0, FAR, -FAR])
    X = np.where(rng.random((2_000, 5)) < 0.5, rng.choice(values, (2_000, 5)), made.X[:1][:, :5])
    X[:, 2] = np.where(np.isnan(X[:, 2]), np.nan, 1.0)  # codes of texts
    X[:, 3] = np.where(np.isnan(X[:, 3]), np.nan, 2.0)
    expected = [oracle(made.bundle, row, abstain) for row in X.tolist()]
    assert judge.rules(X) == expected
    for row, rule in zip(X.tolist(), expected, strict=True):
        found = judge.of(row, sum(map(math.isnan, row)))
        assert (found.rule, found.status == "abstained", found.why != "") == (
            rule, bool(rule), bool(rule),
        )  # fmt: skip
    assert set(expected) >= {"", OUTSIDE_TRAINING}


def test_nobody_like_those_of_training_is_turned_away(made: Any) -> None:
    scorer = Scorer(made.bundle)
    others = made.bundle.encoder.transform(customers(5_000, seed=8))
    assert set(scorer.judge.rules(others)) == {""}
    assert scorer.score(made.rows(1)[0], 0).abstention is ANSWERED


def test_an_answer_that_is_none_says_so_and_holds_numbers_all_the_same(any_bundle: Bundle) -> None:
    scorer = Scorer(any_bundle)
    unseen = [FAR, -FAR, "never seen", "never seen", True]
    for row, rule in (([None] * 5, NOTHING_KNOWN), (unseen, "")):
        for language in ("en", "ko"):
            score = scorer.score(row, 0, language=language)
            assert score == replace_moment(
                scorer.score_many([row], [0], language=language)[0], score
            )
            plain = msgspec.json.decode(msgspec.json.encode(score))
            numbers = [v for k, v in plain.items() if k in ("probability", "margin", "distance")]
            assert numbers
            assert None not in numbers  # what JSON makes of NaN
            assert plain["abstention"].get("rule", "") == rule


def replace_moment(score: Any, other: Any) -> Any:
    return msgspec.structs.replace(score, scored_at=other.scored_at)


def test_what_is_outside_is_named(made: Any) -> None:
    strict = replace(made.bundle, spec=replace(made.bundle.spec, abstain=Abstain(share=0.4)))
    said = Scorer(strict).score([FAR, -FAR, None, None, True], 0).abstention
    assert (said.status, said.rule, said.features) == (
        "abstained", OUTSIDE_TRAINING, ["orders", "spent"],
    )  # fmt: skip
    assert said.why.startswith("2 of 5 features are outside")


def test_a_gap_counts_where_training_had_none(made: Any) -> None:
    strict = replace(made.bundle, spec=replace(made.bundle.spec, abstain=Abstain(share=0.2)))
    scorer = Scorer(strict)
    assert scorer.score([3, None, None, None, True], 0).abstention is ANSWERED
    assert scorer.score([None, 3.0, None, None, True], 0).abstention.features == ["orders"]
    values = [None, 3.0, None, None, True]
    missing = missing_of(values, strict.encoder.numbers(values), strict.encoder.names)
    assert missing == ["orders", "age", "channel"]  # known or not is another question


def test_the_rule_is_published_and_an_older_bundle_has_the_usual_one(made: Any) -> None:
    spec = replace(made.bundle.spec, abstain=Abstain(0.25, 3.0))
    plain = msgspec.json.decode(msgspec.json.encode(spec.to_json()))
    assert PublishedSpec.from_json(plain).abstain == Abstain(0.25, 3.0)
    del plain["abstain"]
    assert PublishedSpec.from_json(plain).abstain == Abstain()
