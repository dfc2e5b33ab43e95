from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from demo.steps import Step, StepFailedError, environment, run


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def program(folder: Path, source: str) -> dict[str, str]:
    """An environment in which ``python -m program`` runs the source."""
    (folder / "program.py").write_text(source)
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_a_step_is_shown_as_what_a_user_would_type() -> None:
    assert Step("build", ("features", "build")).line == "python -m features build"


def test_a_step_that_ends_well_says_how_long_it_took_and_what_it_said_last(
    tmp_path: Path, console: Console
) -> None:
    env = program(tmp_path, "print('[1/2] read'); print('[2/2] written'); print()")
    done = run(Step("try", ("program",)), env, console)
    assert done.said == "[2/2] written"
    assert done.seconds > 0


def test_a_failing_step_raises_with_its_code_and_its_own_words(
    tmp_path: Path, console: Console
) -> None:
    env = program(tmp_path, "import sys\nprint('so far')\nsys.exit('the file is not there')")
    with pytest.raises(StepFailedError) as raised:
        run(Step("try", ("program", "--now")), env, console)
    assert "`python -m program --now` ended with exit code 1" in str(raised.value)
    assert "so far" in str(raised.value)
    assert "the file is not there" in str(raised.value)


def test_a_step_that_prints_much_is_quoted_by_its_end(tmp_path: Path, console: Console) -> None:
    env = program(tmp_path, "for n in range(1000): print('line', n)\nraise SystemExit(3)")
    with pytest.raises(StepFailedError) as raised:
        run(Step("try", ("program",)), env, console)
    assert "line 999" in str(raised.value)
    assert "line 959\n" not in str(raised.value)


def test_steps_get_the_home_and_keep_the_rest_of_the_environment(tmp_path: Path) -> None:
    assert environment(tmp_path) == {
        **os.environ,
        "NEXTBEST_HOME": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
    }
