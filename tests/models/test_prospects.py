from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.permissions import ANYONE, Permissions, contacted_since
from models.prospects import REASONS, Candidate, ProspectError, rank_prospects

IDS = st.sampled_from("abcdefgh")
SETS = st.frozensets(IDS, max_size=3)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        customer_id=IDS,
        probability=st.integers(0, 8).map(lambda i: i / 8),
        margin=st.integers(-2, 2).map(float),
        row_id=st.sampled_from("xyz"),
        abstained=st.booleans(),
    ),
    max_size=12,
)
PERMISSIONS = st.builds(
    Permissions,
    erased=SETS,
    suppressed=SETS,
    consented=st.none() | st.frozensets(IDS, min_size=4),
    in_cooldown=SETS,
    over_cap=SETS,
)
LIMITS = st.none() | st.integers(0, 6)


def one_a_customer(candidates, target):
    return [
        min(
            (c for c in candidates if c.customer_id == who),
            key=lambda c: (
                c.customer_id not in target,
                c.abstained,
                -c.probability,
                -c.margin,
                c.row_id,
            ),
        )
        for who in {c.customer_id for c in candidates}
    ]


@given(CANDIDATES, PERMISSIONS, SETS, LIMITS, LIMITS, st.integers(0, 9), st.integers(0, 3))
def test_everyone_is_where_the_precedence_puts_them(
    candidates, permissions, target, budget, capacity, value, cost
):
    found = rank_prospects(
        candidates,
        value=value,
        cost=cost,
        permissions=permissions,
        target=lambda candidate: candidate.customer_id in target,
        budget=budget,
        capacity=capacity,
        holdout=0.5,
        random_state=1,
    )
    held = {left.candidate.customer_id for left in found.left_out if left.reason == "holdout"}
    people = one_a_customer(candidates, target)
    worth = {c: round(Fraction(c.probability) * value) - cost for c in people}
    line = sorted(people, key=lambda c: (-worth[c], -c.margin, c.customer_id))
    contacted, listed, expected = 0, [], {}
    for c in line:
        who = c.customer_id
        checks = {
            "erased": who in permissions.erased,
            "suppressed": who in permissions.suppressed,
            "no_consent": permissions.consented is not None and who not in permissions.consented,
            "in_cooldown": who in permissions.in_cooldown,
            "over_cap": who in permissions.over_cap,
            "not_in_target": who not in target,
            "abstained": c.abstained,
            "below_cost": worth[c] < 0,
            "over_budget": budget is not None and (contacted + 1) * cost > budget,
            "over_capacity": capacity is not None and contacted >= capacity,
            "holdout": who in held,
        }
        assert tuple(checks) == REASONS
        reason = next((name for name, holds in checks.items() if holds), None)
        if reason in (None, "holdout"):
            contacted += 1
        if reason is None:
            listed.append(c)
        else:
            expected[c] = reason
    assert [p.candidate for p in found.ranked] == listed
    assert [p.rank for p in found.ranked] == list(range(1, len(listed) + 1))
    assert [p.expected_net_value for p in found.ranked] == [worth[c] for c in listed]
    assert {left.candidate: left.reason for left in found.left_out} == expected
    assert len(found.left_out) + len(found.ranked) == len(people)
    assert found.expected_net_value == sum(worth[c] for c in listed)
    assert sum(found.counts.values()) == len(found.left_out)


def crowd(n=4_000, probability=0.5):
    return [Candidate(f"h{i}", probability, 0.0) for i in range(n)]


def test_the_holdout_is_a_fair_draw_with_its_probability_logged():
    found = rank_prospects(crowd(), value=10, cost=1, holdout=0.2, random_state=4)
    held = [left for left in found.left_out if left.reason == "holdout"]
    assert 700 < len(held) < 900  # expected 800, standard deviation 25
    assert {p.assignment_probability for p in found.ranked} == {0.8}
    assert {left.assignment_probability for left in held} == {0.8}


def test_a_draw_depends_on_the_seed_and_the_customer_only():
    def held(candidates, seed):
        found = rank_prospects(candidates, value=10, cost=1, holdout=0.5, random_state=seed)
        return {left.candidate.customer_id for left in found.left_out}

    everyone, some = held(crowd(200), 1), held(crowd(200)[:50], 1)
    assert some == everyone & {f"h{i}" for i in range(50)}
    assert held(crowd(200), 2) != everyone


def test_nobody_is_held_out_who_would_not_have_been_contacted():
    found = rank_prospects(crowd(100), value=10, cost=1, capacity=10, holdout=0.5)
    assert len(found.ranked) + found.counts["holdout"] == 10
    assert found.counts["over_capacity"] == 90


def test_a_loss_model_weighs_by_the_save_rate_and_says_it_is_assumed():
    found = rank_prospects(
        [Candidate("a", 0.4, 0.0)], value=1_000, cost=30, positive_is_good=False, save_rate=0.25
    )
    assert found.ranked[0].expected_net_value == 70
    assert "A save rate of 0.25 is assumed, not measured." in found.assumptions


def test_a_loss_model_without_a_save_rate_is_refused():
    with pytest.raises(ProspectError, match="needs a save rate") as caught:
        rank_prospects([], value=1, cost=0, positive_is_good=False)
    assert "there is no default" in caught.value.remedy


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"save_rate": 0.2}, "model of a gain"),
        ({"value": 1.5}, "value is 1.5"),
        ({"value": -1}, "value is -1"),
        ({"cost": True}, "cost is True"),
        ({"budget": -5}, "budget is -5"),
        ({"capacity": "all"}, "capacity is 'all'"),
        ({"holdout": 1.0}, "holdout is 1.0"),
        ({"holdout": -0.1}, "holdout is -0.1"),
        ({"positive_is_good": False, "save_rate": 1.2}, "save_rate is 1.2"),
        ({"candidates": [Candidate("a", float("nan"), 0.0)]}, "probability is nan"),
    ],
)
def test_a_list_without_meaning_is_refused_with_a_remedy(changes, said):
    asked = {"candidates": [], "value": 1, "cost": 0} | changes
    with pytest.raises(ProspectError) as caught:
        rank_prospects(asked.pop("candidates"), **asked)
    assert said in caught.value.message
    assert caught.value.remedy


def test_assumed_consent_is_said_and_recorded_consent_is_not():
    assert rank_prospects([], value=1, cost=0).assumptions == (
        "Consent is assumed: the source records none.",
    )
    recorded = rank_prospects([], value=1, cost=0, permissions=Permissions(consented={"a"}))
    assert recorded.assumptions == ()


def test_a_free_contact_is_never_over_budget_and_worth_nothing_is_not_below_cost():
    found = rank_prospects(crowd(5, 0.0), value=0, cost=0, budget=0)
    assert len(found.ranked) == 5


def test_a_customer_is_judged_by_a_row_that_is_in_the_target():
    rows = [Candidate("a", 0.9, 0.0, "elsewhere"), Candidate("a", 0.2, 0.0, "here")]
    found = rank_prospects(rows, value=10, cost=0, target=lambda c: c.row_id == "here")
    assert [p.candidate.row_id for p in found.ranked] == ["here"]


def test_cooldown_counts_from_the_last_contact():
    assert contacted_since({"a": 50, "b": 51, "c": 200}, as_of=100, cooldown=50) == {"b", "c"}


def test_anyone_may_be_contacted_where_nothing_is_recorded():
    assert ANYONE.refusal("a") is None
