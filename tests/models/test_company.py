"""Which models a company's own tables suffice for, and what those read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.company import Company, TableAnswer, TableAttribute, TablePromotion
from features.declare import attribute
from features.feature import Attribute, walk
from models.answer import Answer
from models.catalog import CATALOG, UnknownModelError, spec
from models.company import ENOUGH, check_promotions
from models.spec import ModelSpec, SpecError

COMPANY = Company(
    name="acme",
    key="id",
    known_at="2024-06-30",
    reading={},
    attributes=(
        TableAttribute("origin", "Lead Origin", "categorical"),
        TableAttribute("age", "Age", "numeric"),
        TableAttribute("joined", "Joined", "datetime"),
    ),
    answers=(TableAnswer("lead_score", "won", ("yes", "1")), TableAnswer("upsell", "more", ("1",))),
    kinds={"order": ("occurred_at", "amount")},
)


def models(**changes: object) -> dict[str, ModelSpec]:
    return dict(CATALOG.of(replace(COMPANY, **changes)))  # type: ignore[arg-type]


def test_a_model_is_there_if_its_answer_or_its_events_are() -> None:
    assert set(models()) == {"segments", "lead_score", "churn", "upsell"}
    assert set(models(answers=())) == {"segments", "churn"}
    assert set(models(kinds={})) == {"segments", "lead_score", "upsell"}
    assert set(models(answers=(), kinds={}, attributes=())) == set()


def test_without_a_company_the_catalogue_is_as_declared() -> None:
    assert CATALOG.of(None)["churn"].population is not None
    assert CATALOG.of(None) is CATALOG.of(None)


@pytest.mark.parametrize("name", ["segments", "lead_score", "churn", "upsell"])
def test_the_tables_columns_take_the_place_of_the_attributes_declared_here(name: str) -> None:
    read = models()[name].features
    attributes = [leaf for each in read for leaf in walk(each) if isinstance(leaf, Attribute)]
    assert attributes == [
        attribute("origin"),
        attribute("age", number=True),
        attribute("joined", number=True),
    ]
    assert read[-3:] == COMPANY.features


@pytest.mark.parametrize("name", ["segments", "lead_score", "churn", "upsell"])
def test_no_feature_folds_what_the_company_never_gives(name: str) -> None:
    found = models()[name]
    assert all(COMPANY.gives(feature) for feature in found.features)
    names = " ".join(found.feature_names)
    assert "order_amount_sum_90d" in names
    assert not any(word in names for word in ("order_line", "contact", "quantity", "store"))


def test_a_stated_answer_is_the_label_and_needs_no_campaign() -> None:
    found = models()["lead_score"]
    assert (found.label, found.spine, found.context) == (Answer("lead_score"), "lead_score", {})
    assert found.minimum == ENOUGH
    assert found.question == "Will 'won' of this lead be 'yes' or '1'?"
    assert found.feature_words(COMPANY.features[0], "en") == "Lead Origin"
    assert found.feature_words(COMPANY.features[2], "en") == "days since Joined"


def test_churn_of_orders_asks_as_it_always_does() -> None:
    found, declared = models()["churn"], CATALOG.of(None)["churn"]
    assert (found.label, found.population) == (declared.label, declared.population)
    assert [each.kind for each in found.baselines] == [each.kind for each in declared.baselines]


def test_everyone_has_a_segment_where_nobody_buys() -> None:
    assert models()["segments"].population is not None
    assert models(kinds={})["segments"].population is None


def test_the_companys_segments_and_cleared_columns_take_the_place_of_ours() -> None:
    every = TablePromotion("", ("origin",), 0.99, {"joined": "Everyone joins first."})
    churn = TablePromotion("churn", (), 0.0, {"origin": "The form writes it."})
    found = models(promotions=(every, churn))
    assert found["churn"].gate.segments == (COMPANY.features[0],)
    assert [found[name].gate.too_good for name in ("churn", "upsell")] == [0.99, 0.99]
    assert set(found["churn"].leaks.cleared) == {"joined", "origin"}
    assert set(found["upsell"].leaks.cleared) == {"joined"}
    assert found["upsell"].leaks.in_file


def test_without_them_only_segments_that_the_table_has_are_watched() -> None:
    assert models()["churn"].gate.segments == ()
    assert models()["churn"].gate.too_good == CATALOG.of(None)["churn"].gate.too_good


def test_promotion_of_a_model_that_is_none_is_refused() -> None:
    asked = replace(COMPANY, promotions=(TablePromotion("chrun", ("origin",)),))
    with pytest.raises(SpecError, match=r"\[gate.chrun\].*Name one of: segments, lead_score"):
        check_promotions(asked, CATALOG.of(asked))
    check_promotions(replace(COMPANY, promotions=(TablePromotion("churn"),)), CATALOG.of(COMPANY))
    check_promotions(None, CATALOG.of(None))


def test_a_model_that_the_tables_do_not_suffice_for_says_what_to_declare() -> None:
    with pytest.raises(UnknownModelError, match=r"do not suffice for 'ctr'.*\[labels.ctr\]"):
        spec("ctr", COMPANY)
    with pytest.raises(UnknownModelError, match="'chrun' is no model"):
        spec("chrun", COMPANY)
