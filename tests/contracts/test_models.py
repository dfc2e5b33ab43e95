"""Every model of the catalogue fits its own features and label on a small company."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from features.catalog import CATALOG as FEATURES
from features.feature import Condition
from models.catalog import CATALOG
from models.spec import ModelSpec
from tests.small_company import write_company
from training.dataset import dataset
from training.fit import Fitting
from training.learn import learn
from training.segmenting import fit_segments

PROBABILITY = [spec for spec in CATALOG.values() if spec.output == "probability"]
SEGMENTS = [spec for spec in CATALOG.values() if spec.output == "segment"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    write_company(folder)
    return folder


def name(spec: ModelSpec) -> str:
    return spec.name


@pytest.mark.parametrize("spec", PROBABILITY, ids=name)
def test_a_model_fits_its_own_features_and_label(spec: ModelSpec, home: Path) -> None:
    quick = replace(spec, backtests=0)
    data = dataset(quick, home)
    learned = learn(quick, data, Fitting(folds=2, threads=1, trees=20), lambda step: None)
    model, flat = learned.evaluation.model, learned.candidate("constant rate")
    assert list(data.X) == list(spec.feature_names)
    assert ((model.p > 0) & (model.p < 1)).all()
    assert set(model.metrics) == set(spec.metrics)
    # The company's habits are there to be found: better than the same rate for everyone.
    assert model.metrics["log_loss"].value < flat.metrics["log_loss"].value
    # What it is judged by is later than all that it learned from.
    assert data.rows["matures_at"].to_numpy()[learned.split.train].max() <= learned.split.begins
    assert data.rows["as_of"].to_numpy()[learned.split.test].min() >= learned.split.begins


@pytest.mark.parametrize("spec", SEGMENTS, ids=name)
def test_segments_are_named_and_hold_everyone(spec: ModelSpec, home: Path) -> None:
    data = dataset(spec, home)
    few = replace(spec, clusters=spec.clusters[:3])
    segmented = fit_segments(few, data.X, random_state=0)
    assert len(set(segmented.names)) == len(segmented.names) == segmented.choice.chosen
    assert segmented.profile["customers"].sum() == len(data)


@pytest.mark.parametrize("spec", CATALOG.values(), ids=name)
def test_a_model_reads_declared_features_only(spec: ModelSpec) -> None:
    assert set(spec.features) <= set(FEATURES)


@pytest.mark.parametrize("spec", CATALOG.values(), ids=name)
def test_no_feature_looks_ahead_and_every_label_does(spec: ModelSpec) -> None:
    assert not any(isinstance(feature, Condition) for feature in spec.features)
    assert spec.label is None or spec.label.count.window.forward
    assert spec.population is None or not spec.population.count.window.forward


def test_there_are_at_least_forty_features_in_four_groups() -> None:
    from features import engagement, exchange, experience, profile

    groups = (
        exchange.CUSTOMER + exchange.IMPRESSION,
        experience.CUSTOMER + experience.SERVICE,
        engagement.CUSTOMER + engagement.DIGITAL + engagement.LEAD + engagement.IMPRESSION,
        profile.FEATURES,
    )
    assert len(FEATURES) >= 40
    assert all(set(group) <= set(FEATURES) and group for group in groups)
