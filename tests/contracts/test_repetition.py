"""No six lines of code stand twice, unless the reason is written here."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

BLOCK = 6
PACKAGES = ("features", "models", "training", "serving", "demo")

# First line of a block that may stand twice -> why.
REASONS: dict[str, str] = {}


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


def blocks(lines: list[tuple[int, str]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each run of six lines of code with the number of its first."""
    for start in range(len(lines) - BLOCK + 1):
        run = lines[start : start + BLOCK]
        yield run[0][0], tuple(line for _, line in run)


def repeated(sources: dict[str, str]) -> dict[tuple[str, ...], list[str]]:
    """Blocks that stand at more than one place, with the places."""
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, source in sources.items():
        for number, block in blocks(code_lines(source)):
            places[block].append(f"{name}:{number}")
    return {block: where for block, where in places.items() if len(where) > 1}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_six_lines_stand_twice_without_a_reason(package: str, root: Path) -> None:
    ours = {
        str(file.relative_to(root)): file.read_text()
        for name in PACKAGES
        for file in sorted((root / name).rglob("*.py"))
    }
    found = {
        places[0]: (places, block[0])
        for block, places in repeated(ours).items()
        if block[0] not in REASONS and any(place.startswith(package) for place in places)
    }
    assert found == {}


def test_the_search_finds_what_stands_twice() -> None:
    body = "\n".join(f"step_{n}()" for n in range(BLOCK))
    assert len(repeated({"a.py": body, "b.py": f"import os\n{body}"})) == 1
    assert repeated({"a.py": body, "b.py": body.replace("step_3", "other")}) == {}


def test_a_docstring_is_no_code() -> None:
    assert code_lines('"""One.\n\nTwo.\n"""\nx = 1  # why\n') == [(5, "x = 1  # why")]
