from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from models import catalog
from models.evidence import rounded
from models.registry import CHALLENGER, CHAMPION, prepare
from models.scores import SqlScoreStore, database_url
from training import batch, listing, monitor
from training.command import main
from training.dataset import build, moment
from training.job import train
from training.scoring import rows_to_score
from training.settings import TrainingSettings

MODELS = ("segments", "lead_score", "churn")


@pytest.fixture(scope="module")
def settings(home):
    return TrainingSettings(home=home, threads=1)


@pytest.fixture(scope="module")
def registry(home):
    return prepare(home)


@pytest.fixture(scope="module")
def outcomes(log, registry, settings, quick):
    return {name: train(quick(name), log, registry, settings, promote=True) for name in MODELS}


@pytest.fixture(scope="module")
def store(home, log, outcomes):
    store = SqlScoreStore(database_url(home))
    now = moment(log, None)
    for name, outcome in outcomes.items():
        data = rows_to_score(catalog.spec(name), log, now)
        batch.score(
            catalog.spec(name), outcome.bundle, data, log, store, home / "scores", scored_at=now
        )
    yield store
    store.close()


def artifact(registry, outcome, name):
    return registry.client.download_artifacts(outcome.run_id, name)


def test_a_first_model_or_its_baseline_becomes_champion(outcomes, registry):
    for name, outcome in outcomes.items():
        assert outcome.decision["publish"] in ("challenger", "baseline")
        assert registry.resolve(name, CHAMPION) == outcome.version


def test_the_run_holds_what_a_reviewer_asks_for(outcomes, registry, log):
    run = registry.client.get_run(outcomes["churn"].run_id).data
    assert {"log_loss", "log_loss_low", "log_loss_high", "auc", "lift_at_10"} <= set(run.metrics)
    assert any(name.startswith("baseline.constant_rate.") for name in run.metrics)
    assert run.params["data_fingerprint"] == log.fingerprint
    assert {"code_version", "engine", "estimator", "train_rows"} <= set(run.params)
    listed = {f.path for f in registry.client.list_artifacts(outcomes["churn"].run_id)}
    assert {"card.md", "card.html", "decision.json", "features.json", "plots"} <= listed


def test_the_decision_is_the_same_in_bundle_run_and_card(outcomes, registry):
    outcome = outcomes["churn"]
    written = Path(artifact(registry, outcome, "decision.json")).read_text()
    assert json.loads(written) == outcome.decision
    assert outcome.bundle.spec.decision == outcome.decision
    assert outcome.decision["reason"] in outcome.bundle.card_markdown


def test_what_is_published_holds_counts_of_the_rows_it_learned_from(outcomes):
    assert outcomes["segments"].bundle.evidence is None
    for name in ("lead_score", "churn"):
        bundle = outcomes[name].bundle
        assert bundle.evidence.rate == rounded(bundle.spec.base_rate)
        assert bundle.evidence.did["en"] == catalog.spec(name).did
        assert set(bundle.evidence.features) <= set(bundle.encoder.names)
    assert outcomes["churn"].bundle.evidence.features


def test_a_published_bundle_answers_as_when_it_was_judged(outcomes):
    for outcome in outcomes.values():
        outcome.bundle.verify()
        assert outcome.bundle.spec.metrics
        # Where the constant rate takes the field, its slope alone is undefined, and says why.
        unknown = {n: m for n, m in outcome.bundle.spec.metrics.items() if m["value"] is None}
        assert set(unknown) <= {"calibration_slope"}
        assert all(found["why"] for found in unknown.values())


def test_age_alone_never_promotes(outcomes, log, registry, settings, quick):
    again = train(quick("segments"), log, registry, settings, promote=True)
    assert again.decision["publish"] == "champion"
    assert registry.resolve("segments", CHAMPION) == outcomes["segments"].version
    assert registry.resolve("segments", CHALLENGER) == again.version


def test_without_promote_nothing_changes_and_it_is_said(outcomes, log, registry, settings, quick):
    before = registry.resolve("lead_score", CHAMPION)
    again = train(quick("lead_score"), log, registry, settings, as_of=moment(log, None))
    assert registry.resolve("lead_score", CHAMPION) == before
    assert not again.decision["serves"]
    first = outcomes["lead_score"].decision["numbers"]
    assert again.decision["numbers"]["log_loss_challenger"] == first["log_loss_challenger"]


def test_everyone_is_scored_and_explained(store, log, home, outcomes):
    for name in MODELS:
        table = pd.read_parquet(home / "scores" / f"{name}.parquet")
        stored = list(store.read(name))
        assert len(table) == len(stored) > 50
        assert set(table["version"]) == {outcomes[name].bundle.spec.version}
        assert (table["sequence"] == log.sequence).all()
    churn = next(store.read("churn"))
    assert 0 <= churn.probability <= 1
    assert churn.grade in "ABCD"
    named = {row.segment for row in store.read("segments")}
    assert named <= {segment.name for segment in outcomes["segments"].bundle.spec.segments}


