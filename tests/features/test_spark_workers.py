"""What stands around every function in a worker: it equals the driver, and errors come home."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from features.errors import FeatureOverflowError, NextbestError
from features.jit import kernel_hash
from features.spark_workers import (
    Guarded,
    WorkerMismatchError,
    engine_versions,
    own_error,
    require_same,
)
from models.manifest import BundleError


def refusing(batches: Iterator[Any]) -> Iterator[Any]:
    raise FeatureOverflowError("order_sum does not fit 64 bits.", remedy='Look for "wrong" {ones}.')
    yield from batches


def with_parts(batches: Iterator[Any]) -> Iterator[Any]:
    raise BundleError("golden.json", found="1", expected="2", remedy="Publish it again.")
    yield from batches


def said_by(function: Any) -> str:
    with pytest.raises(RuntimeError) as raised:
        list(Guarded(function, engine_versions())(iter(())))
    return (
        f'  raise RuntimeError(f"NEXTBEST-ERROR {{json}}")\nRuntimeError: {raised.value}\n at java'
    )


def test_a_function_runs_where_everything_is_equal() -> None:
    assert list(Guarded(iter, engine_versions())(iter([1, 2]))) == [1, 2]


def test_kernel_python_and_libraries_are_compared() -> None:
    versions = engine_versions()
    assert set(versions) == {"kernel", "python", "numpy", "numba", "pyarrow"}
    assert versions["kernel"] == kernel_hash()
    for name in versions:
        with pytest.raises(WorkerMismatchError, match=f"{name} is 0 in the worker and"):
            require_same(versions, {**versions, name: "0"})


def test_all_that_differs_is_named_at_once() -> None:
    with pytest.raises(WorkerMismatchError, match=r"numpy is 1 .*; pyarrow is None .*constraints"):
        require_same({"numpy": "2", "pyarrow": "3"}, {"numpy": "1"})


def test_an_error_comes_home_with_its_type_and_words() -> None:
    found = own_error(said_by(refusing))
    assert isinstance(found, FeatureOverflowError)
    assert str(found) == 'order_sum does not fit 64 bits. Look for "wrong" {ones}.'


def test_an_error_with_parts_of_its_own_comes_home_with_its_words() -> None:
    found = own_error(said_by(with_parts))
    assert type(found) is NextbestError
    assert "golden.json" in str(found)
    assert "Publish it again." in str(found)


def test_what_is_no_error_of_ours_stays_what_it_is() -> None:
    assert own_error('raise RuntimeError(f"NEXTBEST-ERROR {json.dumps(said)}")') is None
    plain = '{"module": "builtins", "name": "ValueError", "message": "m.", "remedy": "r."}'
    assert type(own_error(f"NEXTBEST-ERROR {plain}")) is NextbestError
