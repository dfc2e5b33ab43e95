"""What the benchmark of quality compares is compared fairly, and its figures are what they say."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.quality import __main__ as program
from benchmarks.quality import contenders, tables
from benchmarks.quality.cache import Answer, Cache, Question, version_of
from benchmarks.quality.contenders import PROGRAM, Terms
from benchmarks.quality.folds import folds_of
from benchmarks.quality.summary import Judged, against, corrected, scores
from benchmarks.quality.tables import PUBLIC, Public, TableError, public, table_of

TERMS = Terms(budget=0.0, threads=1)


@pytest.fixture(scope="module")
def small() -> tables.BenchTable:
    random = np.random.default_rng(0)
    town = np.array(["Ulm", "Köln", None], dtype=object)[random.integers(0, 3, 300)]
    orders = random.integers(0, 9, 300)
    p = 1 / (1 + np.exp(2 - 0.5 * orders))
    frame = pd.DataFrame(
        {
            "id": range(300),
            "town": town,
            "orders": orders,
            "money": np.where(orders > 7, np.nan, random.random(300)),
            "y": np.where(random.random(300) < p, "yes", "no"),
        }
    )
    return table_of("small", frame, Public("", "", "", "y", "yes", exclude=("id",)))


@pytest.fixture(scope="module")
def peer() -> Any:
    spec = importlib.util.spec_from_file_location("contender", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(folder: Path, content: str) -> Public:
    path = folder / "shop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("shop/churn.csv", content)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Public("shop==1.0", sha256, "shop/churn.csv", "left", "yes", missing=(" ",))


def test_a_table_is_read_from_its_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = wheel(tmp_path, "charges,plan,left\n3.5,A,yes\n ,B,no\n")
    monkeypatch.setitem(PUBLIC, "shop", where)
    table = public("shop", tmp_path)
    assert table.y.tolist() == [1, 0]
    assert [f.dtype for f in table.features] == ["float", "category"]
    assert math.isnan(table.X["charges"][1])


def test_another_wheel_than_before_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = wheel(tmp_path, "charges,plan,left\n3.5,A,yes\n")
    monkeypatch.setitem(PUBLIC, "shop", replace(where, sha256="0" * 64))
    with pytest.raises(TableError, match="sha256"):
        public("shop", tmp_path)


def test_the_call_that_is_over_is_no_input() -> None:
    assert "duration" in PUBLIC["bank"].exclude


def test_folds_hold_whole_customers_and_like_numbers_of_answers() -> None:
    random = np.random.default_rng(0)
    groups, y = random.integers(0, 200, 900), (random.random(900) < 0.2).astype(np.int64)
    folds = folds_of(y, groups, repeat=1)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    positives = np.bincount(folds, weights=y)
    assert positives.max() - positives.min() <= 5
    assert (folds != folds_of(y, groups, repeat=2)).any()


def test_a_run_that_broke_off_goes_on_where_it_was(tmp_path: Path) -> None:
    path, question = tmp_path / "answers.jsonl", Question("small", 0, 1, "us", "v")
    Cache(path).get(question, lambda: Answer((0.1, 1 / 3), 2.0))
    with path.open("a") as file:
        file.write('{"question": ["small", 0, 2')
    again = Cache(path)
    assert again.get(question, lambda: pytest.fail("asked twice")) == Answer((0.1, 1 / 3), 2.0)
    again.get(question._replace(fold=2), lambda: Answer((0.5,), 1.0))
    assert len(Cache(path)) == 2
    assert question._replace(version="other") not in Cache(path)


def test_other_code_and_other_terms_are_asked_anew(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("a = 1\n")
    before = version_of([code], terms=TERMS)
    assert version_of([code], terms=replace(TERMS, budget=1.0)) != before
    code.write_text("a = 2\n")
    assert version_of([code], terms=TERMS) != before


def test_a_peer_reads_the_same_table(small: tables.BenchTable, peer: Any, tmp_path: Path) -> None:
    X, y, groups = peer.table(contenders.write(small, tmp_path / "small"))
    assert y.tolist() == small.y.tolist()
    assert groups.tolist() == small.groups.tolist()
    assert X["orders"].tolist() == small.X["orders"].tolist()
    np.testing.assert_array_equal(X["money"], small.X["money"])
    assert X["town"].astype(object).where(X["town"].notna(), None).tolist() == list(small.X["town"])


@pytest.mark.parametrize("name", ["hist", "lightgbm"])
def test_a_peer_answers_a_fold(name: str, small: tables.BenchTable, tmp_path: Path) -> None:
    folder = contenders.write(small, tmp_path / "small")
    test = folds_of(small.y, small.groups, 0) == 0
    answer = contenders.peer(name, folder, test, 1, TERMS, Path(sys.executable))
    assert len(answer.p) == test.sum()
    assert Judged(0, small.y[test], np.array(answer.p), 0.0)
    assert scores([Judged(0, small.y[test], np.array(answer.p), 0.0)]).auc[0] > 0.6


def test_a_peer_that_fails_says_what_it_said(small: tables.BenchTable, tmp_path: Path) -> None:
    with pytest.raises(contenders.PeerError, match="FileNotFoundError"):
        contenders.peer("hist", tmp_path, small.y > 0, 1, TERMS, Path(sys.executable))


def test_the_encoder_does_not_see_the_judged_rows(
    small: tables.BenchTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    encoded = contenders.encoded

    def watched(X: Any, *rest: Any) -> Any:
        seen.extend(X.index)
        return encoded(X, *rest)

    monkeypatch.setattr(contenders, "encoded", watched)
    test = folds_of(small.y, small.groups, 0) == 0
    answer = contenders.ours(small, test, 0, TERMS)
    assert sorted(seen) == np.flatnonzero(~test).tolist()
    assert scores([Judged(0, small.y[test], np.array(answer.p), 0.0)]).auc[0] > 0.6


def test_the_corrected_interval_is_as_wide_as_the_paper_says() -> None:
    differences = np.array([0.0, 0.01, 0.02, 0.03, 0.04])
    mean, low, high = corrected(differences, 0.25)
    wide = 2.776445 * np.sqrt((1 / 5 + 0.25) * 0.00025)
    assert (mean, low, high) == pytest.approx((0.02, 0.02 - wide, 0.02 + wide), abs=1e-6)
    assert math.isnan(corrected(differences[:1], 0.25)[1])


def test_each_measure_is_beside_its_own_best_peer() -> None:
    y = np.array([0, 0, 1, 1, 0, 1, 0, 1])
    ordered = np.array([0.01, 0.02, 0.03, 0.04, 0.015, 0.05, 0.01, 0.06])  # sees all, says little
    honest = np.array([0.2, 0.2, 0.8, 0.8, 0.2, 0.8, 0.8, 0.8])
    mine = scores([Judged(0, y, honest, 1.0)] * 2)
    peers = {"ordered": scores([Judged(0, y, ordered, 1.0)] * 2), "same": mine}
    beside = against(mine, peers, 0.25)
    assert beside.best == "ordered"
    assert beside.auc_gap < 0
    assert beside.logloss_ratio == 1.0
    assert beside.ece_gap == 0.0


def test_a_whole_run_prints_a_line_a_contender_and_the_result(
    small: tables.BenchTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def made_up(table: Any, test: Any, seed: int, terms: Any) -> Answer:
        noise = np.random.default_rng(seed).random(int(test.sum()))
        return Answer(tuple((0.5 * table.y[test] + 0.5 * noise).tolist()), 0.1)

    def peer(name: str, folder: Path, test: Any, seed: int, terms: Any, python: Path) -> Answer:
        return made_up(small, test, seed + len(name), terms)

    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path))
    monkeypatch.setitem(PUBLIC, "telco", PUBLIC["telco"])
    monkeypatch.setattr(program, "public", lambda name, folder: small)
    monkeypatch.setattr(contenders, "ours", made_up)
    monkeypatch.setattr(contenders, "peer", peer)
    asked = ["--tables", "telco", "--repeats", "1", "--budget", "1", "--customers", "0"]
    assert program.main([*asked, "--only", "nextbest", "catboost"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "the full run is 5 x 5 folds of 60 s" in lines[0]
    assert [line.split()[1] for line in lines[1:4]] == ["nextbest", "catboost", "beside"]
    names = [pair.split("=")[0] for pair in lines[-1].removeprefix("RESULT ").split()]
    assert names == [
        "auc_gap_mean", "auc_gap_worst", "logloss_ratio_worst", "ece_gap_worst",
        "excess_log_loss", "coverage_error",
    ]  # fmt: skip
    kept = (tmp_path / "benchmarks/quality/answers.jsonl").read_text()
    assert len([json.loads(line) for line in kept.splitlines() if line]) == 10
