from __future__ import annotations

import sys
from ctypes import c_int, c_void_p
from pathlib import Path

import pytest

from models.lightgbm_library import BoosterError, Library, library, library_path


def test_the_library_lies_in_the_installed_package() -> None:
    assert library_path().is_file()
    assert library() is library()


def test_a_missing_package_names_its_installation() -> None:
    with pytest.raises(BoosterError, match=r"'no_such_package' is not installed.*pip install"):
        library_path("no_such_package")


def test_a_package_without_the_library_names_the_folder() -> None:
    with pytest.raises(BoosterError, match=r"holds no lib_lightgbm.*json"):
        library_path("json")


def test_the_library_may_lie_in_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = library_path().name
    (tmp_path / "older_layout" / "bin").mkdir(parents=True)
    (tmp_path / "older_layout" / "__init__.py").touch()
    (tmp_path / "older_layout" / "bin" / name).touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert library_path("older_layout") == tmp_path / "older_layout" / "bin" / name


def test_a_file_that_is_no_library_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "lib_lightgbm.so"
    path.write_bytes(b"not a library")
    with pytest.raises(BoosterError, match=r"lib_lightgbm\.so cannot be loaded"):
        Library(path)


def test_another_library_is_told_by_its_functions() -> None:
    import _ctypes

    with pytest.raises(BoosterError, match="has no function LGBM_BoosterLoadModelFromString"):
        Library(Path(_ctypes.__file__))


def test_a_failure_carries_lightgbms_own_words(capfd: pytest.CaptureFixture[str]) -> None:
    trees, handle = c_int(), c_void_p()
    with pytest.raises(BoosterError, match="LoadModelFromString failed: Model file doesn't"):
        library().call("LGBM_BoosterLoadModelFromString", b"tree\n", trees, handle)
