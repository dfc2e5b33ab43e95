from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from demo.__main__ import STEPS, steps

ROOT = Path(__file__).resolve().parents[2]


def test_a_failing_step_ends_the_demonstration_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--home", str(tmp_path / "file")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "`python -m features ingest complete-journey` ended with exit code 2" in done.stderr
    assert "NEXTBEST_HOME" in done.stderr
    assert "2/5" not in done.stdout


def test_steps_are_the_public_command_lines() -> None:
    assert [step.line for step in STEPS] == [
        "python -m features ingest complete-journey",
        "python -m features build",
        "python -m training all --promote",
        "python -m training score",
    ]


def test_a_quick_run_differs_in_the_number_of_impressions_alone() -> None:
    quick = [step.line for step in steps(quick=True)]
    assert quick[0] == f"{STEPS[0].line} --impressions 60000"
    assert quick[1:] == [step.line for step in STEPS[1:]]


def test_the_company_differs_in_its_source_alone() -> None:
    company = [step.line for step in steps(quick=False, company=True)]
    assert company[0].startswith("python -m features ingest simulator")
    assert company[1:] == [step.line for step in STEPS[1:]]
    quick = [step.line for step in steps(quick=True, company=True)]
    assert quick == [f"{company[0]} --customers 1500", *company[1:]]
