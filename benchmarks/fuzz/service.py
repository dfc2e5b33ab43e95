"""A whole service in this process: real stores, four champions, keys, and all scores logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.testclient import TestClient

from benchmarks.fuzz.calls import CAMPAIGN
from benchmarks.serving.four import FROZEN_AT, bundle_of, fill
from models.catalog import CATALOG
from models.scores import ScoreRow, SqlScoreStore, database_url
from serving.access.keys import SCOPES, make
from serving.access.opened import Access
from serving.access.ring import wall
from serving.champions.cache import announce
from serving.settings import ServingSettings
from serving.starting import started

TREES = 20


class Service(NamedTuple):
    """A service that answers, a key that opens all of it, and customers it knows."""

    client: TestClient
    token: str
    customers: Sequence[str]


def fill_scores(scores: SqlScoreStore, customers: Sequence[str], as_of: int) -> None:
    """Store a batch of scores, so that there are lists to ask for."""
    for model, context in (("lead_score", {"campaign_id": CAMPAIGN}), ("churn", {})):
        rows = [
            ScoreRow(
                model, "1", who, f"{who}@{context}", as_of, as_of, 1, context=context,
                probability=(at + 1) / (len(customers) + 1), margin=float(at), percentile=50.0,
                grade="B",
            )
            for at, who in enumerate(customers)
        ]  # fmt: skip
        scores.replace(model, rows)


@contextmanager
def service(home: Path, **given: object) -> Iterator[Service]:
    """Fill a home and serve it until the block ends.

    Parameters
    ----------
    home : Path
        An empty folder.
    **given
        Settings that are to differ.
    """
    customers = fill(home)
    for spec in CATALOG.values():
        bundle_of(spec, trees=TREES).save(home / "cache" / spec.name / "1")
        announce(home / "cache", spec.name, "1")
    with closing(SqlScoreStore(database_url(home))) as scores:
        fill_scores(scores, customers, FROZEN_AT)
    settings = ServingSettings(home=home, log_served=1.0, log_drops=True, **given)
    key, token = make("fuzz", SCOPES, wall())
    with closing(Access.open(settings)) as access:
        access.store.create(key, "fuzz")
    with (
        started(settings, polled=lambda: True) as app,
        TestClient(app, base_url="http://127.0.0.1") as client,
    ):
        yield Service(client, token, customers)
