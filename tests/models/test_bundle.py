from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.catalog import feature_hash
from models.bundle import Bundle, BundleError
from models.calibrator import Calibrator
from models.catalog import CATALOG
from models.clusters import Clusters
from models.encoder import Column, Encoder
from models.golden import UNSEEN
from models.linear import Linear
from models.manifest import write_folder
from models.published import PublishedSpec

HASH = "0123456789abcdef"


def changed(folder: Path, name: str, content: bytes | None) -> Path:
    """The same files with one changed or left out, under a manifest that agrees."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    del files["manifest.json"]
    if content is None:
        del files[name]
    else:
        files[name] = content
    return write_folder(folder.parent / "changed", files)


def edited(folder: Path, name: str, edit: Callable[[Any], None]) -> Path:
    plain = json.loads((folder / name).read_bytes())
    edit(plain)
    return changed(folder, name, json.dumps(plain).encode())


def test_a_bundle_survives_the_folder(any_bundle: Bundle, made: Any, tmp_path: Path) -> None:
    folder = any_bundle.save(tmp_path / "1")
    again = Bundle.load(folder)
    again.verify(HASH)
    assert again.spec == any_bundle.spec
    assert again.encoder.columns == any_bundle.encoder.columns
    assert again.calibrator == any_bundle.calibrator
    assert again.reference == any_bundle.reference
    assert again.golden == any_bundle.golden
    assert again.card_markdown == any_bundle.card_markdown
    if isinstance(any_bundle.engine, Clusters):
        assert isinstance(again.engine, Clusters)
        expected = any_bundle.engine.distances(made.X)
        np.testing.assert_array_equal(again.engine.distances(made.X), expected)
    else:
        assert not isinstance(again.engine, Clusters)
        expected = any_bundle.engine.margins(made.X)
        np.testing.assert_array_equal(again.engine.margins(made.X), expected)


def test_the_same_bundle_gives_the_same_bytes(any_bundle: Bundle, tmp_path: Path) -> None:
    first = any_bundle.save(tmp_path / "1")
    second = Bundle.load(first).save(tmp_path / "2")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_only_plain_files_are_written(any_bundle: Bundle, tmp_path: Path) -> None:
    folder = any_bundle.save(tmp_path / "1")
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".txt", ".npz", ".md", ".html"}
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_the_registry_gives_the_version(made: Any, tmp_path: Path) -> None:
    folder = made.bundle.save(tmp_path / "1")
    assert Bundle.load(folder).spec.version == "7"
    assert Bundle.load(folder, version="12").spec == replace(made.bundle.spec, version="12")


def test_a_bundle_is_never_overwritten(made: Any, tmp_path: Path) -> None:
    folder = made.bundle.save(tmp_path / "1")
    with pytest.raises(BundleError, match="one that exists"):
        made.bundle.save(folder)


def test_every_file_is_guarded(any_bundle: Bundle, tmp_path: Path) -> None:
    folder = any_bundle.save(tmp_path / "1")
    for name in [path.name for path in folder.iterdir()]:
        copy = tmp_path / f"copy of {name}"
        shutil.copytree(folder, copy)
        with (copy / name).open("ab") as file:
            file.write(b"x")
        with pytest.raises(BundleError, match=name) as caught:
            Bundle.load(copy)
        assert "python -m training all --promote" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("spec.json", b"{}"),
        ("spec.json", b'{"features": [{"name": "orders"}]}'),
        ("encoder.json", b'{"columns": [{}]}'),
        ("encoder.json", b"[]"),
        ("calibrator.json", b'{"method": "sigmoid", "slope": -1.0}'),
        ("calibrator.json", b'{"method": "platt"}'),
        ("reference.json", b'{"features": []}'),
        ("golden.json", b'{"rows": 3}'),
        ("booster.txt", b"\xff\xfe"),
        ("booster.txt", b"tree\nversion=v4\n"),
        ("card.md", b"\xff"),
    ],
)
def test_a_file_of_another_form_is_named(
    name: str, content: bytes, made: Any, tmp_path: Path
) -> None:
    folder = changed(made.bundle.save(tmp_path / "1"), name, content)
    with pytest.raises(BundleError, match=name):
        Bundle.load(folder)


def test_segments_with_pickled_arrays_are_refused(segment_bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    np.savez(path, columns=np.array([{}], dtype=object))
    folder = changed(segment_bundle.save(tmp_path / "1"), "segments.npz", path.read_bytes())
    with pytest.raises(BundleError, match=r"segments\.npz.*allow_pickle"):
        Bundle.load(folder)


def test_one_engine_is_needed_and_one_only(made: Any, tmp_path: Path) -> None:
    folder = made.bundle.save(tmp_path / "1")
    both = changed(folder, "segments.npz", b"")
    with pytest.raises(BundleError, match=r"exactly one.*found booster\.txt and segments\.npz"):
        Bundle.load(both)
    shutil.rmtree(both)
    with pytest.raises(BundleError, match=r"exactly one of .*found none"):
        Bundle.load(changed(folder, "booster.txt", None))


def test_a_file_that_the_manifest_does_not_list_is_missing(made: Any, tmp_path: Path) -> None:
    folder = changed(made.bundle.save(tmp_path / "1"), "golden.json", None)
    with pytest.raises(BundleError, match=r"golden\.json: expected a file of the manifest"):
        Bundle.load(folder)


def test_other_feature_declarations_are_refused(made: Any) -> None:
    with pytest.raises(BundleError, match=f"hash {HASH}") as caught:
        made.bundle.verify("another")
    assert "python -m training churn --promote" in caught.value.remedy


@pytest.mark.parametrize("spec", CATALOG.values(), ids=list(CATALOG))
def test_the_features_of_the_catalogue_are_compared_by_default(spec: Any, made: Any) -> None:
    facts = {"horizon": "28d", "base_rate": 0.5, "currency": "USD", "code_version": "x"}
    published = PublishedSpec.of(spec, **facts, as_of=0, trained_at=0)
    assert published.feature_hash == feature_hash(spec.features)
    assert [f.name for f in published.features] == list(spec.feature_names)
    assert all(f.words["en"] and f.words["ko"] for f in published.features)
    encoder = Encoder(Column(f.name, f.dtype, f.levels) for f in published.features)
    X = np.full((2, len(encoder.columns)), np.nan)
    bundle = Bundle.of(published, encoder, Linear(-1.0), Calibrator.identity(), X)
    bundle.verify()
    with pytest.raises(BundleError, match="features with hash"):
        replace(bundle, spec=replace(published, feature_hash=HASH)).verify()


def test_a_model_that_the_catalogue_does_not_list_is_refused(
    made: Any, published_spec: Callable[..., PublishedSpec]
) -> None:
    with pytest.raises(BundleError, match=r"one of the catalogue.*found the model 'clv'"):
        replace(made.bundle, spec=published_spec(name="clv")).verify()


def test_other_columns_than_the_features_are_refused(made: Any) -> None:
    encoder = Encoder(made.bundle.encoder.columns[::-1])
    with pytest.raises(BundleError, match=r"encoder\.json: expected the features of spec\.json"):
        replace(made.bundle, encoder=encoder).verify(HASH)


def test_every_centre_needs_its_words(segment_bundle: Bundle) -> None:
    spec = replace(segment_bundle.spec, segments=segment_bundle.spec.segments[:2])
    with pytest.raises(BundleError, match=r"expected 3 different ids.*found segments \[0, 1\]"):
        replace(segment_bundle, spec=spec).verify(HASH)


def test_the_last_bit_of_a_boosters_golden_margin_counts(made: Any, tmp_path: Path) -> None:
    def nudge(plain: Any) -> None:
        plain["answers"]["margin"][3] = np.nextafter(plain["answers"]["margin"][3], 9.0)

    folder = edited(made.bundle.save(tmp_path / "1"), "golden.json", nudge)
    with pytest.raises(BundleError, match=r"golden\.json: expected .* found margin .* in row 3"):
        Bundle.load(folder).verify(HASH)


@pytest.mark.parametrize(("by", "fits"), [(2.3e-16, True), (1e-9, False)])
def test_only_the_last_bits_of_a_golden_probability_may_differ(
    by: float, fits: bool, made: Any, tmp_path: Path
) -> None:
    def nudge(plain: Any) -> None:
        plain["answers"]["probability"][0] *= 1 + by

    bundle = Bundle.load(edited(made.bundle.save(tmp_path / "1"), "golden.json", nudge))
    if fits:
        bundle.verify(HASH)
    else:
        with pytest.raises(BundleError, match="found probability"):
            bundle.verify(HASH)


def test_another_segment_is_noticed(segment_bundle: Bundle, tmp_path: Path) -> None:
    def swap(plain: Any) -> None:
        plain["answers"]["segment"][0] = (plain["answers"]["segment"][0] + 1) % 3

    folder = edited(segment_bundle.save(tmp_path / "1"), "golden.json", swap)
    with pytest.raises(BundleError, match="found segment"):
        Bundle.load(folder).verify(HASH)


@pytest.mark.parametrize(
    "edit",
    [
        lambda plain: plain["answers"].pop("margin"),
        lambda plain: plain["answers"]["margin"].pop(),
        lambda plain: plain["rows"][0].pop(),
        lambda plain: plain["rows"][0].__setitem__(0, "twelve"),
    ],
)
def test_golden_rows_that_do_not_fit_are_refused(edit: Any, made: Any, tmp_path: Path) -> None:
    folder = edited(made.bundle.save(tmp_path / "1"), "golden.json", edit)
    with pytest.raises(BundleError, match=r"golden\.json"):
        Bundle.load(folder).verify(HASH)


def test_golden_rows_are_nobody_and_reach_the_odd_cases(made: Any) -> None:
    golden = made.bundle.golden
    assert len(golden.rows) == 35
    customers = {tuple(row) for row in made.rows(len(made.X))}
    assert not customers & set(golden.rows[:32])
    assert (None,) * 5 in golden.rows
    assert any(UNSEEN in row for row in golden.rows)
    assert {type(value) for value in list(zip(*golden.rows, strict=True))[4][:32]} == {bool}
    assert len(set(golden.answers["margin"])) > 20


def test_what_json_cannot_hold_is_refused_when_saving(
    made: Any, published_spec: Callable[..., PublishedSpec], tmp_path: Path
) -> None:
    spec = published_spec(metrics={"auc": float("nan")})
    with pytest.raises(BundleError, match=r"spec\.json"):
        replace(made.bundle, spec=spec).save(tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_fields_of_a_later_version_are_left_out(made: Any) -> None:
    plain = made.bundle.spec.to_json()
    assert PublishedSpec.from_json({**plain, "intervals": {}}) == made.bundle.spec
