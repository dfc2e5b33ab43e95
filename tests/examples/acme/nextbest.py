"""An example of a company's own catalogue: ``NEXTBEST_CATALOG=acme.nextbest``."""

from __future__ import annotations

from features.catalog import feature
from features.declare import attribute, events
from models.spec import BASELINES, Baseline, Estimator, Minimum, ModelSpec
from models.trees import boosted_trees

orders = events("order")
visits = events("visit")

VISITS = visits.count(last="30d")
FEATURES = (
    VISITS,
    visits.count(last="30d", channel="app"),
    visits.count(last="30d", channel="app") / VISITS,
    attribute("plan", ("basic", "plus")),
)


def estimator(random_state: int, num_threads: int = 1) -> Estimator:
    """Return unfitted trees."""
    return boosted_trees(random_state, num_threads, min_child_samples=50)


MODELS = (
    ModelSpec(
        name="reorder",
        entity="customer",
        question="Will this customer order again within a week?",
        output="probability",
        population=orders.any(last="90d"),
        label=orders.any(next="7d"),
        features=(*FEATURES, feature("order_count_90d"), feature("days_since_last_order")),
        estimator=estimator,
        baselines=(
            *BASELINES,
            Baseline("visits in 30 days", "rule", VISITS),
        ),
        minimum=Minimum(rows=500, positives=50),
        act="orders again",
        value_note="What an order is worth.",
    ),
)
