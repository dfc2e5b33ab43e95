"""Will this customer act on this advertisement in this place?

In the bundled data take-up stands in for a click: acted = bought the advertised category, in the
advertising store, in the week of the mailer; a week without a visit counts as no.
"""

from __future__ import annotations

from features import engagement, exchange, experience, profile
from features.declare import context, events
from models.promotion import Gate
from models.spec import BASELINES, Baseline, Estimator, Minimum, ModelSpec
from models.trees import boosted_trees

lines = events("order_line")
PAST_RESPONSE = lines.count(last="90d", category=context("category"))


def estimator(random_state: int, num_threads: int = 1) -> Estimator:
    """Return unfitted trees, larger ones: impressions come by the hundred thousand."""
    return boosted_trees(
        random_state, num_threads, num_leaves=12, learning_rate=0.08, min_child_samples=200
    )


SPEC = ModelSpec(
    name="ctr",
    entity="impression",
    question="Will this customer act on this advertisement in this place?",
    output="probability",
    label=lines.any(next="7d", category=context("category"), store=context("store")),
    features=(
        *exchange.CUSTOMER,
        *exchange.IMPRESSION,
        *engagement.DIGITAL,
        *engagement.IMPRESSION,
        *experience.SERVICE,
        *profile.FEATURES,
    ),
    context={"category": "text", "placement": "text", "store": "text"},
    spine="impression",
    score_spine="placement",
    estimator=estimator,
    baselines=(
        *BASELINES,
        Baseline("purchases of the category before", "rule", PAST_RESPONSE),
    ),
    gate=Gate(segments=(profile.AGE,)),
    minimum=Minimum(rows=5_000, positives=200),
    act="buys the advertised category",
    did="bought the advertised category",
    did_ko="광고한 카테고리를 구매함",
    value_note="The margin that one purchase after the advertisement brings.",
)
