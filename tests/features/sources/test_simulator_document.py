"""What docs/simulator.md says of the company is what the company is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from features.sources.simulator import adverts, pieces, truth, truth_files, ways
from features.sources.simulator.people import AGREED_AT_FIRST, AGREES, PROSPECTS, WITHDRAWS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "simulator.md").read_text()
ROWS = {
    name: (before, after)
    for name, before, after in re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", TEXT, re.M)
}


def written(value: Any) -> str:
    return ", ".join(f"{part:g}" for part in (value if isinstance(value, tuple) else (value,)))


@pytest.mark.parametrize("name", [field.name for field in fields(ways.Ways)])
def test_every_coefficient_is_documented_before_and_after_drift(name: str) -> None:
    before, after = getattr(ways.BEFORE, name), getattr(ways.AFTERWARDS, name)
    assert ROWS[name] == (written(before), "same" if after == before else written(after))


@pytest.mark.parametrize("column", truth.SCHEMA.names)
def test_every_column_of_the_truth_is_documented(column: str) -> None:
    assert f"`{column}`" in TEXT


@pytest.mark.parametrize("model", [*truth.MODELS, truth_files.VALUE])
def test_every_file_of_the_truth_is_documented(model: str) -> None:
    assert f"\n| `{model}` |" in TEXT


def test_the_sizes_of_the_noise_are_documented() -> None:
    found = re.findall(r"^\| (?:an?) [^|]+ \|.*\| (0\.\d) \|$", TEXT, re.M)
    assert [float(size) for size in found] == list(ways.NOISE.values())


def test_shares_in_the_text_are_those_of_the_code() -> None:
    email, mail = AGREED_AT_FIRST
    for sentence in (
        f"{email:.0%} and {mail:.0%}, is withdrawn with {WITHDRAWS:.1%} and given with {AGREES:.1%}"
        .replace("%", " %"),
        f"mere prospect ({PROSPECTS:.0%})".replace("%", " %"),
        f"mean {pieces.LAG:g} days,\nat most {pieces.LONGEST_LAG:g})",
        f"home store ({ways.HOME_STORE})",
        f"2/{adverts.ADVERTISED} is the propensity",
    ):  # fmt: skip
        assert sentence in TEXT
