from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.manifest import BundleError, read_folder, read_json, to_bytes, write_folder

FILES = {"a.json": b"{}\n", "b.txt": "글\n".encode()}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "deep" / "bundle", FILES)
    assert read_folder(folder, "Publish.") == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_a_folder_is_never_overwritten(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "bundle", FILES)
    with pytest.raises(BundleError, match="expected a new folder, found one that exists"):
        write_folder(folder, {"a.json": b"[]"})
    assert read_folder(folder, "Publish.") == FILES


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no/folder"):
        write_folder(tmp_path / "bundle", {"a.json": b"{}", "no/folder": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_told_by_its_hash(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "bundle", FILES)
    (folder / "b.txt").write_bytes(b"other")
    with pytest.raises(BundleError, match=r"b\.txt: expected sha256 \w+, found sha256") as caught:
        read_folder(folder, "Publish.")
    assert caught.value.file == "b.txt"
    assert caught.value.found != caught.value.expected
    assert caught.value.remedy == "It was changed after it was published. Publish."


@pytest.mark.parametrize("name", ["b.txt", "manifest.json"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "bundle", FILES)
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: expected the published file.*Publish"):
        read_folder(folder, "Publish.")


def test_a_manifest_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "bundle", FILES)
    manifest = {"format": 1, "files": {"../secret": "0" * 64}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="plain file name"):
        read_folder(folder, "Publish.")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"format": 2, "files": {}}', "found format 2"),
        ('{"format": 1}', "expected format 1 with hashes"),
        ("[]", "expected a JSON mapping, found list"),
        ("{", "expected JSON"),
        ("\xff", "expected JSON"),
    ],
)
def test_a_manifest_of_another_form_is_refused(text: str, words: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "bundle", FILES)
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=words):
        read_folder(folder, "Publish.")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_json_does_not_know_is_refused_by_file(value: object) -> None:
    with pytest.raises(BundleError, match=r"spec\.json: expected texts, finite numbers"):
        to_bytes({"metric": value}, "spec.json")


def test_floats_keep_their_bits() -> None:
    floats = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2.0**53 + 2]
    again = read_json(to_bytes({"floats": floats}, "x.json"), "x.json", "")["floats"]
    assert [value.hex() for value in again] == [value.hex() for value in floats]
