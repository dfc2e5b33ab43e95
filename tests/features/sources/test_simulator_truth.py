"""The truth of a simulated company, judged by what happens in it and by simulating on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.sources.simulator import posterior, truth
from features.sources.simulator.company import WEEK, Company, week_start
from features.sources.simulator.life import Life
from features.sources.simulator.people import people
from features.sources.simulator.pieces import Pieces
from features.sources.simulator.stream import chunks
from features.sources.simulator.words import KIND, vocabularies
from features.sources.simulator.worth import worth

DAY = WEEK // 7
Z = 4.0


@dataclass(frozen=True)
class Known:
    """What happened in a company, and what is true of it."""

    company: Company
    columns: dict[str, Any]
    truth: dict[str, dict[str, Any]]

    def of_kind(self, kind: str) -> dict[str, Any]:
        those = self.columns["kind"] == KIND[kind]
        return {name: values[those] for name, values in self.columns.items()}


@pytest.fixture(scope="module", params=[False, True], ids=["steady", "drift"])
def known(request: pytest.FixtureRequest) -> Known:
    company = Company(customers=6_000, days=546, seed=11, drift=request.param)
    found: dict[str, list[pa.Table]] = {name: [] for name in truth.MODELS}

    def remember(life: Life) -> None:
        for name, tables in truth.rows(life).items():
            found[name] += tables

    parts = [chunk.columns for chunk in chunks(company, before_week=remember)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    tables = {name: pa.concat_tables(tables) for name, tables in found.items()}
    named = {
        model: {name: np.array(table[name].to_pylist()) for name in table.column_names}
        for model, table in tables.items()
    }
    return Known(company, columns, named)


def numbers(rows: dict[str, Any]) -> Any:
    return np.char.lstrip(rows["customer_id"].astype(str), "c").astype(np.int64)


def check(rows: dict[str, Any], y: Any, kept: Any) -> None:
    """Fail unless the answers came as often as said, over all rows and in each tenth of them."""
    q, y = rows["probability"][kept], y[kept]
    assert len(q) > 200
    assert abs(float(rows["realised"][kept].mean() - q.mean())) < 0.01
    for tenth in [np.arange(len(q)), *np.array_split(np.argsort(q, kind="stable"), 10)]:
        deviation = (y[tenth] - q[tenth]).sum() / np.sqrt((q[tenth] * (1 - q[tenth])).sum())
        assert abs(deviation) < Z


def test_customers_stop_buying_as_often_as_said(known: Known) -> None:
    rows = known.truth["churn"]
    # Rows four weeks apart share no week, so their answers are independent.
    week = (rows["as_of"] - week_start(0)) // WEEK
    kept = (week + 4 <= known.company.weeks) & (week % 4 == 0)
    orders = known.of_kind("order")
    ordered = np.zeros((known.company.customers, known.company.weeks + 1), dtype=np.int64)
    np.add.at(ordered, (orders["customer"], (orders["occurred_at"] - week_start(0)) // WEEK + 1), 1)
    total = ordered.cumsum(axis=1)
    who = numbers(rows)
    y = total[who, np.minimum(week + 4, known.company.weeks)] == total[who, week]
    check(rows, y, kept)
    assert 0.1 < y[kept].mean() < 0.4


@pytest.mark.parametrize("treated", [True, False])
def test_campaigns_are_answered_as_often_as_said_with_and_without_contact(
    known: Known, treated: bool
) -> None:
    rows = known.truth["lead_score"]
    campaign = np.array([int(row.split("-")[1]) - 1 for row in rows["row_id"]])
    answered = np.zeros((known.company.customers, len(known.company.campaigns)), dtype=bool)
    redemptions = known.of_kind("redemption")
    answered[redemptions["customer"], redemptions["campaign_id"]] = True
    over = np.array([c.ends_at <= known.company.ends_at for c in known.company.campaigns])
    y = answered[numbers(rows), campaign]
    check(rows, y, over[campaign] & (rows["treated"] == treated))


def test_who_is_contacted_is_drawn_with_the_propensity_given(known: Known) -> None:
    rows = known.truth["lead_score"]
    treated, propensity = rows["treated"].astype(bool), rows["propensity"]
    assert set(propensity) == {0.5}
    assert abs((treated - propensity).sum()) < Z * 0.5 * np.sqrt(len(treated))
    # Randomised: what would happen without a contact does not differ between the two.
    left = rows["probability_control"]
    error = left.std() * np.sqrt(1 / treated.sum() + 1 / (~treated).sum())
    assert abs(left[treated].mean() - left[~treated].mean()) < Z * error
    assert (rows["probability_treated"] > left).all()


def test_advertisements_work_as_often_as_said(known: Known) -> None:
    rows = known.truth["ctr"]
    who = people(known.company, 0, known.company.customers)
    category = {name: code for code, name in enumerate(vocabularies(known.company)["category"])}
    lines = known.of_kind("order_line")
    bought = set(
        zip(
            lines["customer"].tolist(),
            ((lines["occurred_at"] - week_start(0)) // WEEK).tolist(),
            lines["category"].tolist(),
            lines["store"].tolist(),
            strict=True,
        )
    )
    week = (rows["as_of"] - week_start(0)) // WEEK
    asked = zip(
        numbers(rows).tolist(),
        week.tolist(),
        [category[row.rsplit("-", 1)[1]] for row in rows["row_id"]],
        who.stores[numbers(rows)].tolist(),
        strict=True,
    )
    y = np.array([key in bought for key in asked])
    check(rows, y, week < known.company.weeks)
    assert 0.01 < y[week < known.company.weeks].mean() < 0.06
    assert (rows["probability_control"] < rows["probability_treated"]).all()


def test_opportunities_are_won_as_often_as_said(known: Known) -> None:
    rows = known.truth["win_probability"]
    won = known.of_kind("opportunity_won")
    ends = np.zeros((known.company.customers, known.company.weeks + 1), dtype=bool)
    who = numbers(rows)
    week = (rows["as_of"] - week_start(0)) // WEEK
    ends[won["customer"], (won["occurred_at"] - week_start(0)) // WEEK] = True
    y = np.array([ends[n, w : w + 8].any() for n, w in zip(who, week, strict=True)])
    check(rows, y, week + 8 <= known.company.weeks)


@pytest.mark.parametrize("ahead", [0, 1, 2, 3])
def test_no_order_is_as_likely_as_when_simulated_on(ahead: int) -> None:
    """Futures drawn from one week on are the oracle; a campaign begins `ahead` weeks later."""
    futures = 400
    company = Company(customers=400, days=364, seed=3, drift=True)
    week = next(c.week for c in company.campaigns if c.week >= company.drift_week) - ahead
    who = people(company, 0, company.customers)
    life = Life(who, company.weeks)
    for _ in range(week):
        life.advance()
    stays = posterior.no_order(life)
    came = np.zeros(len(who))
    told = np.zeros(len(who))
    campaign = company.running(week + ahead)
    assert campaign is not None
    for salt in range(1, futures + 1):
        future = life.branch(replace(who, salt=salt, since=week), 4)
        told += future.who.contacted[campaign.number]
        for _ in range(4):
            future.advance()
        came += future.history.last_order < week
    known = who.joins < week
    q = stays.probability[known]
    deviation = (came[known] - futures * q) / np.sqrt(futures * q * (1 - q))
    assert np.abs(deviation).max() < 4.5
    assert abs(deviation.mean()) < Z / np.sqrt(len(q))
    assert 0.8 < deviation.std() < 1.2
    share = posterior.contact_share(life, campaign)
    spread = np.sqrt(futures * share * (1 - share))
    assert (np.abs(told - futures * share)[known] < 4.5 * np.maximum(spread, 1)[known]).all()
    assert (stays.contacted < stays.left)[known].mean() > 0.5


def test_a_contact_keeps_some_and_drives_the_oldest_away() -> None:
    company = Company(customers=2_000, days=364)
    campaign = company.campaigns[4]
    who = people(company, 0, company.customers)
    life = Life(who, company.weeks)
    for _ in range(campaign.week):
        life.advance()
    stays = posterior.no_order(life)
    old = who.demographics["age"] == 5
    effect = (stays.contacted - stays.left)[who.joins < campaign.week]
    oldest = old[who.joins < campaign.week]
    assert effect[oldest].max() > 0
    assert effect[~oldest].max() < 0


def test_customers_are_worth_what_they_spend_on_average() -> None:
    company = Company(customers=1_500, days=364, seed=5)
    who = people(company, 0, company.customers)
    life, pieces = Life(who, company.weeks), Pieces()
    for _ in range(20):
        life.advance()
    said = worth(life, futures=8, weeks=26)
    for _ in range(26):
        life.advance(pieces)
    columns = pieces.sorted(company, who.numbers)
    orders = columns["kind"] == KIND["order"]
    early = who.joins[columns["customer"]] < 20
    spent = np.bincount(
        columns["customer"][orders & early],
        columns["amount"][orders & early],
        minlength=len(who),
    )[who.joins < 20]
    values, errors = said["value"].to_numpy(), said["standard_error"].to_numpy()
    assert len(values) == len(spent) > 500
    scatter = np.sqrt(((spent - values) ** 2).sum() + (errors**2).sum())
    assert abs(spent.sum() - values.sum()) < Z * scatter
    assert np.corrcoef(values, spent)[0, 1] > 0.5
