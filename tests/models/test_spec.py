from dataclasses import replace

import pytest

from features.declare import context, events
from models import churn, lead_score, segments
from models.spec import Baseline, SpecError

orders = events("order")
COUNT = orders.count(last="90d")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entity": "household"}, "entity 'household'"),
        ({"output": "score"}, "output 'score'"),
        ({"name": "my churn"}, "no usable name"),
        ({"context": {"x": "date"}}, "context['x'] 'date'"),
        ({"label": None}, "no label"),
        ({"clusters": (2, 3)}, "wrong `clusters`"),
        ({"spine": "lead"}, "is about a customer and has spine 'lead'"),
        ({"features": ()}, "has features ()"),
        ({"features": (COUNT, COUNT), "baselines": ()}, "only once"),
        ({"features": (context("campaign_id"),), "baselines": ()}, "need the context"),
        ({"features": (orders.count(next="7d"),), "baselines": ()}, "look ahead"),
        ({"label": orders.any(last="7d")}, "does not look ahead"),
        ({"population": orders.any(next="7d")}, "looks ahead"),
        ({"baselines": (Baseline("rule", "rule"),)}, "unfitting feature"),
        ({"baselines": (Baseline("rate", "constant", COUNT),)}, "unfitting feature"),
        ({"baselines": (Baseline("best", "best_column", COUNT),)}, "unfitting feature"),
        ({"baselines": (Baseline("team", "naive_bayes", context("no")),)}, "unfitting feature"),
    ],
)
def test_a_spec_without_meaning_is_refused_with_a_remedy(changes, said):
    with pytest.raises(SpecError) as caught:
        replace(churn.SPEC, **changes)
    assert said in str(caught.value)
    assert "'churn'" in caught.value.message or "'my churn'" in caught.value.message
    assert caught.value.remedy


def test_a_segment_model_with_a_label_is_refused():
    with pytest.raises(SpecError, match="a label"):
        replace(segments.SPEC, label=orders.none(next="28d"))


def test_the_label_may_only_read_the_declared_context():
    with pytest.raises(SpecError, match="campaign_id"):
        replace(lead_score.SPEC, context={}, features=(COUNT,), baselines=())


def test_a_models_own_words_replace_the_features():
    spec = replace(churn.SPEC, words={"en": {COUNT.name: "visits this quarter"}})
    assert spec.feature_words(COUNT, "en") == "visits this quarter"
    assert spec.feature_words(COUNT, "ko") == COUNT.words("ko")
    assert spec.feature_words(COUNT, "ko") != COUNT.words("en")
