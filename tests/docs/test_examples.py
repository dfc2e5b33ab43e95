"""The schedule that the documents show: every exit code of the watch leads to the right command."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from models.catalog import CATALOG

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
UNITS = ("nextbest-loop.service", "nextbest-loop.timer")

PYTHON = """#!/bin/sh
echo "$*" >> calls
case "$*" in
*"monitor churn"*) [ "$CODE" = broken ] && exit 1; echo '{}' > "$6"; exit $CODE ;;
*"monitor segments"*) echo '{}' > "$6"; exit 0 ;;
*"training churn"*) exit ${TRAINS:-0} ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Run the script with a Python that writes down how it is called: (exit code, calls)."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)

    def go(code, **environment):
        done = subprocess.run(
            [EXAMPLES / "loop.sh"],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHON": str(python),
                "NEXTBEST_HOME": "home",
                "MODELS": "segments churn",
                "CODE": code,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, (tmp_path / "calls").read_text().splitlines()

    return go


WATCH = [
    "-m features export",
    "-m features build",
    "-m training monitor segments --report home/reports/segments.json",
    "-m training monitor churn --report home/reports/churn.json",
]
SCORE = "-m training score"


@pytest.mark.parametrize(
    ("code", "ends", "then"),
    [
        ("0", 0, []),
        ("1", 0, ["-m training churn --promote"]),
        ("2", 0, ["-m training rollback churn --reason monitor, see home/reports/churn.json"]),
        ("3", 1, []),
        ("broken", 1, []),
    ],
)
def test_each_exit_code_leads_to_its_command(run, code, ends, then):
    assert run(code) == (ends, [*WATCH, *then, SCORE])


def test_scores_are_made_even_if_a_model_cannot_be_retrained(run):
    code, calls = run("1", TRAINS="2")
    assert (code, calls[-1]) == (1, SCORE)


def test_all_models_of_the_catalogue_are_watched():
    listed = (EXAMPLES / "loop.sh").read_text().split("${MODELS:-")[1].split("}")[0]
    assert set(listed.split()) == set(CATALOG)


def test_timer_and_cron_start_the_script():
    service, timer = configparser.ConfigParser(), configparser.ConfigParser()
    for parser in (service, timer):
        parser.optionxform = str
    service.read(EXAMPLES / UNITS[0])
    timer.read(EXAMPLES / UNITS[1])
    script = "/docs/examples/loop.sh"
    assert service["Service"]["ExecStart"] == service["Service"]["WorkingDirectory"] + script
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"]
    line = (EXAMPLES / "crontab").read_text().splitlines()[-1]
    assert line.startswith("15 3 * * * cd /srv/nextbest && ")
    assert line.endswith(script[1:])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_units(tmp_path):
    for name in UNITS:
        text = (EXAMPLES / name).read_text()
        # The checkout is not in /srv here, and a unit whose program is missing is refused.
        (tmp_path / name).write_text(text.replace("/srv/nextbest", str(EXAMPLES.parents[1])))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
