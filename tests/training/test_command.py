from __future__ import annotations

import pandas as pd
import pytest

from models.catalog import CATALOG
from training.command import CANNOT_TELL, main


@pytest.fixture
def run(home, monkeypatch, capsys):
    """Run a command line in the small company's home: (exit code, stdout, stderr)."""

    def go(*words, folder=home):
        monkeypatch.setenv("NEXTBEST_HOME", str(folder))
        try:
            code = main(list(words))
        except SystemExit as end:  # argparse's own refusals
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chrun"], "'chrun' is no model. Choose one of:"),
        (["churn", "--as-of", "soon"], "'soon' is no date or time"),
        (["churn", "--as-of", "1999-01-01"], "Choose --as-of 2023"),
        (["churn", "--seed", "x"], "invalid int value"),
        (["all", "--as-of", "32"], "is no date or time"),
        (["dataset", "nobody", "--out", "x.csv"], "is no model"),
        (["dataset", "churn", "--out", "x.txt"], "neither .parquet nor .csv"),
        (["dataset", "churn", "--out", "no/such/folder/x.csv"], "cannot be written"),
        (["dataset", "churn"], "--out"),
        (["promote", "nobody"], "is no model"),
        (["promote", "ctr", "--version", "99"], "has no version '99'"),
        (["promote", "ctr", "--rollback"], "no previous champion"),
        (["rollback", "ctr"], "no previous champion"),
        (["rollback", "nobody"], "is no model"),
        (["promote", "ctr"], "no challenger to promote"),
        (["promote", "ctr", "--version", "1", "--rollback"], "not allowed with"),
        (["prospects"], "--campaign"),
        (["prospects", "--campaign", "99"], "There is no campaign '99'"),
        (["prospects", "--campaign", "1", "--limit", "0"], "less than 1"),
        (["prospects", "--campaign", "1", "--value", "much"], "invalid int value"),
        (["prospects", "--campaign", "1", "--model", "segments"], "gives no probability"),
        (["prospects", "--campaign", "1", "--model", "ctr"], "no scores"),
        ([], "MODEL | JOB"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_a_mistake_is_told_with_its_remedy_and_ends_with_2(run, words, says):
    code, out, err = run(*words)
    assert code == 2
    assert says in " ".join(err.split())
    assert "Traceback" not in out + err


@pytest.mark.parametrize("job", [["churn"], ["score"], ["dataset", "churn", "--out", "x.csv"]])
def test_without_a_log_the_command_that_makes_one_is_named(run, job, tmp_path):
    code, _, err = run(*job, folder=tmp_path)
    assert code == 2
    assert "python -m features ingest complete-journey" in err


def test_what_cannot_be_monitored_is_no_roll_back(run, tmp_path):
    assert run("monitor", "nobody")[0] == CANNOT_TELL
    code, _, err = run("monitor", "churn", folder=tmp_path)
    assert code == CANNOT_TELL
    assert "There is no event log" in err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_dataset_is_written_to_a_file(run, tmp_path, suffix):
    file = tmp_path / f"churn.{suffix}"
    code, out, _ = run("dataset", "churn", "--as-of", "2023-09-01", "--out", str(file))
    table = pd.read_csv(file) if suffix == "csv" else pd.read_parquet(file)
    assert code == 0
    assert f"{len(table):,} rows" in out
    assert set(CATALOG["churn"].feature_names) < set(table)


@pytest.mark.parametrize("words", [["--help"], ["churn", "--help"], ["prospects", "--help"]])
def test_help_names_the_models_or_options(run, words):
    code, out, _ = run(*words)
    assert code == 0
    assert "usage: python -m training" in out


def test_nothing_is_shown_in_a_pipe_but_the_result(run, tmp_path):
    _, out, err = run(
        "dataset", "lead_score", "--as-of", "2023-09-01", "--out", str(tmp_path / "x.csv")
    )
    assert err == ""
    assert len(out.splitlines()) == 1
