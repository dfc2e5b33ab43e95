from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from features.errors import BadInputError
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.encoder import Encoder
from models.linear import Linear
from models.score import OutputError, Score, Scorer, SegmentScore

AS_OF = 1_514_782_800_000_000
NOW = AS_OF + 1_000_000
ROW = [12, 250.5, "35+", "web", True]


def scorer(bundle: Bundle) -> Scorer:
    return Scorer(bundle, now=lambda: NOW)


def test_a_score_carries_the_whole_contract(made: Any) -> None:
    score = scorer(made.bundle).score(ROW, AS_OF, 3, sequence=41, has_events=True)
    assert isinstance(score, Score)
    plain = msgspec.json.decode(msgspec.json.encode(score))
    assert set(plain) == {
        "model", "version", "score", "probability", "margin", "interval", "percentile", "grade",
        "trend", "base_rate", "horizon", "reasons", "as_of", "scored_at", "sequence",
        "data_sufficiency", "score_id", "abstention",
    }  # fmt: skip
    assert (score.model, score.version, score.horizon) == ("churn", "7", "28d")
    assert score.base_rate == made.bundle.spec.base_rate
    assert (score.as_of, score.scored_at) == ("2018-01-01T05:00:00Z", "2018-01-01T05:00:01Z")
    assert score.sequence == 41
    assert score.data_sufficiency.status == "full"
    assert len(score.reasons) == 3


def test_what_is_not_computed_is_said_and_not_invented(made: Any) -> None:
    score = scorer(made.bundle).score(ROW, AS_OF)
    for part in (score.interval, score.trend):
        assert set(msgspec.to_builtins(part)) == {"status", "why"}
        assert part.status == "not_yet"
        assert part.why


def test_what_no_training_row_had_is_not_missed_of_a_customer(made: Any) -> None:
    nowhere = made.bundle.encoder.names[0]
    reference = made.bundle.reference
    held = replace(reference.features[nowhere], shares=(0.0, 1.0))
    unknown = replace(reference, features={**reference.features, nowhere: held})
    values = [None, None, *ROW[2:]]
    missed = scorer(made.bundle).score(values, AS_OF).data_sufficiency
    asked = scorer(replace(made.bundle, reference=unknown)).score(values, AS_OF).data_sufficiency
    assert missed.missing == [nowhere, *asked.missing]
    assert asked.why == "3 of 4 features are known."


def test_the_probability_is_lightgbms_margin_calibrated(made: Any) -> None:
    X = made.bundle.encoder.encode(ROW)[None, :]
    margin = made.oracle.predict(X, raw_score=True)
    score = scorer(made.bundle).score(ROW, AS_OF)
    assert score.margin == margin[0]
    assert score.probability == made.bundle.calibrator.probability(margin)[0]
    assert score.score == pytest.approx(100 * score.probability, abs=0.05)
    assert score.score == round(score.score, 1)
    np.testing.assert_array_equal(scorer(made.bundle).probabilities(X), [score.probability])


@pytest.mark.parametrize("explain", [0, 2])
def test_a_row_scored_alone_equals_the_row_in_a_batch(
    any_bundle: Bundle, made: Any, explain: int
) -> None:
    rows = made.rows(60)
    alone = [scorer(any_bundle).score(row, AS_OF + i, explain) for i, row in enumerate(rows)]
    many = scorer(any_bundle).score_many(rows, [AS_OF + i for i in range(60)], explain)
    assert alone == many
    assert scorer(any_bundle).score_many([], []) == []


def test_the_arrays_say_what_the_scores_say(made: Any) -> None:
    rows, X = made.rows(200), made.X[:200]
    answers = scorer(made.bundle).answers(X)
    reasons = scorer(made.bundle).reasons(rows, X, top=2, language="ko")
    for i, score in enumerate(scorer(made.bundle).score_many(rows, [AS_OF] * 200, 2, "ko")):
        assert (score.margin, score.probability, score.score, score.percentile, score.grade) == (
            answers.margin[i], answers.probability[i], answers.score[i], answers.percentile[i],
            answers.grade[i],
        )  # fmt: skip
        assert score.reasons == reasons[i]
    assert set(answers.grade) == {"A", "B", "C", "D"}


def test_grades_split_the_reference_as_promised(made: Any) -> None:
    grades = scorer(made.bundle).answers(made.X).grade
    shares = [float((grades == grade).mean()) for grade in "ABCD"]
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=0.03)


