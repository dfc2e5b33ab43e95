"""CSV files as they come, each with what is to be read of it, and an answer that it tells."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

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
MANY = 15_000
_DRAW = random.Random(0)
STRENGTH = [_DRAW.randrange(10) for _ in range(MANY)]
"""What column `a` of row n tells, in whatever way it is written: 0 to 9."""
CHANCE = (0.2, 0.8)
"""Of a yes where the strength is 0 to 4, and where it is 5 to 9."""
ANSWER = [int(_DRAW.random() < CHANCE[strength >= 5]) for strength in STRENGTH]


class Table(NamedTuple):
    """A file, the attributes to be found in it by their kind, and how many columns tell nothing."""

    content: str | bytes
    kinds: dict[str, str]
    left_out: int = 0

    @property
    def bytes(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.encode()


def table(value: Callable[[int, int], Any], rows: int = 240, head: str = HEAD) -> str:
    """A file whose column `a` is made from the row's number and what it tells."""
    return head + "".join(f"{n},{value(n, STRENGTH[n])},{ANSWER[n]}\n" for n in range(rows))


def load(
    folder: Path,
    content: bytes,
    file: str = "t.csv",
    known_at: str = "2024-06-30",
    more: str = "",
    label: str = "",
) -> Loaded:
    """Ingest a file into a home beside it."""
    (folder / file).write_bytes(content)
    said = TOML.format(file=file, known_at=known_at, more=more, label=label)
    (folder / "company.toml").write_text(said)
    return ingest_company(folder / "company.toml", folder / "home")


PLAIN = table(lambda n, k: k)
NUMBER = {"a": "numeric"}
LEVEL = {"a": "categorical"}
NUMBER_AND_WORDS = {"a": "numeric", "a_text": "categorical"}

TAKEN: dict[str, Table] = {
    "a byte order mark": Table(b"\xef\xbb\xbf" + PLAIN.encode(), NUMBER),
    "lines that end as on Windows": Table(PLAIN.replace("\n", "\r\n"), NUMBER),
    "lines that end as on old Macs": Table(PLAIN.replace("\n", "\r"), NUMBER),
    "semicolons": Table(PLAIN.replace(",", ";"), NUMBER),
    "tabs": Table(PLAIN.replace(",", "\t"), NUMBER),
    "decimal commas": Table(
        table(lambda n, k: f"{k}.5").replace(",", ";").replace(".", ","), NUMBER
    ),
    "grouped thousands": Table(table(lambda n, k: f'"{k * 1234:,}"'), NUMBER),
    "money": Table(table(lambda n, k: f'"$ {k * 1234:,}.50"'), NUMBER),
    "percent": Table(table(lambda n, k: f"{k}%"), NUMBER),
    "negative zero": Table(table(lambda n, k: "-0" if k < 5 else k), NUMBER),
    "numbers beyond floats are words": Table(table(lambda n, k: f"1e{k + 304}"), LEVEL),
    "infinity among numbers": Table(
        table(lambda n, k: "inf" if n % 60 == 3 else k + n % 7 / 10), NUMBER_AND_WORDS
    ),
    "NaN among numbers": Table(
        table(lambda n, k: "NaN" if n % 60 == 3 else k + n % 7 / 10), NUMBER_AND_WORDS
    ),
    "words among numbers": Table(
        table(lambda n, k: "soon" if n % 12 == 3 else k + n % 7 / 10), NUMBER_AND_WORDS
    ),
    "codes with leading zeros": Table(table(lambda n, k: f"0{k}"), LEVEL),
    "dates written in two ways": Table(
        table(lambda n, k: f"{k + 13}/02/2024" if n % 2 else f"2024-02-{k + 13}"),
        {"a": "datetime"},
    ),
    "dates with words": Table(table(lambda n, k: f'"Jan {k + 1}, 2024"'), {"a": "datetime"}),
    "line breaks inside quotes": Table(table(lambda n, k: f'"x\ny ""{k}"""'), LEVEL),
    "words that other programs would obey": Table(
        table(
            lambda n, k: f'"=cmd|$x_{k}$ {{{{ {k} }}}} <b>{k}|\\frac"', head="id,$a_{ <i>|\\,y\n"
        ),
        {"a_i": "categorical"},
    ),
    "a column in another script": Table(
        PLAIN.replace(HEAD, "id,직업,y\n"), {"column_1": "numeric"}
    ),
    "columns called as ours are": Table(
        table(lambda n, k: f"{k},{n % 3}", head="id,known_at,order_count_90d,y\n"),
        {"known_at_column": "numeric", "order_count_90d_column": "numeric"},
    ),
    "a column without a name": Table(PLAIN.replace(HEAD, "id,,y\n"), {"column_1": "numeric"}),
    "a constant column": Table(table(lambda n, k: "same"), {}, 1),
    "an empty column": Table(table(lambda n, k: ""), {}, 1),
    "prose": Table(table(lambda n, k: f"{n} " + "long " * 5_000), {}, 1),
    "names of rows": Table(table(lambda n, k: f"user{n}@example.com"), {}, 1),
    "columns of nothing beside one that tells": Table(
        table(lambda n, k: f"{k},,same,user{n}", head="id,a,b,c,d,y\n"), NUMBER, 3
    ),
    "ten thousand levels": Table(
        table(lambda n, k: f"shop {n % 10_000}" if n % 3 else f"mall {k}", rows=MANY), LEVEL
    ),
    "Excel's way to say how columns are parted": Table(PLAIN.replace(",", "|"), NUMBER),
}
