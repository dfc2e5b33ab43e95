"""Will this prospect answer this campaign?"""

from __future__ import annotations

from features import engagement, exchange, profile
from features.declare import campaign, context, events
from models.promotion import Gate
from models.spec import BASELINES, Baseline, Estimator, Minimum, ModelSpec
from models.trees import boosted_trees

redemptions = events("redemption")
PAST_RESPONSE = redemptions.count(last="365d")

# Both grow with the age of a young log rather than with the customer, so a campaign later than
# all of training would be scored outside what was learnt.
AGES_WITH_THE_LOG = (
    events("order").days_since_first(),
    events("contact").count(last="365d"),
)


def estimator(random_state: int, num_threads: int = 1) -> Estimator:
    """Return unfitted trees, small ones: there are some hundreds of answers to learn from."""
    return boosted_trees(random_state, num_threads, num_leaves=4)


SPEC = ModelSpec(
    name="lead_score",
    entity="lead",
    question="Will this prospect answer this campaign?",
    output="probability",
    # A redemption is known at the end of its day, hence the lag of one.
    label=redemptions.any(until=campaign("ends_at"), campaign_id=context("campaign_id"), lag="1d"),
    features=tuple(
        feature
        for feature in (
            *exchange.CUSTOMER,
            *engagement.CUSTOMER,
            *engagement.DIGITAL,
            *engagement.LEAD,
            *profile.FEATURES,
        )
        if feature not in AGES_WITH_THE_LOG
    ),
    context={"campaign_id": "text"},
    spine="lead",
    score_spine="open_leads",
    estimator=estimator,
    baselines=(
        *BASELINES,
        Baseline("coupons redeemed before", "rule", PAST_RESPONSE),
    ),
    gate=Gate(segments=(profile.AGE,)),
    minimum=Minimum(rows=1_000, positives=100),
    act="redeems a coupon of the campaign",
    did="redeemed a coupon",
    did_ko="쿠폰을 사용함",
    value_note="The margin that one redeeming prospect brings.",
)
