"""What is true of every file in the repository."""

from __future__ import annotations

import re
import sys
from pathlib import Path

MOST_LINES = 300
# Their length is not ours to choose.
WHOLE_TEXTS = {"LICENSE", "constraints.txt"}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "manager", "processor", "common"}
ALLOWED = {
    "profile": "the fourth group of features; the profiler of that name is always imported whole",
}
PACKAGES = ("features", "models", "training", "serving", "demo")
# A folder of one machine: a home, a temporary folder, a mount with something below it.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/-])/(?:home|Users|root|work|tmp|opt|mnt|var/folders)/[\w.-]+|[A-Z]:\\\\?Users"
)
BINARY = {".png", ".parquet", ".npz"}


def test_no_file_is_longer_than_300_lines(committed: list[Path]) -> None:
    lengths = {
        file: len(file.read_text().splitlines())
        for file in committed
        if file.suffix in {".py", ".md", ".toml", ".j2"} and file.name not in WHOLE_TEXTS
    }
    assert {str(file): n for file, n in lengths.items() if n > MOST_LINES} == {}
    assert len(lengths) > 20


def test_the_readme_is_under_150_lines(root: Path) -> None:
    assert len((root / "README.md").read_text().splitlines()) < 150


def test_no_module_is_named_after_a_library_or_says_nothing(
    committed: list[Path], root: Path
) -> None:
    pins = (root / "constraints.txt").read_text().splitlines()
    libraries = {pin.split("==")[0].replace("-", "_").lower() for pin in pins}
    refused = (NAMES_THAT_SAY_NOTHING | set(sys.stdlib_module_names) | libraries) - set(ALLOWED)
    modules = [file for file in committed if file.suffix == ".py"]
    assert [str(file) for file in modules if file.stem in refused and file.stem[0] != "_"] == []


def test_tests_are_no_packages(root: Path) -> None:
    # tests/features/__init__.py would hide the package features from pytest.
    assert list((root / "tests").rglob("__init__.py")) == []


def test_every_package_says_that_it_is_typed(root: Path) -> None:
    assert [name for name in PACKAGES if not (root / name / "py.typed").is_file()] == []


def test_nothing_committed_names_a_folder_of_one_machine(committed: list[Path]) -> None:
    found = {
        f"{file}:{number}: {match.group()}"
        for file in committed
        if file.suffix not in BINARY
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        for match in MACHINE_PATH.finditer(line)
    }
    assert found == set()


def test_the_search_for_machine_paths_can_fail() -> None:
    assert MACHINE_PATH.search("see " + "/home" + "/jane/nextbest")
    assert not MACHINE_PATH.search("GET /v1/models")
    assert not MACHINE_PATH.search("https://example.org/home/jane")


def test_constraints_hold_nothing_but_names_and_versions(root: Path) -> None:
    lines = (root / "constraints.txt").read_text().splitlines()
    pin = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+]+")
    assert [line for line in lines if not pin.fullmatch(line)] == []
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines]
    assert len(names) == len(set(names)) > 100


def test_no_trained_model_and_no_data_is_committed(committed: list[Path]) -> None:
    trained = {".parquet", ".npz", ".pkl", ".joblib", ".db", ".onnx", ".duckdb", ".arrow", ".csv"}
    assert [str(file) for file in committed if file.suffix in trained] == []
    assert [str(file) for file in committed if file.name in {"booster.txt", "linear.json"}] == []
