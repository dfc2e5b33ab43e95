"""The command line of the data: what it prints, and how it takes a mistake."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from features.__main__ import main
from features.command import run
from features.ledger import Ledger
from features.ledger_entry import Event
from features.log import EventLog
from features.progress import shown
from features.quarantine import Quarantine, Rejection
from tests.small_grocer import grocer
from tests.small_log import write_small_log

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTBEST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grocer().write(tmp_path_factory.mktemp("files"))


def test_an_ingest_says_what_it_added_and_the_second_that_nothing_changed(
    folder: Path, capsys: Printed
) -> None:
    command = ["ingest", "complete-journey", "--impressions", "20", "--folder", str(folder)]
    assert main(command) == 0
    first = capsys.readouterr()
    assert " events added, 0 were there already, 0 rows rejected." in first.out
    assert first.err == ""
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("Nothing changed: all ")


def test_the_log_is_shown_with_its_kinds_spines_and_statements(
    folder: Path, capsys: Printed
) -> None:
    main(["ingest", "complete-journey", "--impressions", "20", "--folder", str(folder)])
    capsys.readouterr()
    assert main(["log"]) == 0
    shown_words = capsys.readouterr().out
    for word in ("order_line", "impression", "placement", "2017-12", "customers: 4", "- Consent"):
        assert word in shown_words


def test_what_was_received_is_exported_once_and_a_build_does_so_first(
    home: Path, capsys: Printed
) -> None:
    write_small_log(home, [{"customer_id": "a", "kind": "order", "occurred_at": "2017-03-01"}])
    assert main(["export"]) == 0
    assert capsys.readouterr().out == "Nothing has been received yet.\n"
    assert not (home / "ledger.db").exists()
    with closing(Ledger.open(home)) as ledger:
        ledger.append([Event("x1", "a", {"kind": "order", "occurred_at": 7})])
        assert main(["export"]) == 0
        assert capsys.readouterr().out.startswith("Lines received: 1. 1 events added, ")
        assert main(["export"]) == 0
        assert "Nothing new" in capsys.readouterr().out
        ledger.append([Event("x2", "a", {"kind": "order", "occurred_at": 7})])
    assert main(["build"]) == 0
    assert EventLog.open(home).exported == 2


def test_runs_are_merged_and_then_there_are_none(home: Path, capsys: Printed) -> None:
    many = [{"customer_id": "a", "kind": "order", "occurred_at": day} for day in range(50)]
    write_small_log(home, many)
    log = write_small_log(home, [{**many[0], "event_id": "later"}])
    for runs in (1, 0):
        assert main(["merge"]) == 0
        assert capsys.readouterr().out.startswith(f"Runs merged: {runs}.")
    assert EventLog.open(home).fingerprint == log.fingerprint


def test_a_build_writes_the_online_store_and_a_table_of_features(
    home: Path, capsys: Printed
) -> None:
    events = [{"customer_id": "a", "kind": "order", "occurred_at": "2017-03-01", "amount": 5}]
    write_small_log(home, events)
    assert main(["build"]) == 0
    printed = capsys.readouterr().out
    assert "Online store: " in printed
    assert len(list((home / "features").glob("*.parquet"))) == 1


def test_rejected_rows_are_counted_and_their_file_is_named(
    home: Path, tmp_path: Path, capsys: Printed
) -> None:
    shop = grocer()
    shop.tables["transactions"][0]["quantity"] = -1
    shop.write(tmp_path / "files")
    assert main(["ingest", "complete-journey", "--folder", str(tmp_path / "files")]) == 0
    printed = capsys.readouterr()
    assert "1 rows rejected" in printed.out
    [path] = (home / "quarantine").iterdir()
    assert str(path) in printed.err
    assert "transactions.parquet,1,quantity,-1," in path.read_text()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["log"], "error: There is no event log in"),
        (["build"], "python -m features ingest complete-journey"),
        (["ingest", "complete-jurney"], "no source 'complete-jurney'. Choose one of: complete-j"),
        (["ingest", "complete-journey", "--seed", "-1"], "seed was given as -1"),
        (["ingest", "complete-journey", "--impressions", "-1"], "impressions was given as -1"),
        (["ingest", "complete-journey", "--folder", "nowhere"], "transactions.parquet is missing"),
    ],
)
def test_a_mistake_is_one_sentence_on_stderr_and_exit_code_2(
    command: list[str], message: str, capsys: Printed
) -> None:
    assert main(command) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "command", [[], ["inject"], ["ingest"], ["ingest", "complete-journey", "--seed", "one"]]
)
def test_a_command_that_cannot_be_read_shows_the_usage(command: list[str], capsys: Printed) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code == 2
    assert "usage: python -m features" in capsys.readouterr().err


def test_a_wrong_setting_is_a_mistake_too(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    monkeypatch.setenv("NEXTBEST_CLOCK", "moon")
    assert main(["log"]) == 2
    assert "NEXTBEST_CLOCK is 'moon'" in capsys.readouterr().err


def test_ctrl_c_stops_without_a_traceback(capsys: Printed) -> None:
    def stop() -> int:
        raise KeyboardInterrupt

    assert run(stop) == 130
    assert capsys.readouterr().err == "stopped: nothing was published.\n"


def test_an_error_that_is_ours_and_not_the_users_keeps_its_traceback() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_to_people_only(terminal: bool) -> None:
    written = io.StringIO()
    with shown(Console(file=written, force_terminal=terminal)) as report:
        report("checking events", 5, None)
        report("sorting customers", 3, 16)
        report("sorting customers", 16, 16)
    assert ("16/16" in written.getvalue()) is terminal
    assert bool(written.getvalue()) is terminal


def test_an_empty_quarantine_is_no_file(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    assert quarantine.close() is None
    assert list(tmp_path.iterdir()) == []


def test_a_row_rejected_for_two_reasons_counts_once(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    reasons = [Rejection("a.csv", row, "kind", "1", "p", "r", "{}") for row in (1, 1, 2)]
    quarantine.add(reasons)
    path = quarantine.close()
    assert quarantine.rows == 2
    assert path is not None
    assert len(path.read_text().splitlines()) == 4
