"""A logged score is computed again to the last bit, for every model of the catalogue."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from features.ledger import Ledger
from features.served import Block, Row, Served, ServedStore, Shape
from models.catalog import CATALOG
from models.score import Scorer
from models.scores import SqlScoreStore
from serving.__main__ import main
from serving.app import create_app
from serving.champions.champions import Champions
from serving.served.answer import logged_answer
from serving.served.replaying import again, bundle_of, found
from serving.settings import ServingSettings
from tests.databases import postgres
from tests.serving.fakes import CAMPAIGNS, NOW, SECRET, fake_store, make_bundle

CONTEXT = {"number": 3.5, "text": "A", "category": "A"}


def value_of(feature: Any, rng: random.Random) -> Any:
    if rng.random() < 0.2:
        return None
    by_type = {
        "int": rng.randrange(-3, 90),
        "instant": NOW - rng.randrange(10**14),
        "float": rng.choice([rng.gauss(0, 1e6), 7, -0.0, 1e-300]),
        "bool": rng.random() < 0.5,
    }
    return by_type.get(feature.dtype) or rng.choice([*feature.levels, "never seen"][:3])


def requests(rng: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each model: customers of the store, those who are not in it, and values."""
    for name, spec in CATALOG.items():
        context = {key: CONTEXT.get(kind, "A") for key, kind in spec.context.items()}
        if "campaign_id" in context:
            context["campaign_id"] = rng.choice(list(CAMPAIGNS))
        for customer in ("1001", "1002", SECRET):
            yield name, {"customer_id": customer, "context": context}
        yield name, {"attributes": {}, "events": [], "context": context}
        for _ in range(10):
            chosen = rng.sample(spec.features, rng.randint(1, len(spec.features)))
            values = {feature.name: value_of(feature, rng) for feature in chosen}
            yield name, {"features": values, "explain": rng.choice([0, 2])}


def serve(home: Path, database: ServedStore, share: float = 1.0) -> list[dict[str, Any]]:
    """Return the answers to all requests, logged when it returns."""
    settings = ServingSettings(home=home, log_served=share)
    scores = SqlScoreStore("sqlite://")
    ledger = Ledger.open(home, clock=lambda latest: max(NOW, latest))
    champions = Champions(CATALOG, settings.cache)
    app = create_app(
        settings, champions, fake_store(), scores, lambda: NOW, ledger, served=database
    )
    answers = []
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for model, body in requests(random.Random(0)):
            told = client.post(f"/v1/scores/{model}", json=body)
            if told.status_code == 200:
                answers.append(told.json())
            else:
                assert told.status_code == 422, told.text  # outside the model's population
        batch = client.post("/v1/scores/churn/batch", json={"rows": [{"customer_id": "1001"}] * 3})
        answers += [each["score"] for each in batch.json()["results"]]
        customer = client.get("/v1/customers/1001").json()
        answers += [*customer["scores"], customer["segment"]]
    scores.close()
    ledger.close()
    return answers


def replays(home: Path, answers: list[dict[str, Any]], capsys: Any) -> None:
    by_model = {answer["model"] for answer in answers}
    assert by_model == set(CATALOG)
    assert len({answer["score_id"] for answer in answers}) == len(answers)
    capsys.readouterr()
    for answer in answers:
        assert main(["replay", answer["score_id"]]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"{answer['model']} 1, score {answer['score_id']}: equal\n")
        told = f"margin {answer['margin']!r}" if "margin" in answer else repr(answer["distance"])
        assert told in said


