"""Imports go down: features <- models <- training | serving <- demo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# What a worker that answers score requests must never load: seconds and hundreds of MiB.
TOO_HEAVY = {
    *("pandas", "mlflow", "pyarrow", "sklearn", "lightgbm", "duckdb", "scipy", "matplotlib"),
    "pyspark",
}


def test_import_linter_keeps_the_layers(root: Path) -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize("module", ["serving.app", "models.bundle", "models.score"])
def test_what_a_worker_imports_is_light(module: str, root: Path) -> None:
    program = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & TOO_HEAVY == set()


@pytest.mark.parametrize("package", ["features", "models", "training", "serving", "demo"])
def test_importing_a_package_does_nothing(package: str, root: Path, tmp_path: Path) -> None:
    program = (
        "import importlib, pathlib, pkgutil, sys, threading\n"
        f"sys.path.insert(0, {str(root)!r})\n"
        f"package = importlib.import_module({package!r})\n"
        f"for found in pkgutil.walk_packages(package.__path__, {package + '.'!r}):\n"
        "    if not found.name.endswith('__main__'):\n"
        "        importlib.import_module(found.name)\n"
        "print(threading.active_count(), len(list(pathlib.Path('.').iterdir())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "0"]
