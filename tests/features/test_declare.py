import numpy as np
import pytest

from features.catalog import CATALOG, feature
from features.declare import attribute, campaign, context, days_until, events
from features.errors import DeclarationError, UnknownFeatureError
from features.feature import walk
from features.kernel import windows
from features.kernel.states import HOUR
from features.window import Window

orders = events("order")
redemptions = events("redemption")


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        (orders.count(last="90d"), "order_count_90d"),
        (orders.sum("amount", last="365d", unit="currency"), "order_amount_sum_365d"),
        (orders.days_since_last(), "days_since_last_order"),
        (orders.days_since_last(last="30d"), "days_since_last_order_30d"),
        (orders.count(category="FRZN MEAT/FISH"), "order_count_ever_category_frzn_meat_fish"),
        (
            redemptions.count(category=campaign("type")),
            "redemption_count_ever_category_of_campaign_type",
        ),
        (orders.none(next="28d"), "no_order_next_28d"),
        (
            redemptions.any(until=campaign("ends_at"), campaign_id=context("campaign_id")),
            "any_redemption_until_campaign_ends_at_same_campaign_id",
        ),
        (days_until(campaign("ends_at")), "days_until_campaign_ends_at"),
        (orders.count() / orders.count(last="7d"), "order_count_ever_per_order_count_7d"),
    ],
)
def test_a_name_follows_from_the_definition(declared, name):
    assert declared.name == name


def test_names_of_the_catalogue_are_unique():
    names = [declared.name for declared in CATALOG]
    assert len(names) == len(set(names))
    assert len(names) >= 40


@pytest.mark.parametrize("declared", CATALOG, ids=lambda declared: declared.name)
def test_every_feature_has_a_unit_and_words_in_both_languages(declared):
    assert declared.unit
    assert declared.words("en") != declared.words("ko")
    assert all(part.unit for part in walk(declared))


def test_a_caller_gives_the_campaign_and_not_what_follows_from_it():
    lead = redemptions.count(category=campaign("type"))
    assert lead.reads == {"campaign.type"}
    assert lead.needs == {"campaign_id"}
    assert context("store").needs == {"store"}
    assert orders.count().needs == frozenset()


def test_units_follow_through_arithmetic():
    spent = orders.sum("amount", last="30d", unit="currency")
    assert (spent / spent).unit == "share"
    assert (spent / orders.count(last="30d")).unit == "currency per orders"
    assert (spent * orders.count(last="30d")).unit == "currency x orders"
    assert (spent - spent).unit == "currency"


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda: orders.count(last="90d", next="28d"), "Give one of last="),
        (lambda: orders.count(last="0d"), "is empty"),
        (lambda: orders.sum("amount", unit=""), "Give unit="),
        (lambda: orders.count() + orders.days_since_last(), "mixes orders and days"),
        (lambda: orders.count() / attribute("age"), "age is category"),
        (lambda: context("x", "colour"), "Choose one of text, number, instant"),
        (lambda: orders.count().words("fr"), "Choose en or ko"),
    ],
)
def test_a_declaration_without_meaning_is_refused(declare, says):
    with pytest.raises(DeclarationError, match=says):
        declare()


def test_an_unknown_feature_names_its_neighbours():
    with pytest.raises(UnknownFeatureError, match="Did you mean order_count_90d"):
        feature("order_cuont_90d")
    with pytest.raises(UnknownFeatureError, match="features/catalog"):
        feature("zzz")


def test_a_long_window_begins_on_a_full_hour_and_a_short_one_does_not():
    at = np.array([1_512_365_123_456_789], np.int64)
    table = np.array([Window(length).row([]) for length in ("7d", "12h")], np.int64)
    none = np.empty((0, 1), np.int64)
    long, _, _ = windows.bounds(table, 0, at, none, 0)
    short, _, _ = windows.bounds(table, 1, at, none, 0)
    assert long % HOUR == 0
    assert 0 < at[0] - 7 * 24 * HOUR - long < HOUR
    assert short == at[0] - 12 * HOUR


def test_conditions_and_campaign_ends_have_words():
    assert orders.none(next="28d").words() == "no orders in the next 28 days"
    assert orders.any(last="90d").words("ko") == "최근 90일 주문 수 있음"
    label = redemptions.any(until=campaign("ends_at"))
    assert label.words() == "any coupons redeemed until the end of the campaign"
    assert label.words("ko").startswith("캠페인 종료까지")
    assert days_until(campaign("ends_at")).words("ko") == "캠페인 종료까지 남은 일수"
    assert (orders.count(last="7d") - orders.count(last="14d")).words("ko").count("빼기") == 1
    assert orders.count(last="2h", store=context("store")).words() == (
        "orders in this store in the last 2 hours"
    )
    assert orders.count(channel=context("channel")).words() == "orders of the same channel"
