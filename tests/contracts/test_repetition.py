"""No six lines of code stand twice, unless the reason is written here."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

BLOCK = 6
PACKAGES = ("features", "models", "training", "serving", "demo")

SLIDING = "a window starts anew in the same way everywhere; the kernel has no room to return it in"
# First three lines of a run of lines that may stand twice -> why.
REASONS: dict[str, str] = {
    "self, *, last: str | None = None,": "the arguments of count, any and none are "
    "spelled out, so that editors and mypy know them",
    "def page( self, model: str,": "a protocol and what fulfils it have the same signature",
    "n = 0 for j in range(n_rows): low = lines[LOW, j]": SLIDING,
    "for j in range(n_rows): low = lines[LOW, j] high = lines[HIGH, j]": SLIDING,
    "column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any, "
    "n_rows: Any, out: Any, base: Any, ) -> None:  # fmt: skip": "the kernel's functions take "
    "whole arrays; see `features.kernel.lines`",
    "log: EventLog, as_ofs: Sequence[int], features: Sequence[Feature] | None = None,": "one "
    "table in three shapes is asked for with the same arguments",
    "log: EventLog, spine: Spine, features: Sequence[Feature],": "another engine is asked as "
    "`features.frame.frame` is",
    "spec: ModelSpec, log: EventLog, now: int,": "what computes a model's rows is given the same",
}


def code_lines(source: str) -> list[tuple[int, str]]:
    """(line number, stripped line) of what is code: no blanks, comments, imports, docstrings."""
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if (is_import or is_text) and isinstance(node, ast.stmt):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    numbered = enumerate((line.strip() for line in source.splitlines()), start=1)
    return [(n, line) for n, line in numbered if line and line[0] != "#" and n not in left_out]


def repeated(sources: dict[str, str]) -> dict[str, tuple[str, list[str]]]:
    """Place -> (first three lines, all places) of each run of lines that stands twice."""
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    lines = {name: code_lines(source) for name, source in sources.items()}
    for name, numbered in lines.items():
        for start in range(len(numbered) - BLOCK + 1):
            block = tuple(line for _, line in numbered[start : start + BLOCK])
            places[block].append((name, start))
    twice = {place: where for where in places.values() if len(where) > 1 for place in where}
    runs = {place: where for place, where in twice.items() if (place[0], place[1] - 1) not in twice}
    return {
        f"{name}:{lines[name][start][0]}": (
            " ".join(line for _, line in lines[name][start : start + 3]),
            [f"{other}:{lines[other][n][0]}" for other, n in where],
        )
        for (name, start), where in runs.items()
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_no_six_lines_stand_twice_without_a_reason(package: str, root: Path) -> None:
    ours = {
        str(file.relative_to(root)): file.read_text()
        for name in PACKAGES
        for file in sorted((root / name).rglob("*.py"))
    }
    found = {
        place: places
        for place, (first, places) in repeated(ours).items()
        if first not in REASONS and place.startswith(f"{package}/")
    }
    assert found == {}


def test_the_search_finds_what_stands_twice() -> None:
    body = "\n".join(f"step_{n}()" for n in range(BLOCK))
    assert repeated({"a.py": body, "b.py": f"import os\n{body}"}) == {
        "a.py:1": ("step_0() step_1() step_2()", ["a.py:1", "b.py:2"]),
        "b.py:2": ("step_0() step_1() step_2()", ["a.py:1", "b.py:2"]),
    }
    assert repeated({"a.py": body, "b.py": body.replace("step_3", "other")}) == {}


def test_a_docstring_is_no_code() -> None:
    assert code_lines('"""One.\n\nTwo.\n"""\nx = 1  # why\n') == [(5, "x = 1  # why")]
