from __future__ import annotations

import sys
from importlib import import_module

import pytest

from serving.champions.absent import absent


def test_a_module_is_absent_inside_and_there_again_after() -> None:
    assert "wave" not in sys.modules
    with absent("wave"), pytest.raises(ModuleNotFoundError):
        import_module("wave")
    assert import_module("wave").__name__ == "wave"


def test_a_module_that_was_imported_before_stays() -> None:
    with absent("json"):
        assert import_module("json") is sys.modules["json"]
