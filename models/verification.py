"""Proof that a loaded bundle fits this code and answers as it did when it was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.errors import NextbestError
from models.clusters import Clusters
from models.golden import agrees, answers_of
from models.manifest import BundleError

if TYPE_CHECKING:
    from models.bundle import Bundle


def verify(bundle: Bundle, feature_hash: str | None = None) -> None:
    """Raise unless features, columns, segments and golden answers are those published.

    Parameters
    ----------
    bundle : Bundle
    feature_hash : str, optional
        By default that of the features which `models.catalog` declares for the model.

    Raises
    ------
    BundleError
        Naming the file, what was found, what was expected and the remedy.
    """
    remedy = remedy_for(bundle.spec.name)
    declared = _declared_hash(bundle.spec.name) if feature_hash is None else feature_hash
    if declared != bundle.spec.feature_hash:
        raise BundleError(
            "spec.json",
            found=f"features with hash {bundle.spec.feature_hash}",
            expected=f"those of the catalogue, with hash {declared}",
            remedy=f"Its features were declared otherwise when it was trained. {remedy}",
        )
    names = tuple(feature.name for feature in bundle.spec.features)
    if names != bundle.encoder.names:
        raise BundleError(
            "encoder.json",
            found=f"the columns {', '.join(bundle.encoder.names)}",
            expected=f"the features of spec.json: {', '.join(names)}",
            remedy=remedy,
        )
    if isinstance(bundle.engine, Clusters):
        ids = [segment.id for segment in bundle.spec.segments]
        wanted = len(bundle.engine.centers)
        if len(ids) != wanted or len(set(ids)) != wanted or min(ids) < 0:
            raise BundleError(
                "spec.json",
                found=f"segments {ids}",
                expected=f"{wanted} different ids, in the order of the centres",
                remedy=remedy,
            )
    _verify_golden(bundle, remedy)


def remedy_for(model: str) -> str:
    """Return how to get a good bundle of a model, or of `all`."""
    return f"Train and publish it again: python -m training {model} --promote"


def _verify_golden(bundle: Bundle, remedy: str) -> None:
    try:
        X = np.array([bundle.encoder.encode(row) for row in bundle.golden.rows])
        answers = answers_of(X, bundle.engine, bundle.calibrator)
        if not isinstance(bundle.engine, Clusters):
            answers["margin one by one"] = [bundle.engine.margin(row) for row in X]
    except (NextbestError, IndexError) as error:
        raise BundleError(
            "golden.json", found=str(error).rstrip("."), expected="rows that fit", remedy=remedy
        ) from error
    for name, found in answers.items():
        quantity = name.split()[0]
        expected = bundle.golden.answers.get(quantity, [])
        if len(found) != len(expected):
            raise BundleError(
                "golden.json",
                found=f"{len(expected)} answers of {quantity!r}",
                expected=f"{len(found)}, one a row",
                remedy=remedy,
            )
        for row, (got, want) in enumerate(zip(found, expected, strict=True)):
            if not agrees(quantity, got, want, bundle.engine):
                raise BundleError(
                    "golden.json",
                    found=f"{name} {got!r} in row {row}",
                    expected=repr(want),
                    remedy=f"This machine answers otherwise than that of training. {remedy}",
                )


def _declared_hash(model: str) -> str:
    from features.catalog import feature_hash
    from models.catalog import CATALOG

    if model not in CATALOG:
        raise BundleError(
            "spec.json",
            found=f"the model {model!r}",
            expected=f"one of the catalogue: {', '.join(CATALOG)}",
            remedy="List the model in models/catalog.py.",
        )
    return feature_hash(CATALOG[model].features)
