"""Which kinds of customers do we have?"""

from __future__ import annotations

from features import engagement, exchange
from features.declare import events
from models.spec import Estimator, Minimum, ModelSpec


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
    population=events("order").any(last="365d"),
    features=exchange.CUSTOMER + engagement.CUSTOMER,
    estimator=estimator,
    metrics=("silhouette", "stability"),
    clusters=tuple(range(2, 9)),
    minimum=Minimum(rows=200),
)
