"""CSV files as they come: each is a clear error or the right table, and never half a log."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import BadInputError
from features.log import EventLog
from features.manifest import read as manifest
from features.sources.company_tables import Loaded, ingest_company

TOML = """
name = "acme"
currency = "EUR"
timezone = "UTC"
consent = "assumed"
[customers]
path = "{file}"
key = "id"
known_at = "{known_at}"
na_values = ["", "n/a"]
{more}
[labels.lead_score]
column = "y"
positive = ["1"]
{label}
"""
HEAD = "id,a,y\n"
ROWS = "".join(f"{n},{n % 7},{n % 2}\n" for n in range(30))


def table(value: Callable[[int], Any], rows: int = 30, head: str = HEAD) -> str:
    """A file whose column `a` is made from the row's number."""
    return head + "".join(f"{n},{value(n)},{n % 2}\n" for n in range(rows))


def load(
    folder: Path,
    content: bytes,
    file: str = "t.csv",
    known_at: str = "2024-06-30",
    more: str = "",
    label: str = "",
) -> Loaded:
    (folder / file).write_bytes(content)
    said = TOML.format(file=file, known_at=known_at, more=more, label=label)
    (folder / "company.toml").write_text(said)
    return ingest_company(folder / "company.toml", folder / "home")


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
        table(lambda n: f"0{n % 9 + 1}/0{n % 7 + 1}/2024").encode(), {}, "date_order"
    ),
    "a number declared that is none": (
        table(lambda n: "many" if n == 4 else n).encode(),
        {"more": 'types = { a = "numeric" }'}, "row 5, column 'a': 'many' is no number",
    ),
    "a date declared that is none": (
        table(lambda n: "soon" if n == 4 else "2024-01-05").encode(),
        {"more": 'types = { a = "datetime" }'}, "row 5, column 'a': 'soon' is no date",
    ),
    "a third answer where two are listed": (
        (HEAD + ROWS + "31,1,maybe\n").encode(), {"label": 'negative = ["0"]'},
        "row 31, column 'y': 'maybe' is neither",
    ),
    "a decision that is no date": (
        table(lambda n: "later" if n == 2 else "2024-07-01").encode(),
        {"label": 'decided_at = "a"'}, "row 3, column 'a': 'later' is no date",
    ),
    "a moment of knowledge that is none": (
        (HEAD + ROWS).encode(), {"known_at": "created"}, "neither a column of t.csv nor a date"
    ),
    "a status that is not listed": (
        table(lambda n: "lost" if n else "won").encode(),
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


TAKEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "a byte order mark": (b"\xef\xbb\xbf" + (HEAD + ROWS).encode(), {"a": "numeric"}),
    "lines that end as on Windows": (
        (HEAD + ROWS).replace("\n", "\r\n").encode(), {"a": "numeric"}
    ),
    "lines that end as on old Macs": ((HEAD + ROWS).replace("\n", "\r").encode(), {"a": "numeric"}),
    "semicolons": ((HEAD + ROWS).replace(",", ";").encode(), {"a": "numeric"}),
    "tabs": ((HEAD + ROWS).replace(",", "\t").encode(), {"a": "numeric"}),
    "decimal commas": (
        (HEAD + "".join(f"{n},{n}.5,{n % 2}\n" for n in range(30)))
        .replace(",", ";").replace(".", ",").encode(), {"a": "numeric"},
    ),
    "grouped thousands": (table(lambda n: f'"{n * 1234:,}"').encode(), {"a": "numeric"}),
    "money": (table(lambda n: f'"$ {n * 1234:,}.50"').encode(), {"a": "numeric"}),
    "percent": (table(lambda n: f"{n}%").encode(), {"a": "numeric"}),
    "negative zero": (table(lambda n: "-0" if n % 2 else n).encode(), {"a": "numeric"}),
    "numbers beyond floats are words": (
        table(lambda n: f"1e{n + 305}", rows=9).encode(), {"a": "categorical"}
    ),
    "infinity among numbers": (
        table(lambda n: "inf" if n == 3 else n * 1.5, rows=100).encode(),
        {"a": "numeric", "a_text": "categorical"},
    ),
    "NaN among numbers": (
        table(lambda n: "NaN" if n == 3 else n * 1.5, rows=100).encode(),
        {"a": "numeric", "a_text": "categorical"},
    ),
    "codes with leading zeros": (table(lambda n: f"0{n % 9}").encode(), {"a": "categorical"}),
    "dates written in two ways": (
        table(lambda n: "13/02/2024" if n % 2 else "2024-01-05").encode(), {"a": "datetime"}
    ),
    "dates with words": (table(lambda n: f'"Jan {n % 9 + 1}, 2024"').encode(), {"a": "datetime"}),
    "line breaks inside quotes": (
        table(lambda n: f'"x\ny ""{n % 3}"""').encode(), {"a": "categorical"}
    ),
    "a column in another script": (("id,직업,y\n" + ROWS).encode(), {"column_1": "numeric"}),
    "columns called as ours are": (
        ("id,known_at,y,order_count_90d\n"
         + "".join(f"{n},{n % 7},{n % 2},{n % 3}\n" for n in range(30))).encode(),
        {"known_at_column": "numeric", "order_count_90d_column": "numeric"},
    ),
    "a column without a name": (("id,,y\n" + ROWS).encode(), {"column_1": "numeric"}),
    "a constant column": (table(lambda n: "same").encode(), {}),
    "an empty column": (table(lambda n: "").encode(), {}),
    "prose": (table(lambda n: f"{n} " + "long " * 50_000, rows=9).encode(), {}),
    "names of rows": (table(lambda n: f"user{n}@example.com").encode(), {}),
    "ten thousand levels": (
        table(lambda n: f"shop {n * 7919 % 10_000}", rows=15_000).encode(), {"a": "categorical"}
    ),
    "Excel's way to say how columns are parted": (
        (HEAD + ROWS).replace(",", "|").encode(), {"a": "numeric"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_what_can_be_read_is_read_right(name: str, tmp_path: Path) -> None:
    content, expected = TAKEN[name]
    found = load(tmp_path, content)
    assert kinds(found) == expected
    assert found.done.rejected == 0
    log = EventLog.open(tmp_path / "home")
    assert log.stated.num_rows == len(log.spine("lead_score")) >= 9
    left_out = [note for note in found.notes if "left out" in note]
    assert bool(left_out) == (expected == {})


def test_one_blank_row_value_is_no_quoted_record(tmp_path: Path) -> None:
    found = load(tmp_path, table(lambda n: f'{n}" tall').encode())
    assert kinds(found) == {}


def test_values_are_what_is_written(tmp_path: Path) -> None:
    money = load(tmp_path, table(lambda n: f'"$ {n * 1234:,}.50"').encode())
    stated = money.done.log.stated.sort_by("customer_id")
    assert sorted(stated["a"].to_pylist()) == [n * 1234 + 0.5 for n in range(30)]


def test_only_what_is_listed_means_missing(tmp_path: Path) -> None:
    words = ["n/a", " ", "NA", "null", "x"]
    log = load(tmp_path, table(lambda n: words[n % 5]).encode()).done.log
    assert set(log.stated["a"].to_pylist()) == {None, "(blank)", "NA", "null", "x"}


def test_a_row_without_key_goes_to_quarantine_and_the_others_are_taken(tmp_path: Path) -> None:
    done = load(tmp_path, (HEAD + ROWS + "n/a,1,1\n").encode()).done
    assert (done.rejected, done.log.stated.num_rows) == (1, 30)
    assert done.quarantine is not None
    assert "t.csv,31,customer_id" in done.quarantine.read_text()


def test_a_row_known_at_no_date_goes_to_quarantine(tmp_path: Path) -> None:
    dates = table(lambda n: "yesterday" if n == 7 else f"2024-01-{n % 9 + 10}").encode()
    done = load(tmp_path, dates, known_at="a").done
    assert (done.rejected, len(done.log.spine("lead_score"))) == (1, 29)
    assert done.quarantine is not None
    assert "yesterday" in done.quarantine.read_text()


def test_latin_1_is_read_where_it_is_said(tmp_path: Path) -> None:
    content = table(lambda n: "caf\xe9" if n % 3 else "bar").encode("latin-1")
    log = load(tmp_path, content, more='encoding = "latin-1"').done.log
    assert set(log.stated["a"].to_pylist()) == {"caf\xe9", "bar"}


def test_a_decision_before_its_row_was_known_is_left_out_and_counted(tmp_path: Path) -> None:
    content = table(lambda n: "2023-01-01" if n in (4, 5) else "2024-07-02").encode()
    log = load(tmp_path, content, label='decided_at = "a"').done.log
    assert len(log.spine("lead_score")) == 28
    [said] = [each for each in log.source.statements if "before" in each]
    assert "2 rows are left out" in said
    assert "row 5 of t.csv" in said


@pytest.mark.parametrize("answer", ["0", "1"])
def test_a_table_with_one_answer_only_is_taken_and_told(answer: str, tmp_path: Path) -> None:
    content = (HEAD + "".join(f"{n},{n % 7},{answer}\n" for n in range(30))).encode()
    found = load(tmp_path, content)
    assert found.notes[0].startswith(f"lead_score: {30 * int(answer)} rows are a yes")