@pytest.fixture
def quiet(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTBEST_HOME", str(home))
    return home


def test_every_score_of_every_model_is_the_same_again(quiet: Path, capsys: Any) -> None:
    with closing(ServedStore.open(quiet)) as database:
        answers = serve(quiet, database)
        replays(quiet, answers, capsys)


@pytest.mark.services
def test_postgresql_gives_the_same_scores_again(quiet: Path) -> None:
    with postgres() as (url, prefix), closing(ServedStore(url, prefix)) as database:
        for answer in serve(quiet, database):
            row = found(database, answer["score_id"])
            bundle = bundle_of(row.model, row.version, quiet / "cache", no_registry)
            assert again(row, bundle) == row.answer
            assert row.answer.get("margin") == answer.get("margin")


def no_registry() -> Any:
    raise ConnectionError("It does not answer.")


@pytest.fixture
def logged(quiet: Path) -> Iterator[tuple[Path, ServedStore, Served]]:
    """A home with one logged score of churn."""
    with closing(ServedStore.open(quiet)) as database:
        serve(quiet, database)
        yield quiet, database, next(row for row in database.since(0) if row.model == "churn")


def rewritten(database: ServedStore, row: Served, **other: Any) -> str:
    """Log a score like another; returns its id."""
    changed = row._replace(**other)
    score_id = f"{1:014x}{2:012x}"
    kept = Row(
        score_id, changed.customer_id, changed.as_of, changed.sequence, changed.has_events,
        changed.context, list(changed.values.values()), changed.answer,
    )  # fmt: skip
    shape = Shape(changed.model, changed.version, changed.catalogue, tuple(changed.values))
    database.add(score_id[14:], [Block(1, shape, [kept])])
    return score_id


def test_a_score_that_differs_in_one_bit_is_shown(logged: Any, capsys: Any) -> None:
    _, database, row = logged
    margin = row.answer["margin"]
    wrong = margin * (1 + 2**-52)
    score_id = rewritten(database, row, answer={**row.answer, "margin": wrong})
    assert main(["replay", score_id]) == 1
    said = capsys.readouterr().out
    assert ": differs" in said
    assert f"margin: served {wrong!r}, computed {margin!r}" in said
    assert "probability" not in said


def test_a_score_that_is_not_logged_says_what_would_log_it(logged: Any, capsys: Any) -> None:
    assert main(["replay", "0" * 26]) == 2
    assert "NEXTBEST_LOG_SERVED=1" in capsys.readouterr().err
    assert main(["replay", "jane"]) == 2
    assert "is no score's id" in capsys.readouterr().err


def test_a_version_that_is_gone_is_named(
    logged: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, database, row = logged
    monkeypatch.setattr("models.registry.prepare", lambda home, uri: no_registry())
    assert main(["replay", rewritten(database, row, version="9")]) == 2
    said = capsys.readouterr().err
    assert "Version 9 of 'churn' is not in" in said
    assert "ConnectionError. Set MLFLOW_TRACKING_URI" in said


def test_a_version_that_left_the_cache_is_taken_from_the_registry(logged: Any) -> None:
    home, _, row = logged
    published = home / "published"
    shutil.move(home / "cache" / "churn" / "1", published)

    class Registry:
        def resolve(self, model: str) -> str:
            return "1"

        def download(self, model: str, version: str, destination: Path) -> Path:
            return Path(shutil.copytree(published, destination))

    bundle = bundle_of("churn", "1", home / "cache", Registry)
    assert again(row, bundle) == row.answer


def test_another_version_of_the_same_number_is_found_out(logged: Any, capsys: Any) -> None:
    home, database, row = logged
    assert main(["replay", rewritten(database, row, catalogue="f00")]) == 2
    assert "the score was made with f00" in capsys.readouterr().err
    folder = home / "cache" / "churn" / "1"
    shutil.rmtree(folder)
    make_bundle(CATALOG["churn"], intercept=-1.5).save(folder)
    assert main(["replay", row.score_id]) == 1
    assert "margin: served" in capsys.readouterr().out


def test_a_bundle_that_was_changed_is_refused(logged: Any, capsys: Any) -> None:
    home, _, row = logged
    (home / "cache" / "churn" / "1" / "calibrator.json").write_text("{}")
    assert main(["replay", row.score_id]) == 2
    assert "calibrator.json" in capsys.readouterr().err


def test_the_catalogue_of_today_is_not_asked(logged: Any, capsys: Any) -> None:
    """A version published from features that the code no longer has is replayed all the same."""
    home, database, row = logged
    old = replace(CATALOG["churn"], features=CATALOG["churn"].features[:-1])
    bundle = make_bundle(old)
    bundle.save(home / "cache" / "churn" / "7")
    values = {f.name: 3 if f.dtype in ("int", "float") else None for f in old.features}
    answer = logged_answer(Scorer(bundle).score(list(values.values()), row.as_of))
    score_id = rewritten(
        database, row, version="7", catalogue=bundle.spec.feature_hash, values=values, answer=answer
    )
    assert main(["replay", score_id]) == 0


def test_a_customer_is_forgotten_by_id(logged: Any, capsys: Any) -> None:
    _, database, _ = logged
    before = [row.customer_id for row in database.since(0)]
    assert main(["forget", "--customer", "1001"]) == 0
    assert f"{before.count('1001')} logged scores" in capsys.readouterr().out
    after = [row.customer_id for row in database.since(0)]
    assert sorted(map(str, after)) == sorted(str(who) for who in before if who != "1001")


def test_what_is_old_is_forgotten(logged: Any, capsys: Any) -> None:
    _, database, _ = logged
    assert main(["forget", "--before", "2020-01-01"]) == 0
    assert list(database.since(0))
    assert main(["forget", "--before", "2100-01-01"]) == 0
    assert not list(database.since(0))
    with pytest.raises(SystemExit):
        main(["forget"])


def test_an_id_is_given_where_nothing_is_logged(quiet: Path) -> None:
    with closing(ServedStore.open(quiet)) as database:
        answers = serve(quiet, database, share=0.0)
        assert all(len(answer["score_id"]) == 26 for answer in answers)
        assert list(database.since(0)) == []
