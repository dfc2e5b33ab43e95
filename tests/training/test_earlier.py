"""A batch after another: what changed is the customer's or the model's, by the log's own values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.log import EventLog
from models import catalog
from models.bundle import Bundle
from models.scores import ScoreRow, SqlScoreStore
from tests.serving.fakes import make_bundle
from training.batch import answers_of, score
from training.dataset import moment
from training.scoring import rows_to_score

DAY = 86_400_000_000


@pytest.fixture
def store() -> Iterator[SqlScoreStore]:
    held = SqlScoreStore("sqlite://")
    yield held
    held.close()


def version_of(model: str, version: str, intercept: float) -> Bundle:
    made = make_bundle(catalog.spec(model), intercept)
    return replace(made, spec=replace(made.spec, version=version))


def batch(bundle: Bundle, log: EventLog, now: int, store: SqlScoreStore, folder: Path) -> Any:
    spec = catalog.spec(bundle.spec.name)
    data = rows_to_score(spec, log, now)
    score(spec, bundle, data, log, store, folder, scored_at=now)
    return {row.customer_id: row for row in store.read(spec.name)}


def said(bundle: Bundle, log: EventLog, as_of: int) -> dict[str, float]:
    """The oracle: what a version says of everyone at a moment, asked for directly."""
    data = rows_to_score(catalog.spec(bundle.spec.name), log, as_of)
    found = answers_of(bundle, data.X)["probability"].tolist()
    return dict(zip(data.rows["customer_id"].tolist(), found, strict=True))


def test_a_promotion_is_told_apart_from_what_customers_did(
    log: EventLog, store: SqlScoreStore, tmp_path: Path
) -> None:
    old, new = version_of("churn", "3", -1.0), version_of("churn", "4", 0.5)
    now = moment(log, None)
    then = now - 28 * DAY
    first = batch(old, log, then, store, tmp_path)
    assert {row.earlier for row in first.values()} == {None}
    rows = batch(new, log, now, store, tmp_path)
    again = said(new, log, then)
    both = set(rows) & set(first)
    assert len(both) > 20
    for customer in both:
        earlier = rows[customer].earlier
        assert (earlier.version, earlier.as_of) == ("3", then)
        assert earlier.probability == first[customer].probability
        assert earlier.again == again[customer]
        assert earlier.again > earlier.probability
    assert {rows[customer].earlier for customer in set(rows) - both} <= {None}
    assert any(rows[customer].probability != rows[customer].earlier.again for customer in both)
    table = pd.read_parquet(tmp_path / "churn.parquet").set_index("customer_id")
    compared = table[table["earlier_as_of"].notna()]
    assert set(compared.index) == both
    total = compared["by_customer"] + compared["by_model"]
    pd.testing.assert_series_equal(total, compared["change"], check_names=False, atol=1e-12)


def test_leads_of_a_campaign_are_asked_about_in_their_own_context(
    log: EventLog, store: SqlScoreStore, tmp_path: Path
) -> None:
    old, new = version_of("lead_score", "1", -1.0), version_of("lead_score", "2", -1.0)
    now = moment(log, None)
    batch(old, log, now - DAY, store, tmp_path)
    batch(new, log, now, store, tmp_path)
    compared = [row for row in store.read("lead_score") if row.earlier is not None]
    assert compared
    for row in compared:  # both versions are the same model, so nothing is the model's
        assert row.earlier is not None
        assert row.earlier.again == row.earlier.probability


def test_a_batch_that_is_repeated_keeps_what_it_was_compared_with(
    log: EventLog, store: SqlScoreStore, tmp_path: Path
) -> None:
    model, now = version_of("churn", "3", -1.0), moment(log, None)
    before = batch(model, log, now - 7 * DAY, store, tmp_path)
    rows = batch(model, log, now, store, tmp_path)
    assert batch(model, log, now, store, tmp_path) == rows
    customer = next(iter(set(rows) & set(before)))
    earlier = rows[customer].earlier
    assert earlier.again == earlier.probability == before[customer].probability


def test_a_stored_score_of_a_later_moment_is_not_an_earlier_one(
    log: EventLog, store: SqlScoreStore, tmp_path: Path
) -> None:
    model, now = version_of("churn", "3", -1.0), moment(log, None)
    batch(model, log, now, store, tmp_path)
    rows = batch(model, log, now - 7 * DAY, store, tmp_path)
    assert {row.earlier for row in rows.values()} == {None}


def test_at_one_moment_all_of_a_change_is_the_new_versions(
    log: EventLog, store: SqlScoreStore, tmp_path: Path
) -> None:
    now = moment(log, None)
    batch(version_of("churn", "3", -1.0), log, now, store, tmp_path)
    rows = batch(version_of("churn", "4", 0.5), log, now, store, tmp_path)
    row: ScoreRow
    for row in rows.values():
        assert row.earlier is not None
        assert row.earlier.again == row.probability != row.earlier.probability
