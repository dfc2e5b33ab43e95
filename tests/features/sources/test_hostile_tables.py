"""CSV files as they come: each is a clear error or the right table, and never half a log."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from features.errors import BadInputError
from features.log import EventLog
from features.manifest import read as manifest
from features.sources.company_tables import Loaded
from tests.hostile_tables import HEAD, TAKEN, load, table

ROWS = table(lambda n, k: k, rows=30, head="")


def kinds(found: Loaded) -> dict[str, str]:
    company = found.done.log.company
    assert company is not None
    return {each.name: each.kind for each in company.attributes}


REFUSED: dict[str, tuple[bytes, dict[str, str], str]] = {
    "empty": (b"", {}, "t.csv is empty"),
    "blank lines only": (b"\n\n\n", {}, "t.csv is empty"),
    "a header and no rows": (HEAD.encode(), {}, "no rows"),
    "a column twice": (b"id,a,a,y\n1,2,3,1\n", {}, "column 'a' is there 2 times"),
    "a key twice": ((HEAD + ROWS + "3,1,1\n").encode(), {}, "'3' in rows 4, 31"),
    "a row too short": ((HEAD + ROWS + "31,1\n").encode(), {}, "row 31: it has 2 values"),
    "a row too long": ((HEAD + "1,2,1,9\n" + ROWS).encode(), {}, "row 1: it has 4 values"),
    "a quote never closed": (b'id,y,a\n1,1,2\n2,0,"open\n3,1,1\n', {}, "never closed"),
    "UTF-16": ((HEAD + ROWS).encode("utf-16"), {}, "Save it as UTF-8"),
    "latin-1 bytes": ((HEAD + "1,caf\xe9,1\n").encode("latin-1"), {}, "line 2: .* no utf-8"),
    "NUL bytes": ((HEAD + "1,\0,1\n").encode(), {}, "line 2: there is a NUL byte"),
    "no label column": (b"id,a\n1,2\n", {}, "labels.lead_score.column is 'y'"),
    "no key column": (b"no,a,y\n1,2,1\n", {}, "customers.key is 'id'.* columns are: no, a, y"),
    "dates to be read two ways": (
        table(lambda n, k: f"0{n % 9 + 1}/0{n % 7 + 1}/2024").encode(), {}, "date_order"
    ),
    "a number declared that is none": (
        table(lambda n, k: "many" if n == 4 else n).encode(),
        {"more": 'types = { a = "numeric" }'}, "row 5, column 'a': 'many' is no number",
    ),
    "a date declared that is none": (
        table(lambda n, k: "soon" if n == 4 else "2024-01-05").encode(),
        {"more": 'types = { a = "datetime" }'}, "row 5, column 'a': 'soon' is no date",
    ),
    "a third answer where two are listed": (
        (HEAD + ROWS + "31,1,maybe\n").encode(), {"label": 'negative = ["0"]'},
        "row 31, column 'y': 'maybe' is neither",
    ),
    "a decision that is no date": (
        table(lambda n, k: "later" if n == 2 else "2024-07-01").encode(),
        {"label": 'decided_at = "a"'}, "row 3, column 'a': 'later' is no date",
    ),
    "a moment of knowledge that is none": (
        (HEAD + ROWS).encode(), {"known_at": "created"}, "neither a column of t.csv nor a date"
    ),
    "a status that is not listed": (
        table(lambda n, k: "lost" if n else "won").encode(),
        {"label": 'status = "a"\nworked = ["won"]'}, "'lost' is in none of the lists",
    ),
    "an excluded column that is not there": (
        (HEAD + ROWS).encode(), {"more": 'exclude = ["tag"]'}, "customers.exclude is 'tag'"
    ),
    "a truncated archive": (gzip.compress((HEAD + ROWS).encode())[:-20], {"file": "t.csv.gz"},
                            "no whole gzip file"),
    "an archive that is none": (HEAD.encode(), {"file": "t.csv.gz"}, "no whole gzip file"),
    "a Parquet file that is none": (HEAD.encode(), {"file": "t.parquet"}, "no Parquet file"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_said_and_nothing_is_loaded(name: str, tmp_path: Path) -> None:
    content, said, message = REFUSED[name]
    with pytest.raises(BadInputError, match=message) as refused:
        load(tmp_path, content, **said)
    assert refused.value.remedy
    assert manifest(tmp_path / "home") is None


@pytest.mark.parametrize("name", TAKEN)
def test_what_can_be_read_is_read_right(name: str, tmp_path: Path) -> None:
    expected = TAKEN[name].kinds
    found = load(tmp_path, TAKEN[name].bytes)
    assert kinds(found) == expected
    assert found.done.rejected == 0
    log = EventLog.open(tmp_path / "home")
    assert log.stated.num_rows == len(log.spine("lead_score")) >= 240
    left_out = [note for note in found.notes if "left out" in note]
    assert len(left_out) == TAKEN[name].left_out


def test_one_blank_row_value_is_no_quoted_record(tmp_path: Path) -> None:
    found = load(tmp_path, table(lambda n, k: f'{n}" tall').encode())
    assert kinds(found) == {}


def test_values_are_what_is_written(tmp_path: Path) -> None:
    money = load(tmp_path, table(lambda n, k: f'"$ {n * 1234:,}.50"').encode())
    stated = money.done.log.stated.sort_by("customer_id")
    assert sorted(stated["a"].to_pylist()) == [n * 1234 + 0.5 for n in range(240)]


def test_only_what_is_listed_means_missing(tmp_path: Path) -> None:
    words = ["n/a", " ", "NA", "null", "x"]
    log = load(tmp_path, table(lambda n, k: words[n % 5]).encode()).done.log
    assert set(log.stated["a"].to_pylist()) == {None, "(blank)", "NA", "null", "x"}


def test_a_row_without_key_goes_to_quarantine_and_the_others_are_taken(tmp_path: Path) -> None:
    done = load(tmp_path, (HEAD + ROWS + "n/a,1,1\n").encode()).done
    assert (done.rejected, done.log.stated.num_rows) == (1, 30)
    assert done.quarantine is not None
    assert "t.csv,31,customer_id" in done.quarantine.read_text()


def test_a_row_known_at_no_date_goes_to_quarantine(tmp_path: Path) -> None:
    dates = table(lambda n, k: "yesterday" if n == 7 else f"2024-01-{n % 9 + 10}").encode()
    done = load(tmp_path, dates, known_at="a").done
    assert (done.rejected, len(done.log.spine("lead_score"))) == (1, 239)
    assert done.quarantine is not None
    assert "yesterday" in done.quarantine.read_text()


def test_latin_1_is_read_where_it_is_said(tmp_path: Path) -> None:
    content = table(lambda n, k: "caf\xe9" if n % 3 else "bar").encode("latin-1")
    log = load(tmp_path, content, more='encoding = "latin-1"').done.log
    assert set(log.stated["a"].to_pylist()) == {"caf\xe9", "bar"}


def test_a_decision_before_its_row_was_known_is_left_out_and_counted(tmp_path: Path) -> None:
    content = table(lambda n, k: "2023-01-01" if n in (4, 5) else "2024-07-02").encode()
    log = load(tmp_path, content, label='decided_at = "a"').done.log
    assert len(log.spine("lead_score")) == 238
    [said] = [each for each in log.source.statements if "before" in each]
    assert "2 rows are left out" in said
    assert "row 5 of t.csv" in said


@pytest.mark.parametrize("answer", ["0", "1"])
def test_a_table_with_one_answer_only_is_taken_and_told(answer: str, tmp_path: Path) -> None:
    content = (HEAD + "".join(f"{n},{n % 7},{answer}\n" for n in range(30))).encode()
    found = load(tmp_path, content)
    assert found.notes[0].startswith(f"lead_score: {30 * int(answer)} rows are a yes")
