"""Will this active customer stop buying?"""

from __future__ import annotations

from features import engagement, exchange, experience, profile
from features.declare import events
from models.promotion import Gate
from models.spec import BASELINES, Baseline, Estimator, Minimum, ModelSpec
from models.trees import boosted_trees

orders = events("order")
RECENCY = orders.days_since_last()


def estimator(random_state: int, num_threads: int = 1) -> Estimator:
    """Return unfitted trees; a weekly grid repeats each customer, so leaves are kept large."""
    return boosted_trees(random_state, num_threads, min_child_samples=100)


SPEC = ModelSpec(
    name="churn",
    entity="customer",
    question="Will this active customer stop buying?",
    output="probability",
    # Bought in the last 90 days: who stopped long ago is lost already, not about to be.
    population=orders.any(last="90d"),
    # Four full weeks hold every weekday four times; most customers here come once a week.
    label=orders.none(next="28d"),
    features=(
        *exchange.CUSTOMER,
        *engagement.CUSTOMER,
        *engagement.DIGITAL,
        *experience.CUSTOMER,
        *experience.SERVICE,
        *profile.FEATURES,
    ),
    estimator=estimator,
    baselines=(
        *BASELINES,
        Baseline("days since the last order", "rule", RECENCY),
    ),
    gate=Gate(segments=(profile.AGE,)),
    minimum=Minimum(rows=2_000, positives=100),
    act="stops buying",
    did="stopped buying",
    did_ko="구매를 멈춤",
    positive_is_good=False,
    value_note="What a customer who stays is worth over the time the contact protects.",
)