def test_equal_probabilities_are_told_apart_by_margin(made: Any) -> None:
    flat = replace(made.bundle, calibrator=Calibrator.isotonic([-9.0, 9.0], [0.3, 0.3]))
    answers = scorer(flat).answers(made.X)
    assert set(answers.probability) == {0.3}
    order = np.argsort(answers.margin, kind="stable")
    assert (np.diff(answers.percentile[order]) >= 0).all()
    assert answers.percentile.max() - answers.percentile.min() > 90


def test_reasons_add_up_where_the_calibration_is_a_line(made: Any) -> None:
    contributions = made.bundle.engine.contributions(made.X[:1])
    score = scorer(made.bundle).score(made.rows(1)[0], AS_OF, 10)
    assert {reason.code for reason in score.reasons} == {
        column.name
        for column, part in zip(made.bundle.encoder.columns, contributions[0], strict=False)
        if part != 0
    }


def test_a_published_constant_has_no_reasons_and_grades_all_alike(made: Any) -> None:
    constant = Bundle.of(
        made.bundle.spec, made.bundle.encoder, Linear(-0.8), Calibrator.identity(), made.X
    )
    score = scorer(constant).score(ROW, AS_OF, 5)
    assert (score.percentile, score.grade, score.reasons) == (50.0, "C", [])


def test_a_linear_bundle_explains_by_distance_from_the_mean(linear_bundle: Bundle) -> None:
    score = scorer(linear_bundle).score([30, 1000.0, None, "mail", None], AS_OF, 2)
    assert [reason.code for reason in score.reasons] == ["spent", "orders"]
    assert [reason.direction for reason in score.reasons] == ["lowers", "raises"]


def test_an_unknown_customer_is_scored_and_said_to_be_unknown(made: Any) -> None:
    score = scorer(made.bundle).score([None] * 5, AS_OF)
    assert score.data_sufficiency.status == "none"
    assert score.data_sufficiency.missing == [c.name for c in made.bundle.encoder.columns]
    assert 0 < score.probability < 1
    fresh = scorer(made.bundle).score(ROW, AS_OF, has_events=False)
    assert fresh.data_sufficiency.status == "none"
    assert "no events" in fresh.data_sufficiency.why


def test_a_text_never_seen_counts_as_known_and_is_shown(linear_bundle: Bundle) -> None:
    score = scorer(linear_bundle).score([4, 100.0, "35+", "fax", True], AS_OF, 5)
    assert score.data_sufficiency.missing == []
    assert "channel: fax" in " ".join(reason.words for reason in score.reasons)


def test_a_segment_has_words_and_a_fit_but_no_probability(segment_bundle: Bundle) -> None:
    at_centre = [6, float(np.expm1(4.3 + 0.6 * 0.7)), None, None, None]
    score = scorer(segment_bundle).score(at_centre, AS_OF, sequence=5)
    assert isinstance(score, SegmentScore)
    assert (score.segment.id, score.segment.name) == (1, "Regular")
    assert score.segment.description == "Regular."
    assert score.fit == 1.0
    assert score.distance == pytest.approx(0.0, abs=1e-9)
    assert not hasattr(score, "probability")
    assert score.data_sufficiency.status == "partial"


def test_segments_are_those_of_the_clusters(segment_bundle: Bundle, made: Any) -> None:
    scores = scorer(segment_bundle).score_many(made.rows(300), [AS_OF] * 300)
    expected = segment_bundle.engine.assign(made.X[:300])  # type: ignore[union-attr]
    assert [score.segment.id for score in scores] == expected.tolist()
    assert len(set(expected.tolist())) == 3


def test_segments_have_no_probability_to_ask_for(segment_bundle: Bundle, made: Any) -> None:
    for ask in (scorer(segment_bundle).probabilities, scorer(segment_bundle).answers):
        with pytest.raises(OutputError, match="gives segments"):
            ask(made.X)


def test_values_and_languages_that_do_not_fit_are_refused(made: Any) -> None:
    with pytest.raises(BadInputError, match="4 values"):
        scorer(made.bundle).score(ROW[:4], AS_OF)
    with pytest.raises(BadInputError, match="'orders' is a number"):
        scorer(made.bundle).score(["twelve", *ROW[1:]], AS_OF)
    with pytest.raises(BadInputError, match="en or ko"):
        scorer(made.bundle).score(ROW, AS_OF, language="jp")


def test_the_clock_is_the_wall_unless_given(made: Any) -> None:
    assert Scorer(made.bundle).score(ROW, AS_OF).scored_at > "2025"


def test_an_encoder_of_no_columns_is_no_obstacle() -> None:
    assert Encoder(()).encode([]).shape == (0,)
