"""Bundles that a server has to refuse, each broken in another way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from models.bundle import ENGINES, Bundle
from models.spec import ModelSpec

Make = Callable[[ModelSpec], Bundle]


def bad_golden_row(make: Make, spec: ModelSpec, folder: Path) -> Path:
    """Save a bundle that promises another answer to its first golden row than it gives."""
    bundle = make(spec)
    name, values = next(iter(bundle.golden.answers.items()))
    answers = bundle.golden.answers | {name: [values[0] + 0.5, *values[1:]]}
    return replace(bundle, golden=replace(bundle.golden, answers=answers)).save(folder)


def wrong_feature_hash(make: Make, spec: ModelSpec, folder: Path) -> Path:
    """Save a bundle whose features were declared otherwise than the catalogue's."""
    bundle = make(spec)
    turned = bundle.spec.feature_hash[::-1]
    return replace(bundle, spec=replace(bundle.spec, feature_hash=turned)).save(folder)


def truncated_file(make: Make, spec: ModelSpec, folder: Path) -> Path:
    """Save a bundle whose engine breaks off in the middle."""
    saved = make(spec).save(folder)
    engine = next(saved / name for name in ENGINES if (saved / name).exists())
    content = engine.read_bytes()
    engine.write_bytes(content[: len(content) // 2])
    return saved


def other_features(make: Make, spec: ModelSpec, folder: Path) -> Path:
    """Save a sound bundle of a model that learnt from another list of features."""
    return make(replace(spec, features=spec.features[:-1])).save(folder)


BROKEN: Mapping[str, Callable[[Make, ModelSpec, Path], Path]] = {
    "bad golden row": bad_golden_row,
    "wrong feature hash": wrong_feature_hash,
    "truncated file": truncated_file,
    "other feature list": other_features,
}
"""What is broken -> (make, spec, folder) -> the folder it was saved to."""
