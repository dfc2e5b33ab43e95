"""Which kinds of customers do we have?"""

from __future__ import annotations

from features.declare import events
from models.spec import Estimator, Minimum, ModelSpec

orders = events("order")
lines = events("order_line")
_spent = orders.sum("amount", last="90d", unit="currency")


def estimator(random_state: int, num_threads: int = 1) -> Estimator:
    """Return unfitted k-means for scaled columns; the trainer sets `n_clusters`."""
    del num_threads  # scikit-learn's k-means takes its threads from the environment
    from sklearn.cluster import KMeans

    kmeans: Estimator = KMeans(n_init=10, random_state=random_state)
    return kmeans


SPEC = ModelSpec(
    name="segments",
    entity="customer",
    question="Which kinds of customers do we have?",
    output="segment",
    # A year holds every season, so that a summer-only customer still has a segment in winter.
    population=orders.any(last="365d"),
    # One column for each side of behaviour: k-means weighs a side by its number of columns, and
    # four windows of the same count would make every segment a matter of frequency.
    features=(
        orders.count(last="90d"),
        orders.days_since_last(),
        orders.mean("amount", last="90d", unit="currency"),
        _spent,
        orders.count(last="30d") / orders.count(last="90d"),
        lines.distinct("category", last="90d"),
        lines.sum("discount", last="90d", unit="currency") / _spent,
        lines.sum("coupon_discount", last="90d", unit="currency"),
        events("contact").count(last="365d"),
        events("redemption").count(last="365d"),
    ),
    estimator=estimator,
    metrics=("silhouette", "stability"),
    clusters=tuple(range(2, 9)),
    minimum=Minimum(rows=200),
)
