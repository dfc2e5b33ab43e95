from pathlib import Path

import pytest
from pydantic import ValidationError

from features.errors import BadInputError
from features.settings import Settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTBEST_HOME", "elsewhere")
    monkeypatch.setenv("NEXTBEST_CLOCK", "wall")
    assert Settings.from_environment() == Settings(home=Path("elsewhere"), clock="wall")


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().clock = "wall"  # type: ignore[misc]


def test_a_wrong_variable_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTBEST_CLOCK", "moon")
    with pytest.raises(BadInputError, match="NEXTBEST_CLOCK is 'moon'"):
        Settings.from_environment()