def test_only_open_campaigns_are_scored_without_who_redeemed(store, log):
    now = moment(log, None)
    rows = list(store.read("lead_score"))
    assert rows
    for row in rows:
        campaign = log.campaigns[row.context["campaign_id"]]
        assert campaign["starts_at"] <= now < campaign["ends_at"]
        assert row.as_of == now
    spine = log.spine("lead")
    leads = {
        r
        for r, c in zip(spine.row_id, spine.context["campaign_id"], strict=True)
        if c == rows[0].context["campaign_id"]
    }
    assert {row.row_id for row in rows} < leads  # some have redeemed already


def test_a_customer_with_very_many_rows_keeps_the_best_ten(log, quick):
    spec = quick("ctr")
    data = build(spec, log, moment(log, None))
    answers = pd.DataFrame({"margin": range(len(data))}, dtype=float)
    kept = batch.stored_positions(spec, data, answers)
    customers = data.rows["customer_id"].iloc[kept]
    assert customers.value_counts().max() == batch.BEST_OF_EACH
    first = data.rows["customer_id"].iloc[-1]
    own = data.rows.index[data.rows["customer_id"] == first].to_list()
    assert sorted(own)[-batch.BEST_OF_EACH :] == [i for i in kept if i in set(own)]


def test_a_list_is_ranked_by_expected_value_and_says_what_is_assumed(store, log):
    spec = catalog.spec("lead_score")
    campaign = next(store.read("lead_score")).context["campaign_id"]
    found = listing.prospects(spec, log, store, campaign, listing.Money(value=1_000))
    values = [place.expected_net_value for place in found.places.ranked]
    assert values == sorted(values, reverse=True)
    assert len(values) > 3
    best = found.places.ranked[0]
    assert values[0] == round(best.candidate.probability * 1_000) - 50  # the campaign's own cost
    assert any("Consent is assumed" in said for said in found.assumptions)


@pytest.mark.parametrize("money", [listing.Money(), listing.Money(cost=50, save_rate=0.1)])
def test_a_list_without_value_is_ordered_by_probability(store, log, money):
    spec = catalog.spec("churn")
    found = listing.prospects(spec, log, store, "11", money)
    listed = [place.candidate.probability for place in found.places.ranked]
    assert listed == sorted(listed, reverse=True)
    assert any("No value was given" in said for said in found.assumptions)


def test_a_spreadsheet_gets_no_formula(tmp_path):
    file = tmp_path / "list.csv"
    listing.write_csv(file, [(1, "=HYPERLINK()", 0.5, -10, "＝A1", "@x")])
    assert file.read_text().splitlines()[1] == "1,'=HYPERLINK(),0.5,-10,'＝A1,'@x"


def test_a_champion_that_nothing_has_matured_for_is_kept(outcomes, log):
    spec, now = catalog.spec("churn"), moment(log, None)
    champion = outcomes["churn"].bundle
    matured = build(spec, log, now).take([])
    found = monitor.monitor(champion, spec.gate, matured, rows_to_score(spec, log, now))
    assert (found.verdict, found.code) == ("keep", 0)


def test_a_champion_that_promises_too_much_is_to_be_retrained(outcomes, log):
    spec, now = catalog.spec("churn"), moment(log, None)
    champion = outcomes["churn"].bundle
    data = build(spec, log, now)
    found = monitor.monitor(champion, spec.gate, data, rows_to_score(spec, log, now))
    assert {check.grade for check in found.grades} <= set("ABCD")
    assert all(check.low <= check.actual - check.expected <= check.high for check in found.grades)
    wrong = type(data)(data.X, 1 - data.y, data.rows)
    assert monitor.monitor(champion, spec.gate, wrong, data.take([])).code == 1
    assert monitor.monitor(champion, spec.gate, wrong, data.take([]), champion).code == 2


def test_a_batch_scored_on_spark_is_the_same_file(spark, outcomes, home, monkeypatch, capsys):
    monkeypatch.setenv("NEXTBEST_HOME", str(home))

    def scored(*words):
        assert main(["score", *words]) == 0
        files = {name: pd.read_parquet(home / "scores" / f"{name}.parquet") for name in MODELS}
        return {name: file.drop(columns="scored_at") for name, file in files.items()}

    alone = scored()
    on_spark = scored("--engine", "spark", "--master", "local[2]")
    for name, file in alone.items():
        pd.testing.assert_frame_equal(on_spark[name], file, check_exact=True)
        assert len(file) > 20
    assert "ctr has no champion" in capsys.readouterr().err


def test_a_dataset_made_on_spark_is_the_same_file(spark, home, monkeypatch, tmp_path):
    monkeypatch.setenv("NEXTBEST_HOME", str(home))
    words = ["dataset", "churn", "--as-of", "2023-09-01", "--out"]
    assert main([*words, str(tmp_path / "alone.parquet")]) == 0
    spark_words = ["--engine", "spark", "--master", "local[2]"]
    assert main([*words, str(tmp_path / "spark.parquet"), *spark_words]) == 0
    alone, on_spark = (pd.read_parquet(tmp_path / f"{n}.parquet") for n in ("alone", "spark"))
    pd.testing.assert_frame_equal(on_spark, alone, check_exact=True)
